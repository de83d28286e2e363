"""People and channels as the database had them, so that not every command asks for them again."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from bot.domain.incident import Incident
from bot.domain.people import Person

#: Seconds. Another replica may have heard of a new name or zone meanwhile.
_FRESH_FOR = 10.0
#: People, and channels. Beyond that everything is forgotten and read again.
_MOST = 10_000


@dataclass(frozen=True)
class Met:
    """Only what was read from the database or committed to it is kept here. Threads may share it."""

    _kept: dict[str, tuple[float, Person]] = field(default_factory=dict)
    _open_channels: dict[str, int] = field(default_factory=dict)

    def keep(self, someone: Person) -> None:
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[someone.id] = (time.monotonic(), someone)

    def fresh(self, person_id: str) -> Person | None:
        """The person, when they were read a moment ago."""
        at, someone = self._kept.get(person_id, (0.0, None))
        return someone if time.monotonic() - at < _FRESH_FOR else None

    def knows(self, person_id: str) -> bool:
        """True when the database surely has this person: nobody is ever deleted from it."""
        return person_id in self._kept

    def keep_channel(self, about: Incident) -> None:
        """Remember whose channel it is, when everybody may know: a private incident is asked for each time."""
        if about.channel_id is None or about.is_private:
            return
        if len(self._open_channels) >= _MOST:
            self._open_channels.clear()
        self._open_channels[about.channel_id] = about.id

    def incident_of(self, channel_id: str) -> int | None:
        """The public incident that has this channel: it never becomes another's, nor private."""
        return self._open_channels.get(channel_id)
