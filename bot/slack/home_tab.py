"""What a person's Home tab looks like: a view of at most 100 blocks (Slack's limit for one)."""

from __future__ import annotations

from bot.domain import markup
from bot.domain.incident import Incident
from bot.domain.reminder import how_late
from bot.slack import cards
from bot.slack.blocks import Block, actions, button, context, cut, divider, header, link_button, section
from bot.usecases.home import OPEN_SHOWN, Home, Owed

#: Characters of a section, below Slack's 3,000.
_LONGEST = 2900


def view(home: Home) -> Block:
    """The view to publish."""
    buttons = [button("Open an incident", "incident_open", "home", style="primary")]
    if home.console:
        buttons.append(link_button("Open the console", "console_open", home.console))
    return {
        "type": "home",
        "blocks": [
            actions(*buttons),
            *_open_now(home),
            *_owed(home),
            *_closed(home),
            divider(),
            context(
                f"Drawn {markup.dated(home.now)}, and again whenever you open this tab. `/incident help` lists "
                "what can be typed."
            ),
        ],
    }


def _open_now(home: Home) -> list[Block]:
    blocks: list[Block] = [header("Open incidents")]
    if not home.open:
        return [*blocks, section("Nothing is open that you can see.")]
    blocks += [section(cut(cards.list_line(one), _LONGEST)) for one in home.open[:OPEN_SHOWN]]
    if len(home.open) > OPEN_SHOWN:
        blocks.append(context("There are more: `/incident list` shows them."))
    return blocks


def _owed(home: Home) -> list[Block]:
    blocks: list[Block] = [header("Your follow-ups")]
    if not home.owed:
        return [*blocks, section("You have none to do.")]
    for one in home.owed:
        value = f"{one.incident.id}:{one.follow_up.number}"
        blocks += [
            section(cut(_owed_line(home, one), _LONGEST)),
            actions(
                button("Done", "follow_up_done", value),
                button("Remind me in a week", "follow_up_snooze", value),
            ),
        ]
    left = home.owed_in_all - len(home.owed)
    if left:
        blocks.append(context(f"And {left} more, due later. They come up as these are done."))
    return blocks


def _owed_line(home: Home, owed: Owed) -> str:
    one, about = owed.follow_up, owed.incident
    where = f"<#{about.channel_id}>" if about.channel_id else about.slug
    when = f"*{how_late(one.due_on, home.today)}* ({one.due_on})" if one.due_on else "no day yet"
    asleep = one.snoozed_until is not None and one.snoozed_until > home.today
    when += f", no reminder before {one.snoozed_until}" if asleep else ""
    link = f" <{one.link}|link>" if one.link else ""
    text = markup.to_mrkdwn_safe(one.text)
    return f"{text}{link}\n{when} · {about.slug}, follow-up {one.number} · {where}"


def _closed(home: Home) -> list[Block]:
    if not home.closed:
        return []
    lines = "\n".join(_closed_line(one) for one in home.closed)
    return [header("Closed lately"), section(cut(lines, _LONGEST))]


def _closed_line(about: Incident) -> str:
    draft = f" · <{about.draft_permalink}|postmortem>" if about.draft_permalink else ""
    return f"{cards.list_line(about)}{draft}"
