"""Whose a service is, and telling them once that it has an incident."""

from __future__ import annotations

import re

from bot.domain.catalogue import Service
from bot.domain.incident import Incident
from bot.domain.notices import OwnerDue
from bot.store import inbox
from bot.store import incident as incidents
from bot.store.db import Session
from bot.usecases.desk import Desk

#: Ids that Slack turns into a mention; a handle in a message of a bot stays a word.
_ID = re.compile(r"[SUW][A-Z0-9]{4,30}")


def service_of(desk: Desk, about: Incident) -> Service | None:
    """The incident's service as the catalogue has it now."""
    return desk.services().get(about.service or "")


def is_id(word: str) -> bool:
    """True for the id of a user group or a person, which means nothing to whoever reads it."""
    return _ID.fullmatch(word) is not None


def called(desk: Desk, service: str) -> list[str]:
    """Ids of the groups and people to mention for a service."""
    known = desk.services().get(service)
    if known is None:
        return []
    return list(dict.fromkeys(one for one in (*known.groups, known.owner) if is_id(one)))


def call_owner(desk: Desk, session: Session, about: Incident) -> None:
    """Have the owner of the incident's service told, once, when it has been announced.

    Private incidents and drills are announced nowhere, so nobody is called to them.
    """
    if not about.service or not called(desk, about.service):
        return
    if incidents.slack_marks(session, about.id)["announced_ts"] is None:
        return
    if inbox.arrive(session, f"owner:{about.id}:{about.service}", desk.now_for_outbox()):
        desk.tell(session, OwnerDue(about.id, about.service))
