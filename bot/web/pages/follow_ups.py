"""Follow-ups: noted, given an owner, a day and a link, sent to the tracker, marked done, dropped or open again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from starlette.responses import Response

from bot.domain.followup import FollowUp, FollowUpState
from bot.domain.incident import Incident
from bot.domain.refusals import NotThere, Refusal
from bot.store.db import NotSaved
from bot.usecases import followup, record, sight, tracking
from bot.usecases.desk import Done
from bot.usecases.postmortem import facts_of
from bot.web.answers import elsewhere
from bot.web.shown import Look
from bot.web.site import Address, Site
from bot.web.visit import Visit


def show_new(site: Site, visit: Visit) -> Response:
    """The form of a new follow-up. Raises NotThere."""
    return _new(site, visit)


def add(site: Site, visit: Visit) -> Response:
    """Note one; what the text says of owner and day counts where their fields are empty. Raises NotThere."""
    about = _about(site, visit)
    text, by = " ".join(visit.form.get("text", "").split()), visit.who.id
    try:
        lines = followup.wanted_lines(site.desk, text, by=by)
        if not lines:
            raise Refusal(
                "Say what is to be done. For example `review the balancer's weights @ana by friday`",
                field="text",
            )
        owner, due_on = _owner(site, visit), _day(visit)
        done = followup.add_follow_up(
            site.desk,
            about.id,
            lines[0].text,
            owner=owner or lines[0].owner,
            due_on=due_on or lines[0].due_on,
            by=by,
            origin=visit.origin(text, visit.form.get("owner", ""), visit.form.get("due", "")),
        )
    except NotThere:
        raise
    except Refusal as refusal:
        return _new(site, visit, refusal)
    return _back(about, "noted", done.entry or 0)


def _new(site: Site, visit: Visit, wrong: Refusal | None = None) -> Response:
    about = _about(site, visit)
    typed = {name: visit.form.get(name, "") for name in ("text", "owner", "due")}
    return _drawn(site, visit, about, None, typed, wrong)


def show(site: Site, visit: Visit) -> Response:
    """One follow-up with the forms that change it. Raises NotThere."""
    return _one(site, visit)


def _one(site: Site, visit: Visit, wrong: Refusal | None = None) -> Response:
    about, found = _found(site, visit)
    people = record.names_of(site.desk, found.owner or "")
    typed = {
        "owner": people[found.owner].name if found.owner in people else found.owner or "",
        "due": found.due_on.isoformat() if found.due_on else "",
        "link": found.link or "",
        **{name: visit.form[name] for name in ("owner", "due", "link") if name in visit.form},
    }
    return _drawn(site, visit, about, found, typed, wrong)


def _drawn(
    site: Site,
    visit: Visit,
    about: Incident,
    found: FollowUp | None,
    typed: dict[str, str],
    wrong: Refusal | None,
) -> Response:
    known = facts_of(site.desk, about.id, by=visit.who.id)
    look = Look(site.desk.clock(), site.look(visit).zone, known.people, known.channels)
    status = 200 if wrong is None else 503 if isinstance(wrong, NotSaved) else 422
    return site.paper(
        visit,
        "follow_up.html.j2",
        status,
        about=about,
        found=found,
        tracker=site.desk.tracker,
        settled_by=_settled_by(site, found),
        look=look,
        names=sorted({one.name for one in known.people.values() if not one.is_bot}),
        typed=typed,
        wrong=wrong.sentence if wrong is not None else "",
        field=wrong.field if wrong is not None else "",
    )


def _settled_by(site: Site, found: FollowUp | None) -> str:
    """The tracker's name where the tracker did it, else the person's."""
    whose = found.settled_by if found is not None else None
    tracker = site.desk.tracker
    if whose and found is not None and whose == (found.tracker or "").partition(":")[0]:
        return tracker.name if tracker is not None and tracker.place.startswith(f"{whose}:") else whose
    someone = record.names_of(site.desk, whose or "").get(whose or "")
    return someone.name if someone is not None else whose or ""


def assign(site: Site, visit: Visit) -> Response:
    """Give it an owner, a day, or both. Raises NotThere."""
    about, found = _found(site, visit)

    def act(origin: str) -> Done:
        now = record.names_of(site.desk, found.owner or "").get(found.owner or "")
        typed = visit.form.get("owner", "").strip()
        is_same = now is not None and typed.lstrip("@").lower() == now.name.lower()
        owner, due_on = None if is_same else _owner(site, visit), _day(visit)
        if found.owner and not typed:
            raise Refusal(
                "It has an owner until somebody else takes it. Name them, for example `ana`.", field="owner"
            )
        if found.due_on and due_on is None:
            raise Refusal("It has a day. Give it another one, for example `2024-06-14`.", field="due")
        return followup.assign_follow_up(
            site.desk, about.id, found.number, owner=owner, due_on=due_on, by=visit.who.id, origin=origin
        )

    return _changed(site, visit, about, "given", act)


def link(site: Site, visit: Visit) -> Response:
    """Say where else the same work stands. Raises NotThere."""
    about, found = _found(site, visit)
    address = visit.form.get("link", "").strip()

    def act(origin: str) -> Done:
        try:
            return followup.link_follow_up(
                site.desk, about.id, found.number, address, by=visit.who.id, origin=origin
            )
        except NotSaved:
            raise
        except Refusal as refusal:
            raise Refusal(refusal.sentence, field="link") from None

    return _changed(site, visit, about, "given", act)


def send(site: Site, visit: Visit) -> Response:
    """Have it become an issue of the tracker. Raises NotThere."""
    about, found = _found(site, visit)
    return _changed(
        site,
        visit,
        about,
        "sent",
        lambda origin: tracking.send_follow_up(
            site.desk, about.id, found.number, by=visit.who.id, origin=origin
        ),
    )


def set_state(site: Site, visit: Visit) -> Response:
    """Mark it done, dropped, or open again. Raises NotThere."""
    about, found = _found(site, visit)
    wanted = visit.form.get("state", "")

    def act(origin: str) -> Done:
        if wanted not in {one.value for one in FollowUpState}:
            raise Refusal("A follow-up is open, done or dropped: press one of the buttons.")
        return followup.set_follow_up_state(
            site.desk, about.id, found.number, FollowUpState(wanted), by=visit.who.id, origin=origin
        )

    return _changed(site, visit, about, wanted, act)


def _changed(site: Site, visit: Visit, about: Incident, word: str, act: Callable[[str], Done]) -> Response:
    fields = (visit.form.get(name, "") for name in ("owner", "due", "link", "state"))
    try:
        act(visit.origin(*fields))
    except NotThere:
        raise
    except Refusal as refusal:
        return _one(site, visit, refusal)
    return _back(about, word, visit.number("owed"))


def _about(site: Site, visit: Visit) -> Incident:
    return sight.incident_by_number(site.desk, visit.number("number"), by=visit.who.id)


def _found(site: Site, visit: Visit) -> tuple[Incident, FollowUp]:
    about, number = _about(site, visit), visit.number("owed")
    for one in followup.list_follow_ups(site.desk, about.id, by=visit.who.id):
        if one.number == number:
            return about, one
    raise NotThere(f"There is no follow-up {number} in {about.slug}.")


def _owner(site: Site, visit: Visit) -> str | None:
    """Slack id of whom the form names. Raises Refusal when nobody, or more than one, has that name."""
    typed = " ".join(visit.form.get("owner", "").split()).lstrip("@")
    if not typed:
        return None
    ids = record.people_named(site.desk, typed)
    if len(ids) != 1:
        why = "Lantern has met nobody" if not ids else "Several people are there"
        raise Refusal(
            f"{why} of that name. Write it as Slack shows it, for example ana, or name them in Slack: "
            "`/incident follow-up 1 @ana by friday`.",
            field="owner",
        )
    return ids[0]


def _day(visit: Visit) -> date | None:
    typed = visit.form.get("due", "").strip()
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        raise Refusal("Write a day such as `2024-06-14`.", field="due") from None


def _back(about: Incident, word: str, number: int) -> Response:
    return elsewhere(f"/incidents/{about.number}?did={word}-{number}#follow-ups")


_BASE = "/incidents/{number:int}/follow-ups"
ADDRESSES = (
    Address(f"{_BASE}/new", show_new),
    Address(f"{_BASE}/new", add, "POST"),
    Address(f"{_BASE}/{{owed:int}}", show),
    Address(f"{_BASE}/{{owed:int}}", assign, "POST"),
    Address(f"{_BASE}/{{owed:int}}/link", link, "POST"),
    Address(f"{_BASE}/{{owed:int}}/state", set_state, "POST"),
    Address(f"{_BASE}/{{owed:int}}/send", send, "POST"),
)
