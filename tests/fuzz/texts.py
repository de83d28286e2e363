"""Strategies of what people type: every kind of character, Slack's own tokens, moments, and far too much of it."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.bad_input import COLUMNS, TEXTS

#: What Slack, Markdown, templates and our own grammar read in a text.
TOKENS = [
    *("<@U0ANA00000>", "<@U0BEN00000|ben>", "<@U0NOBODY00>", "<@W1|<b>>", "<#C0GENERAL0|general>", "<#C1>"),
    *("<!channel>", "<!here|here>", "<!everyone>", "<!subteam^S1|@sre>", "<!date^1717410600^{date}|x>", "<!"),
    *(
        "<https://a.example/x?y=1&z|text>",
        "<mailto:a@b.example|a@b.example>",
        "https://a.example/|x",
        "<",
        ">",
    ),
    *(
        "&amp;",
        "&lt;!here&gt;",
        "&",
        "{{ 7*7 }}",
        "{% raw %}",
        "{number}",
        "```",
        "`",
        "*",
        "_",
        "~",
        "|",
        "\\",
    ),
    *(
        ":fire:",
        ":x:",
        ":",
        "::",
        "\n",
        "\r\n",
        "\t",
        " ",
        "  ",
        "\u00a0",
        "\u2028",
        "\u202e",
        "\u200b",
        "\x00",
        "\x1b[31m",
    ),
    *(
        "\ud800",
        "\udfff",
        "\U0001f525",
        "\u0130",
        "\u212a",
        "\ufb01",
        "\u0345",
        "\u3164",
        "\u05e9\u05dc\u05d5\u05dd",
        "e\u0301",
    ),
    *(
        "10:30",
        "25:00",
        "10.30",
        "1030",
        "noon",
        "midnight",
        "now",
        "15m ago",
        "an hour ago",
        "-5m",
        "1h30 ago",
        "half",
    ),
    *(
        "yesterday 22:10 UTC",
        "yesterday",
        "2024-06-03 10:30",
        "2024-06-03T10:30:00Z",
        "3/4",
        "3 June",
        "monday",
        "UTC",
    ),
    *(
        "Europe/Berlin",
        "CEST",
        "+05:30",
        "10:30-10:45",
        "in 5 minutes",
        "02:30 Europe/Berlin",
        "0001-01-01 00:00",
        "ago",
    ),
    *(
        "detection:",
        "[impact]",
        "finding -",
        "Detecton:",
        "dead end:",
        "note: ",
        "action",
        "runbook",
        "impact began",
    ),
    *(
        "by friday",
        "by 2026-12-01",
        "by",
        "sev1",
        "SEV9",
        "#2",
        "2",
        "0",
        "-1",
        "99999",
        "\u00b2",
        "\u0663",
        "9" * 30,
    ),
    *(
        "inc-0001",
        "lb-uneven-traffic",
        "me",
        "commander",
        "comms lead",
        "private",
        "drill",
        "went-well",
        "done",
        "drop",
    ),
    *(
        "# Heading",
        "- [ ] x",
        "1. x",
        "| a | b |",
        "![x](http://a.example/x.png)",
        "[x](javascript:alert(1))",
        "---",
    ),
]
_PIECE = st.sampled_from(TOKENS) | st.text(st.characters(), max_size=12)
#: What has broken something somewhere before, in this program or another: drawn often.
_HARD = st.sampled_from(
    [
        *["x\ud800", "x\x00"] * 4,
        *(
            "\ud800",
            "x\udfff y",
            "\x00",
            "a\x00b",
            "<!channel>",
            "&lt;!channel&gt; <!here",
            "\u202eabc",
            "```",
            "{{ 7*7 }}",
        ),
        *(
            "&" * 3001,
            "<" * 1500,
            "\U0001f525" * 1501,
            "\n" * 3000,
            "`" * 2999,
            "'\"\\" * 700,
            " ",
            "\u200b",
            "\u3164",
        ),
    ]
)
#: A text of any sort, of a length that people type.
SHORT = st.one_of(
    st.sampled_from([one for one in TEXTS.values() if len(one) <= 3001]),
    _HARD,
    st.text(st.characters(), max_size=40),
    st.lists(_PIECE, max_size=8).map("".join),
    st.lists(_PIECE, max_size=8).map(" ".join),
)
#: Few characters many times, up to and past every limit of Slack's and of ours.
_LONG = st.builds(
    lambda piece, size, last: (piece * (size // max(1, len(piece)) + 1))[:size] + last,
    _PIECE.filter(bool),
    st.sampled_from([74, 76, 130, 131, 149, 151, 1000, 2000, 2999, 3000, 3001, 3900, 4001, 12_001, 40_000]),
    st.sampled_from(["", "<!channel>", "&", "x"]),
)
TEXT = st.one_of(SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, _LONG)

#: A slash command and what follows it: Lantern's own words with any text where a text belongs.
_TYPED = st.one_of(
    st.builds(lambda template, text: template.replace("{}", text), st.sampled_from(sorted(COLUMNS)), TEXT),
    st.builds(lambda template, text: template.replace("{}", text), st.sampled_from(sorted(COLUMNS)), TEXT),
    st.builds(
        "/log {} {}".format, st.sampled_from(["now", "10:30", "15m ago", "edit 2", "edit 3", "impact:"]), TEXT
    ),
    st.sampled_from(
        [
            *(
                "/incident close",
                "/incident reopen",
                "/incident cancel",
                "/incident archive",
                "/incident update",
            ),
            *("/incident", "/log", "/log edit 2", "/log undo", "/log undo 2", "/log list", "/incident list"),
            *(
                "/runbook",
                "/runbook list",
                "/postmortem",
                "/postmortem compile",
                "/incident info",
                "/incident help",
            ),
            *(
                "/incident status monitoring",
                "/incident severity sev1",
                "/incident role scribe me",
                "/runbook suggest",
            ),
        ]
    ),
    st.builds(
        "{} {}".format,
        st.sampled_from(["/incident", "/log", "/runbook", "/postmortem", "/", "/reboot"]),
        TEXT,
    ),
)
#: The command and its text.
COMMAND_LINE = _TYPED.map(lambda line: (line.partition(" ")[0], line.partition(" ")[2]))
