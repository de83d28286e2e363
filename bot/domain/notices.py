"""Notices: what Slack must be told, as typed facts and ids. What they say is looked up when they are sent.

A notice is put into the outbox in the transaction that makes it true, and delivered afterwards.
`key` is its order: notices of one key are delivered one after another, keys do not wait for each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Notice:
    """Something Slack must be told about one incident."""

    #: True: an open notice of the same key and kind is enough, since it says what is true when it is sent.
    is_latest_only: ClassVar[bool] = False

    incident_id: int

    @property
    def kind(self) -> str:
        return type(self).__name__

    @property
    def key(self) -> str:
        """Posts into the incident's channel keep their order."""
        return f"inc:{self.incident_id}"

    @property
    def args(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class IncidentOpened(Notice):
    """The channel is to be made. Everything else about the incident follows from its answer."""


@dataclass(frozen=True)
class HeaderDue(Notice):
    """The header card is to be posted, then pinned and bookmarked."""

    is_latest_only: ClassVar[bool] = True


@dataclass(frozen=True)
class PeopleInvited(Notice):
    people: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"inc:{self.incident_id}:invite"


@dataclass(frozen=True)
class TopicChanged(Notice):
    is_latest_only: ClassVar[bool] = True

    @property
    def key(self) -> str:
        return f"inc:{self.incident_id}:topic"


@dataclass(frozen=True)
class PurposeDue(Notice):
    @property
    def key(self) -> str:
        return f"inc:{self.incident_id}:purpose"


@dataclass(frozen=True)
class HeaderPosted(Notice):
    """The card is there: pin it."""

    @property
    def key(self) -> str:
        return f"inc:{self.incident_id}:pin"


@dataclass(frozen=True)
class BookmarksDue(Notice):
    """The channel's bookmarks: the runbook and the postmortem."""

    is_latest_only: ClassVar[bool] = True

    @property
    def key(self) -> str:
        return f"inc:{self.incident_id}:bookmarks"


@dataclass(frozen=True)
class SuggestionsDue(Notice):
    """The card is there: what fits well is to be said once, a runbook or a past incident."""


@dataclass(frozen=True)
class OwnerDue(Notice):
    """The owner of the incident's service is to be told once, under the announcement."""

    service: str

    @property
    def key(self) -> str:
        return f"inc:{self.incident_id}:announce"


@dataclass(frozen=True)
class CardChanged(Notice):
    """The header card, the topic's facts or the roles changed."""

    is_latest_only: ClassVar[bool] = True


@dataclass(frozen=True)
class AnnouncementDue(Notice):
    """The announcement is to be posted, or brought up to date when it is there."""

    is_latest_only: ClassVar[bool] = True

    @property
    def key(self) -> str:
        return f"inc:{self.incident_id}:announce"


@dataclass(frozen=True)
class EntriesLogged(Notice):
    """Entries that the channel has not been shown yet: one message shows all that wait."""

    is_latest_only: ClassVar[bool] = True


@dataclass(frozen=True)
class EntryChanged(Notice):
    """An entry was edited or undone: the message that shows it is brought up to date."""

    entry_id: int


@dataclass(frozen=True)
class MessageMarked(Notice):
    """A person marked a message for the timeline (reaction or pin): it is to be read and logged."""

    channel_id: str
    ts: str
    by: str
    source: str

    @property
    def key(self) -> str:
        return f"msg:{self.channel_id}:{self.ts}"


@dataclass(frozen=True)
class MessageLogged(Notice):
    """A message of the channel is now an entry: it gets the bot's mark."""

    channel_id: str
    ts: str

    @property
    def key(self) -> str:
        return f"msg:{self.channel_id}:{self.ts}"


@dataclass(frozen=True)
class ImageDue(Notice):
    """An image of an entry is to be fetched and kept. Nothing else waits for it."""

    is_latest_only: ClassVar[bool] = True

    file_id: str

    @property
    def key(self) -> str:
        return f"image:{self.incident_id}:{self.file_id}"


@dataclass(frozen=True)
class RunStarted(Notice):
    run_id: int


@dataclass(frozen=True)
class StepReached(Notice):
    run_id: int
    position: int


@dataclass(frozen=True)
class StepMarked(Notice):
    run_id: int
    position: int


@dataclass(frozen=True)
class BalancerAsked(Notice):
    """A balancer is to be read: two looks some seconds apart. Nothing else of the incident waits for it."""

    by: str
    #: Which of the service's balancers, from 0.
    which: int = 0
    #: The step of a runbook's run that asks, whose outcome it becomes; 0 and -1 for none.
    run_id: int = 0
    position: int = -1
    #: Seconds between the looks; 0 for those of the settings.
    window: float = 0.0

    @property
    def key(self) -> str:
        return f"inc:{self.incident_id}:balancer:{self.which}"


@dataclass(frozen=True)
class BalancerRead(Notice):
    """A reading is stored: its sentence, its picture and its evidence are to be posted."""

    reading_id: int


@dataclass(frozen=True)
class UpdatePosted(Notice):
    update_id: int


@dataclass(frozen=True)
class UpdateAnnounced(Notice):
    """Stakeholders outside the channel are told, under the announcement."""

    update_id: int

    @property
    def key(self) -> str:
        return f"inc:{self.incident_id}:announce"


@dataclass(frozen=True)
class DraftCompiled(Notice):
    """A revision of the postmortem is stored: post its file and its summary."""

    revision: int


@dataclass(frozen=True)
class CanvasDue(Notice):
    """A revision of the postmortem is to stand in the channel's canvas. Nothing else of the channel waits for it."""

    is_latest_only: ClassVar[bool] = True

    revision: int

    @property
    def key(self) -> str:
        return f"inc:{self.incident_id}:canvas"


@dataclass(frozen=True)
class PostmortemPublished(Notice):
    """The channel gets the published text as a file."""

    revision: int


@dataclass(frozen=True)
class PostmortemAnnounced(Notice):
    """Those who are not in the channel are told under the announcement."""

    revision: int

    @property
    def key(self) -> str:
        return f"inc:{self.incident_id}:announce"


@dataclass(frozen=True)
class ArchiveAsked(Notice):
    """Archiving ejects the bot, so it keeps its place behind everything else in the channel."""


@dataclass(frozen=True)
class PersonNamed(Notice):
    """A person is named somewhere and Lantern has not met them: ask Slack who they are."""

    is_latest_only: ClassVar[bool] = True

    person_id: str

    @property
    def key(self) -> str:
        return f"person:{self.person_id}"


@dataclass(frozen=True)
class ChannelNamed(Notice):
    is_latest_only: ClassVar[bool] = True

    channel_id: str

    @property
    def key(self) -> str:
        return f"channel:{self.channel_id}"


@dataclass(frozen=True)
class PersonTold(Notice):
    """One person is to be told a sentence, privately."""

    person_id: str
    text: str

    @property
    def key(self) -> str:
        return f"told:{self.person_id}"


@dataclass(frozen=True)
class FollowUpDue(Notice):
    """Somebody is to be reminded of a follow-up, in a direct message."""

    follow_up_id: int
    person_id: str

    @property
    def key(self) -> str:
        return f"told:{self.person_id}"


@dataclass(frozen=True)
class FollowUpsDigested(Notice):
    """The weekly list of what is left. `incident_id` is 0: it is about all of them."""

    @property
    def key(self) -> str:
        return "digest"


@dataclass(frozen=True)
class IssueAsked(Notice):
    """A follow-up is to become an issue of the team's tracker. Nothing that Slack is told waits for it."""

    follow_up_id: int
    #: It was asked for before and nobody knows what came of it: look before anything is created.
    is_again: bool = False
    #: Somebody said that this text of a private incident may leave.
    is_anyway: bool = False
    #: Where it was asked for before, when the catalogue has named another project since: look there as well.
    formerly: str = ""

    @property
    def key(self) -> str:
        # Three orders: a tracker that hangs holds three of the postman's threads, and one issue that it does not
        # take holds up a third of the others.
        return f"tracker:{self.follow_up_id % 3}"


@dataclass(frozen=True)
class IssuesDue(Notice):
    """Issues of follow-ups are to be read again. `incident_id` is 0: it is about all of them."""

    is_latest_only: ClassVar[bool] = True

    @property
    def key(self) -> str:
        return "tracker:read"


@dataclass(frozen=True)
class HomeDue(Notice):
    """A person's Home tab is to be drawn, as things are when it is drawn. `incident_id` is 0: it is about all."""

    is_latest_only: ClassVar[bool] = True

    person_id: str

    @property
    def key(self) -> str:
        return f"home:{self.person_id}"


@dataclass(frozen=True)
class Whispered(Notice):
    """The answer to a button or form: one person sees it, in the channel where they asked."""

    channel_id: str
    person_id: str
    text: str
    blocks: list[dict[str, Any]] | None = None

    @property
    def key(self) -> str:
        return f"told:{self.person_id}"
