"""What Lantern's messages look like. Each gives (text, blocks): text is the notification and the fallback.

Names are written as names, not as mentions: a card that is drawn ten times must not ping anybody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bot.domain import markup
from bot.domain.incident import Incident, Severity, Status
from bot.domain.people import Role
from bot.domain.postmortem import Update
from bot.domain.reading import Reading, compared
from bot.domain.refusals import Refusal
from bot.domain.runbook import Outcome, Run, Runbook, RunStep, Step
from bot.domain.timeline import Entry, Kind
from bot.domain.variables import of_incident, of_service
from bot.mrkdwn import to_mrkdwn
from bot.runbooks.filling import commands_for, field_for, fill
from bot.slack.blocks import Block, actions, button, context, cut, fields, header, section, select
from bot.usecases.deliveries import Card

SEVERITY_MARK = {
    Severity.SEV1: ":red_circle:",
    Severity.SEV2: ":large_orange_circle:",
    Severity.SEV3: ":large_yellow_circle:",
    Severity.SEV4: ":white_circle:",
}

KIND_MARK = {
    Kind.IMPACT: ":boom:",
    Kind.DETECTION: ":rotating_light:",
    Kind.ESCALATION: ":telephone_receiver:",
    Kind.HYPOTHESIS: ":thought_balloon:",
    Kind.FINDING: ":mag:",
    Kind.DECISION: ":scales:",
    Kind.ACTION: ":hammer_and_wrench:",
    Kind.DEAD_END: ":no_entry:",
    Kind.MITIGATION: ":adhesive_bandage:",
    Kind.RESOLUTION: ":white_check_mark:",
    Kind.COMMS: ":mega:",
    Kind.RUNBOOK: ":book:",
    Kind.NOTE: ":pencil2:",
}

OUTCOME_MARK = {
    Outcome.DONE: ":white_check_mark:",
    Outcome.SKIPPED: ":fast_forward:",
    Outcome.FAILED: ":x:",
}

#: Characters of a message's sections: Slack refuses blocks of some 11,000 in all (bolt-js #2867).
_ROOM = 9000
#: Characters of one section, with some to spare.
_SECTION_ROOM = 2800

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|([^>]*))?>")


def _title(about: Incident) -> str:
    return markup.to_plain(about.title, {}, {})


def _safe_title(about: Incident) -> str:
    return markup.to_mrkdwn_safe(_without_pings(about.title, {}))


def card_text(card: Card) -> str:
    about = card.incident
    return f"{about.slug} {about.severity.value} {about.status.value}: {_safe_title(about)}"


def topic(card: Card) -> str:
    """At most 250 characters (Slack's limit); a topic shows no formatting."""
    about = card.incident
    commander = card.roles.get(Role.COMMANDER)
    who = f" | commander: {commander.name}" if commander is not None else ""
    start = f"{'DRILL ' if about.is_drill else ''}{about.severity.value} {about.status.value}{who} | "
    return (start + _title(about))[:250]


def header_card(card: Card) -> list[Block]:
    """The card at the top of the channel: facts, and buttons for the commonest deeds."""
    about = card.incident
    flags = [
        text for text, is_so in (("*DRILL*", about.is_drill), (":lock: private", about.is_private)) if is_so
    ]
    roles = "\n".join(
        f"{role.value}: {markup.escape(person.name)}" for role, person in sorted(card.roles.items())
    )
    pairs = [
        ("Severity", f"{SEVERITY_MARK[about.severity]} {about.severity.value}"),
        ("Status", about.status.value),
        ("People", roles or "no roles yet"),
        ("Opened", markup.dated(about.opened_at)),
    ]
    if about.service:
        owner = f" (owner {markup.escape(card.owner)})" if card.owner else ""
        pairs.append(("Service", markup.escape(about.service) + owner))
    if about.closed_at is not None and about.status.is_over:
        pairs.append(("Ended", markup.dated(about.closed_at)))
    blocks: list[Block] = [header(f"{about.slug} {_title(about)}"), fields(pairs)]
    known = [
        (label, _without_pings(text, {}))
        for label, text in (("Impact", about.impact), ("Root cause", about.cause), ("Resolution", about.fix))
        if text
    ]
    blocks += [section(f"*{label}:* {cut(markup.to_mrkdwn_safe(text), 2500)}") for label, text in known]
    if card.page:
        flags.append(f"<{card.page}|In the console>")
    if flags:
        blocks.append(context(" · ".join(flags)))
    blocks.append(_header_buttons(about, has_balancer=card.has_balancer))
    if not about.status.is_over:
        blocks.append(
            context(
                "`/log what happened` adds to the timeline, so does :pushpin: on any message. `/incident help`"
            )
        )
    return blocks


def _header_buttons(about: Incident, *, has_balancer: bool) -> Block:
    value = str(about.id)
    if about.status.is_over:
        return actions(
            button("Postmortem", "postmortem_show", value, style="primary"),
            button("Reopen", "incident_reopen", value, confirm="The incident is opened again."),
        )
    statuses = [
        (status.value.capitalize(), f"{about.id}:{status.value}") for status in Status if not status.is_over
    ]
    severities = [(severity.value, f"{about.id}:{severity.value}") for severity in Severity]
    check = [button("Check balancer", "balancer_check", value)] if has_balancer else []
    return actions(
        button("Add to timeline", "entry_new", value, style="primary"),
        *check,
        button("Runbook", "runbook_suggest", value),
        button("Post update", "update_new", value),
        select("Status", "incident_status", statuses, initial=f"{about.id}:{about.status.value}"),
        select("Severity", "incident_severity", severities, initial=f"{about.id}:{about.severity.value}"),
        button("Take command", "incident_command", value),
        button("Close", "incident_close", value, style="danger"),
    )


def announcement(card: Card) -> tuple[str, list[Block]]:
    about = card.incident
    who = card.roles.get(Role.COMMANDER)
    text = (
        f"{SEVERITY_MARK[about.severity]} *{about.severity.value}* <#{about.channel_id}> "
        f"{_safe_title(about)} is *{about.status.value}*"
    )
    small = f"{about.slug} · opened {markup.dated(about.opened_at)}"
    small += f" · commander: {markup.escape(who.name)}" if who is not None else ""
    small += f" · service: {markup.escape(about.service)}" if about.service else ""
    small += f" (owner {markup.escape(card.owner)})" if card.owner else ""
    return text, [section(text), context(small)]


def owner_called(about: Incident, service: str, ids: Sequence[str]) -> tuple[str, list[Block]]:
    """The only message of Lantern's that mentions a group: it is posted once and never drawn again."""
    mentions = " ".join(f"<!subteam^{one}>" if one.startswith("S") else f"<@{one}>" for one in ids)
    where = f"<#{about.channel_id}>" if about.channel_id else about.slug
    text = f"{mentions}: *{markup.escape(service)}* is yours and has an incident ({about.severity.value}): {where}"
    return text, [section(text)]


def _without_pings(text: str, names: Mapping[str, str]) -> str:
    """The text with people by name: whoever is mentioned was pinged when it was typed, or did not wish to be."""
    return _MENTION.sub(lambda found: f"@{markup.escape(names.get(found[1], found[2] or found[1]))}", text)


def entry_line(entry: Entry, names: Mapping[str, str]) -> str:
    """One entry as one line of the channel."""
    who = markup.escape(names.get(entry.author, entry.author))
    text = markup.to_mrkdwn_safe(_without_pings(entry.text, names))
    if entry.undone_at is not None:
        undoer = markup.escape(names.get(entry.undone_by or "", entry.undone_by or ""))
        return f"~*#{entry.number}* {' '.join(text.split())}~ _undone by {undoer}_"
    files = "".join(
        f" <{image.permalink}|{markup.escape(image.name)}>" for image in entry.images if image.permalink
    )
    edited = " _(edited)_" if entry.edits else ""
    when = markup.dated(entry.happened_at)
    return f"{KIND_MARK[entry.kind]} *#{entry.number}* {when} *{entry.kind.value}* ({who}): {text}{files}{edited}"


def entry_lines(entries: Sequence[Entry], names: Mapping[str, str]) -> tuple[str, list[Block]]:
    lines = [entry_line(entry, names) for entry in entries]
    # Entries grow when they are edited, and all of them must still fit into one message.
    longest = _ROOM // len(lines) if sum(map(len, lines)) > _ROOM else _ROOM
    return cut("\n".join(lines), 3900), [section(cut(line, longest)) for line in lines]


def update(about: Incident, told: Update, who: str) -> tuple[str, list[Block]]:
    text = f":mega: *Update on {about.slug}* ({about.severity.value}, {about.status.value})\n"
    text += markup.to_mrkdwn_safe(told.text)
    small = f"{markup.escape(who)} · {markup.dated(told.sent_at)}"
    return text, [section(text), context(small)]


def runbook_card(run: Run, runbook: Runbook, who: str) -> tuple[str, list[Block]]:
    title = markup.escape(runbook.title)
    text = f":book: Runbook *{title}* ({run.steps_total} steps), started by {markup.escape(who)}"
    blocks: list[Block] = [section(text), section(to_mrkdwn(runbook.summary))]
    if runbook.symptoms:
        symptoms = "\n".join(f"• {to_mrkdwn(line)}" for line in runbook.symptoms[:8])
        blocks.append(section(f"*Symptoms*\n{symptoms}"))
    small = [f"`{runbook.id}` {run.source}"]
    small += [f"owner: {markup.escape(runbook.owner)}"] if runbook.owner else []
    small += [f"escalate to: {markup.escape(runbook.escalate_to)}"] if runbook.escalate_to else []
    blocks.append(context(" · ".join(small)))
    return text, blocks


def _values(card: Card) -> dict[str, str]:
    """What a runbook may say of its incident and of the service, but for what must not go into a command."""
    commander = card.roles.get(Role.COMMANDER)
    values = of_service(card.service) if card.service is not None else {}
    return values | of_incident(card.incident, commander.name if commander is not None else "")


def _filled(text: str, runbook: Runbook, values: Mapping[str, str]) -> str:
    """The text with its variables; as it stands in the file when a value may not go into a command."""
    try:
        return fill(text, runbook, values)
    except Refusal:
        return text


def _step_body(card: Card, runbook: Runbook, step: Step) -> list[Block]:
    values = _values(card)
    kind = values.get("balancer", "")
    blocks: list[Block] = []
    prose = to_mrkdwn(_filled(step.prose, runbook, values))
    if prose.strip():
        blocks.append(section(prose))
    told = [
        f"*{label}:* {to_mrkdwn(_filled(field_for(value, kind), runbook, values))}"
        for label, value in step.fields
    ]
    room = _ROOM - len(prose) - len("\n".join(told))
    commands, others = commands_for(step, kind)
    left = len(commands)
    for command in commands:
        text = markup.escape(_filled(command.text, runbook, values)).replace("```", "'''")
        label = f"*{markup.escape(command.balancer)}*\n" if command.balancer else ""
        block = section(f"{label}```{cut(text.strip(), 2800)}```")
        room -= len(block["text"]["text"])
        if room < 0:
            break
        blocks.append(block)
        left -= 1
    if left:
        blocks.append(context(f"{left} more commands of this step do not fit here: see the runbook's file."))
    if others:
        small = (
            f"The balancer is {markup.escape(kind)}; the runbook has commands for {', '.join(others)} too."
        )
        blocks.append(context(small))
    return blocks + [section(text) for text in _packed(told)]


def _packed(told: Sequence[str]) -> list[str]:
    """The fields in as few sections as hold them, none cut in two: half a command is worse than none."""
    packed: list[str] = []
    for text in told:
        if packed and len(packed[-1]) + len(text) < _SECTION_ROOM:
            packed[-1] += f"\n{text}"
        else:
            packed.append(text)
    return packed


def step_card(
    card: Card, run: Run, runbook: Runbook, position: int, marked: RunStep | None, who: str
) -> tuple[str, list[Block]]:
    """A step: what to do, the commands, and the buttons; or what came of it once that is known."""
    step = runbook.steps[position]
    title = markup.escape(step.title)
    text = f"*{step.phase.value}, step {position + 1} of {run.steps_total}: {title}*"
    if marked is not None:
        note = f" {markup.to_mrkdwn_safe(marked.note)}" if marked.note else ""
        outcome = f"{OUTCOME_MARK[marked.outcome]} {marked.outcome.value} by {markup.escape(who)}"
        outcome += f", {markup.dated(marked.at)}.{note}"
        return f"{text} {outcome}", [section(f"{text}\n{outcome}", block_id=f"step-{run.id}-{position}-over")]
    value = f"{run.id}:{position}"
    read = [button("Read the balancer", "step_check", value)] if step.check and card.has_balancer else []
    buttons = actions(
        *read,
        button("Done", "step_done", value, style="primary"),
        button("Skip", "step_skipped", value),
        button("Failed", "step_failed", value, style="danger"),
        button("Note", "step_note", value),
        block_id=f"step-{run.id}-{position}",
    )
    return text, [section(text), *_step_body(card, runbook, step), buttons]


def reading_card(
    about: Incident, reading: Reading, former: Reading | None, shown: str, *, has_runbook: bool
) -> tuple[str, list[Block]]:
    """What a look at the balancer came to, and what can be done about it. `shown` is the picture in letters."""
    mark = ":rotating_light:" if reading.is_bad else ":scales:" if reading.is_judged else ":grey_question:"
    where = f"{markup.escape(reading.kind)} {markup.escape(reading.backend)}"
    text = f"{mark} *Balancer check* ({where}): {markup.escape(reading.sentence)}"
    blocks: list[Block] = [section(cut(text, 2900))]
    if former is not None and (change := compared(former, reading)):
        blocks.append(
            section(f"*Since the check at {markup.dated(former.taken_at)}:* {markup.escape(change)}")
        )
    if shown:
        blocks.append(section(f"```{cut(markup.escape(shown).replace('```', chr(39) * 3), 2800)}```"))
    again = button("Check again", "balancer_check", str(about.id))
    if has_runbook:
        start = button(
            f"Pull {reading.runbook_id}"[:75],
            "runbook_start",
            f"{about.id}:{reading.runbook_id}",
            style="primary",
        )
        blocks.append(actions(start, again))
    else:
        blocks.append(actions(again))
    return text, blocks


def draft_summary(
    about: Incident, number: int, said: str, permalink: str, page: str = ""
) -> tuple[str, list[Block]]:
    """The draft in a few lines, with its link. `said` is plain text, `page` its web address in the console."""
    link = f"<{permalink}|Open the draft>" if permalink else "The draft is the file above"
    link += f" · <{page}|Edit it in the console>" if page else ""
    text = f":memo: *Postmortem draft of {about.slug}*, revision {number}. {link}"
    value = str(about.id)
    return f"{text}\n{cut(markup.escape(said), 3000)}", [
        section(text),
        section(markup.escape(said)),
        actions(
            button("Compile again", "postmortem_compile", value),
            button(
                "Archive channel",
                "incident_archive",
                value,
                confirm="Archiving puts the bot out of the channel. Lantern keeps the timeline and the draft.",
            ),
        ),
        context(
            "Something missing? `/log`, `/incident impact`, `/incident follow-up` still work; then compile again."
        ),
    ]


def published(about: Incident, number: int, permalink: str) -> str:
    """One line about a published postmortem, Slack mrkdwn."""
    link = f" <{permalink}|Read it>" if permalink else ""
    return f":books: *The postmortem of {about.slug} is published* (revision {number}): {_safe_title(about)}.{link}"


def list_line(about: Incident) -> str:
    """One incident as one line of a list."""
    where = f"<#{about.channel_id}>" if about.channel_id else about.slug
    flags = " (drill)" if about.is_drill else ""
    flags += " :lock:" if about.is_private else ""
    return (
        f"{SEVERITY_MARK[about.severity]} *{about.slug}* {about.severity.value} {about.status.value} "
        f"{where}{flags}: {_safe_title(about)}, opened {markup.dated(about.opened_at)}"
    )
