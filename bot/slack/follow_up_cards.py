"""What reminders of follow-ups look like."""

from __future__ import annotations

from datetime import date

from bot.domain import markup
from bot.domain.followup import FollowUp
from bot.domain.incident import Incident
from bot.domain.reminder import how_late
from bot.slack.blocks import Block, actions, button, context, cut, section
from bot.usecases.reminders import Digest, DigestLine, Due

#: Characters of a section, below Slack's 3,000.
_LONGEST = 2900


def reminder(due: Due) -> tuple[str, list[Block]]:
    """A follow-up in a direct message to whoever has it."""
    one, about = due.follow_up, due.incident
    assert one.due_on is not None
    when = how_late(one.due_on, due.today)
    if not due.is_seen:
        text = (
            f":spiral_note_pad: A follow-up of a private incident is yours and {when}. You are not in its channel: "
            f"ask <@{one.created_by}> what it is."
        )
        return text, [section(text)]
    if due.to.id != one.owner:
        lead = f"<@{one.owner}> has left, and this follow-up you noted is {when}. Give it to somebody: "
        lead += f"`/incident follow-up {one.number} @ana by friday` in {_where(about)}."
    else:
        lead = f"A follow-up of yours is {when}."
    text = f":spiral_note_pad: {lead}\n{_line(one, about)}"
    value = f"{about.id}:{one.number}"
    buttons = [
        button("Done", "follow_up_done", value, style="primary"),
        button("Remind me in a week", "follow_up_snooze", value),
        button("Drop it", "follow_up_drop", value, confirm="It stays on the record as dropped."),
    ]
    if due.tracker and not one.tracker_key and not about.is_private:
        buttons.append(button(f"Send to {due.tracker}", "follow_up_send", value))
    return text, [section(cut(text, _LONGEST)), actions(*buttons)]


def digest(found: Digest) -> tuple[str, list[Block]]:
    """The weekly list, a section for each team."""
    head = ":spiral_note_pad: *What is left of past incidents*"
    blocks: list[Block] = [section(head)]
    for team, lines in sorted(found.by_team.items(), key=lambda pair: (not pair[0], pair[0])):
        title = f"*{markup.escape(team)}*" if team else "*Of no service*"
        told = [_digest_line(line, found.today) for line in lines]
        blocks.append(section(cut("\n".join([title, *told]), _LONGEST)))
    blocks = blocks[:49]
    blocks.append(context("`/incident follow-up done 1` in an incident's channel takes one off this list."))
    count = sum(map(len, found.by_team.values()))
    return f"{head}: {count} follow-up{'' if count == 1 else 's'}", blocks


def _digest_line(line: DigestLine, today: date) -> str:
    one = line.follow_up
    whose = f"<@{one.owner}>" if one.owner else "nobody has it"
    when = how_late(one.due_on, today) if one.due_on else "no date"
    return f"• {_line(one, line.incident)} ({whose}, {when})"


def _line(one: FollowUp, about: Incident) -> str:
    link = f" <{one.link}|{markup.escape(one.tracker_key or 'link')}>" if one.link else ""
    return f"*{about.slug}*, follow-up {one.number}: {markup.to_mrkdwn_safe(one.text)}{link}"


def _where(about: Incident) -> str:
    return f"<#{about.channel_id}>" if about.channel_id else about.slug
