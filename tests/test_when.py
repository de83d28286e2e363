"""Moments as people type them: what is read, what is refused with something to type, what is prose."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.refusals import Refusal
from bot.domain.when import read_moment, take_moment, zone_named

BERLIN = ZoneInfo("Europe/Berlin")
#: Monday 3 June 2024, 17:00 in Berlin, 11:00 in New York.
NOW = datetime(2024, 6, 3, 15, 0, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Typed in Berlin at 17:00 on Monday 3 June 2024 -> the UTC moment.
READ = """
10:30 -> 2024-06-03 08:30
9:05 -> 2024-06-03 07:05
17:00 -> 2024-06-03 15:00
17:02 -> 2024-06-03 15:02
17:03 -> 2024-06-02 15:03
23:50 -> 2024-06-02 21:50
00:00 -> 2024-06-02 22:00
10:30:15 -> 2024-06-03 08:30:15
10:30:15.250 -> 2024-06-03 08:30:15
10:30 AM -> 2024-06-03 08:30
10:30 PM -> 2024-06-02 20:30
10:30am -> 2024-06-03 08:30
10:30 a.m. -> 2024-06-03 08:30
10:30 p.m. -> 2024-06-02 20:30
12:10 am -> 2024-06-02 22:10
12:10 pm -> 2024-06-03 10:10
10.30pm -> 2024-06-02 20:30
10am -> 2024-06-03 08:00
10 AM -> 2024-06-03 08:00
10 p.m. -> 2024-06-02 20:00
22h10 -> 2024-06-02 20:10
09h15 -> 2024-06-03 07:15
1030 UTC -> 2024-06-03 10:30
1030Z -> 2024-06-03 10:30
10.30 UTC -> 2024-06-03 10:30
noon -> 2024-06-03 10:00
12 noon -> 2024-06-03 10:00
at noon -> 2024-06-03 10:00
noon UTC -> 2024-06-03 12:00
noon yesterday -> 2024-06-02 10:00
yesterday noon -> 2024-06-02 10:00
yesterday at noon -> 2024-06-02 10:00
at 10:30 -> 2024-06-03 08:30
@10:30 -> 2024-06-03 08:30
@ 10:30 -> 2024-06-03 08:30
[10:30] -> 2024-06-03 08:30
(10:30 UTC) -> 2024-06-03 10:30
10:30: -> 2024-06-03 08:30
15m ago -> 2024-06-03 14:45
15 min ago -> 2024-06-03 14:45
15 mins ago -> 2024-06-03 14:45
15 minutes ago -> 2024-06-03 14:45
2 hours ago -> 2024-06-03 13:00
2hrs ago -> 2024-06-03 13:00
1h30m ago -> 2024-06-03 13:30
1h 30m ago -> 2024-06-03 13:30
1h30 ago -> 2024-06-03 13:30
1 hour and 30 minutes ago -> 2024-06-03 13:30
1 hour, 30 minutes ago -> 2024-06-03 13:30
1.5 hours ago -> 2024-06-03 13:30
1,5 hours ago -> 2024-06-03 13:30
an hour ago -> 2024-06-03 14:00
a minute ago -> 2024-06-03 14:59
half an hour ago -> 2024-06-03 14:30
an hour and a half ago -> 2024-06-03 13:30
two minutes ago -> 2024-06-03 14:58
twenty minutes ago -> 2024-06-03 14:40
45s ago -> 2024-06-03 14:59:15
90 seconds ago -> 2024-06-03 14:58:30
2 days ago -> 2024-06-01 15:00
1w ago -> 2024-05-27 15:00
2 days ago 10:30 -> 2024-06-01 08:30
2 days ago at 10:30 -> 2024-06-01 08:30
-15m -> 2024-06-03 14:45
now -> 2024-06-03 15:00
just now -> 2024-06-03 15:00
right now -> 2024-06-03 15:00
Now -> 2024-06-03 15:00
yesterday 22:10 -> 2024-06-02 20:10
yesterday at 10pm -> 2024-06-02 20:00
yesterday, 22:10 -> 2024-06-02 20:10
yesterday evening 22:10 -> 2024-06-02 20:10
today 9:15 -> 2024-06-03 07:15
this morning 9:15 -> 2024-06-03 07:15
today 00:00 -> 2024-06-02 22:00
10:30 today -> 2024-06-03 08:30
10:30 yesterday -> 2024-06-02 08:30
10:30 on monday -> 2024-06-03 08:30
10:30 monday -> 2024-06-03 08:30
monday 14:00 -> 2024-06-03 12:00
monday 18:00 -> 2024-05-27 16:00
mon 14:00 -> 2024-06-03 12:00
last monday 14:00 -> 2024-05-27 12:00
on friday 14:00 -> 2024-05-31 12:00
last friday at 2pm -> 2024-05-31 12:00
Sunday 23:59 -> 2024-06-02 21:59
2024-06-03T10:30Z -> 2024-06-03 10:30
2024-06-03T10:30:15Z -> 2024-06-03 10:30:15
2024-06-03T10:30:15.123+02:00 -> 2024-06-03 08:30:15
2024-06-03T10:30-04:00 -> 2024-06-03 14:30
2024-06-03 10:30:00-04:00 -> 2024-06-03 14:30
2024-06-03T10:30 -> 2024-06-03 08:30
2024-06-03 10:30 -> 2024-06-03 08:30
2024/06/03 10:30 -> 2024-06-03 08:30
2024-06-03, 10:30 -> 2024-06-03 08:30
2024-06-03 at 10:30 UTC -> 2024-06-03 10:30
2024-06-03 10:30 UTC -> 2024-06-03 10:30
2024-06-03 10:30 AM -> 2024-06-03 08:30
2023-12-31 23:59 -> 2023-12-31 22:59
10:30 2024-06-01 -> 2024-06-01 08:30
June 3 10:30 AM -> 2024-06-03 08:30
June 3rd 10:30 -> 2024-06-03 08:30
June 3, 10:30 -> 2024-06-03 08:30
Jun 3, 2024, 10:30 AM (UTC) -> 2024-06-03 10:30
3 June 2024 10:30 -> 2024-06-03 08:30
3 Jun 10:30 -> 2024-06-03 08:30
3rd of June 10:30 -> 2024-06-03 08:30
3 June 2024 at 10:30 -> 2024-06-03 08:30
Mon 3 Jun 10:30 -> 2024-06-03 08:30
Monday, June 3, 2024 10:30 AM -> 2024-06-03 08:30
10:30 June 3 -> 2024-06-03 08:30
10:30 on 3 June 2024 -> 2024-06-03 08:30
Sept. 30 2023 10:30 -> 2023-09-30 08:30
Dec 30 10:30 -> 2023-12-30 09:30
Feb 29 10:30 -> 2024-02-29 09:30
03.06.2024 10:30 -> 2024-06-03 08:30
10:30 UTC -> 2024-06-03 10:30
10:30 utc -> 2024-06-03 10:30
10:30Z -> 2024-06-03 10:30
10:30 GMT -> 2024-06-03 10:30
10:30 (UTC) -> 2024-06-03 10:30
10:30 CEST -> 2024-06-03 08:30
10:30 EDT -> 2024-06-03 14:30
10:30 PDT -> 2024-06-02 17:30
10:30 ET -> 2024-06-03 14:30
10:30 JST -> 2024-06-03 01:30
10:30 Europe/Berlin -> 2024-06-03 08:30
10:30 europe/berlin -> 2024-06-03 08:30
10:30 America/New_York -> 2024-06-03 14:30
10:30 +02:00 -> 2024-06-03 08:30
10:30+02:00 -> 2024-06-03 08:30
10:30 +0200 -> 2024-06-03 08:30
10:30 -04:00 -> 2024-06-03 14:30
10:30 UTC+2 -> 2024-06-03 08:30
10:30 UTC+05:30 -> 2024-06-03 05:00
10:30 yesterday UTC -> 2024-06-02 10:30
2024-01-15 10:30 CET -> 2024-01-15 09:30
2024-01-15 10:30 EST -> 2024-01-15 15:30
2024-06-01 10:30 MST -> 2024-06-01 17:30
<!date^1717410600^{date_num}|3 Jun> -> 2024-06-03 10:30
"""

# Typed as above -> a word of the sentence that says why not.
REFUSED = """
10 -> may be a time or a number
1030 -> may be a time or a number
10.30 -> may be a time or a number
2h30 -> may be a time or a number
10h -> may be a time or a number
10-11 -> may be a time or a number
10: alarms -> may be a time or a number
3/4 -> one day in some countries
3/4 10:30 -> one day in some countries
3/4: alarms -> one day in some countries
3/4 backends down -> “3 of 4”
10/6 alarms -> one day in some countries
3/4/2024 -> one day in some countries
3/4/2024 10:30 alarms -> one day in some countries
3-4-2024 10:30 -> one day in some countries
10:30-11:00 -> a span
10:30 - 11:00 -> a span
10:30–11:00 errors -> a span
10:30 to 11:00 -> a span
10:30 until 11:00 errors -> a span
10:30-04:00 -> an offset after a space
25:10 -> no clock time
10:75 -> no clock time
10:30:75 -> no clock time
13pm -> no clock time
0 am -> no clock time
24:00 -> the next day
~10:30 -> one moment
about 10:30 -> one moment
10:30ish -> one moment
10:30-ish -> one moment
midnight -> Midnight begins
yesterday midnight -> Midnight begins
midnight: alarms -> Midnight begins
2024-06-03 -> no clock time
2024-06-03 alarms -> no clock time
3 June 2024 alarms -> no clock time
June 3 -> no clock time
yesterday -> no clock time
monday: alarms -> no clock time
today 23:50 -> in the future
tomorrow 10:00 -> in the future
next monday 10:00 -> in the future
2024-06-04 10:30 -> in the future
2031-01-01 10:30 -> in the future
9999-12-31 23:59 -> in the future
June 4 10:30 -> in the future
in 5 minutes -> in the future
<!date^1717510600^x|y> -> in the future
1999-01-01 10:30 -> 5 years back
0001-01-01 00:00 -> 5 years back
1969-12-31 23:59 UTC -> 5 years back
999999h ago -> 5 years back
<!date^0^x|y> -> 5 years back
30 Feb 2024 10:30 -> no day
2024-13-03 10:30 -> no day
31.06.2024 10:30 -> no day
Tue 3 Jun 10:30 -> is a Monday
Tue 3 Jun 2024 10:30 -> is a Monday
15m -> length of time
10:30 IST -> Indian, Irish or Israel
10:30 CST -> US Central
10:30 BST -> British summer
10:30 AST: alarms -> Atlantic or Arabia
10:30 ist: alarms -> Indian
10:30 CET -> on CEST, not CET
10:30 EST -> on EDT, not EST
10:30 Europe/Berln -> Did you mean `Europe/Berlin`
10:30 Asia/Atlantis -> no time zone
10:30 UTC+19 -> no zone
"""

# Lines that merely begin like a time: nothing is taken.
PROSE = """
3 servers down
10 users report errors
10 % of logins fail
100 errors
500 errors on login
5xx rising
1030 requests dropped
10-11 alarms
3/4 of the backends are down
24/7 support is gone
80/20 split on the canary
2 of 4 backends
10.0.0.4 is down
1.2.3 is out
99.95 availability
2024.6 released
15m outage
15 minutes of errors
5 min average is up
2h30 of downtime
10h outage
May deploy broke it
may be the cache
march release
June 3 deploy broke it
Sun exploded
Mon server is out
monday's deploy
monday deploy is bad
yesterday's deploy broke it
yesterday we deployed
today the load doubled
tomorrow's release waits
tonight we roll
now we see errors
now that it is calm
nowhere to go
just now we saw it
noon peak is over
midnight deploy broke it
second replica is lagging
a minute of silence
half of the fleet is gone
an hour lost
in 5 minutes we roll back
last deploy was 10:30
at least 3 nodes down
at 10 nodes it breaks
on call is ana
@channel look
12:34:56:78:9a:bc is the address
10:30% of it
16:9 pictures
443:30 refused
-5 nodes
-15m latency swing
[finding] pool is small
(unclear) 10:30
<@U1> is looking
http://x/10:30
auth1: 87 % of traffic
"""


def rows(table: str) -> list[list[str]]:
    return [line.split(" -> ") for line in table.strip().splitlines()]


@pytest.mark.parametrize(("typed", "meant"), rows(READ))
def test_a_typed_moment_is_read_in_the_zone_of_who_types_it(typed: str, meant: str) -> None:
    assert read_moment(typed, now=NOW, zone=BERLIN) == utc(meant)


@pytest.mark.parametrize(("typed", "meant"), rows(READ))
def test_the_text_after_a_moment_is_kept(typed: str, meant: str) -> None:
    line = f"{typed.rstrip(':')} - alarms on login"
    assert take_moment(line, now=NOW, zone=BERLIN) == (utc(meant), "alarms on login")


@pytest.mark.parametrize(("typed", "why"), rows(REFUSED))
def test_an_unclear_or_impossible_moment_is_refused_with_the_reason(typed: str, why: str) -> None:
    with pytest.raises(Refusal) as refused:
        take_moment(typed, now=NOW, zone=BERLIN)
    assert why in refused.value.sentence


@pytest.mark.parametrize("typed", [typed for typed, why in rows(REFUSED) if "zone" not in why])
def test_what_a_refusal_offers_can_be_typed(typed: str) -> None:
    with pytest.raises(Refusal) as refused:
        take_moment(typed, now=NOW, zone=BERLIN)
    offered = re.findall("`([^`]+)`", refused.value.sentence.split("Write", 1)[-1].split("write", 1)[-1])
    assert (
        len(offered) >= (1 if typed == "24:00" or typed == "~10:30" else 2)
        or "zone" in refused.value.sentence
    )
    for example in offered:
        if "/" in example and " " not in example:
            assert zone_named(example)
        elif not re.fullmatch(r"[+-]\d\d:\d\d", example):
            assert take_moment(example, now=NOW, zone=BERLIN)[0] is not None, example


@pytest.mark.parametrize("typed", PROSE.strip().splitlines())
def test_prose_that_begins_like_a_time_is_left_alone(typed: str) -> None:
    assert take_moment(typed, now=NOW, zone=BERLIN) == (None, typed)


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        ("10:30 alarms", "alarms"),
        ("10:30: alarms", "alarms"),
        ("10:30 - alarms", "alarms"),
        ("10:30 – alarms", "alarms"),
        ("10:30 — alarms", "alarms"),
        ("10:30, alarms", "alarms"),
        ("10:30 | alarms", "alarms"),
        ("10:30 -&gt; alarms", "alarms"),
        ("10:30-alarms", "alarms"),
        ("[10:30] alarms", "alarms"),
        ("10:30\nalarms", "alarms"),
        ("10:30\u202fAM alarms", "alarms"),
        ("10:30 :fire: alarms", ":fire: alarms"),
        ("10:30 -5 nodes", "-5 nodes"),
        ("10:30 +1000 users", "+1000 users"),
        ("10:30 API down", "API down"),
        ("10:30 TCP/IP errors", "TCP/IP errors"),
        ("10:30 ist tot", "ist tot"),
        ("10:30 est tombé", "est tombé"),
        ("10:30 Monday deploy is bad", "Monday deploy is bad"),
        ("10:30 yesterday's deploy is bad", "yesterday's deploy is bad"),
        ("10:30 May deploy is bad", "May deploy is bad"),
        ("10:30 9 nodes down", "9 nodes down"),
        ("10:30 #general told", "#general told"),
    ],
)
def test_only_the_time_and_one_separator_are_taken(line: str, rest: str) -> None:
    assert take_moment(line, now=NOW, zone=BERLIN) == (utc("2024-06-03 08:30"), rest)
