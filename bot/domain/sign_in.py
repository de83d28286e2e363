"""A sign-in: a browser that somebody has signed in to the console with, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

#: Long, since Slack may be down when the console is wanted most, and it is Slack that signs in.
LASTS_FOR = timedelta(days=14)
#: How long it is believed, without asking Slack again, that somebody is still a full member.
BELIEVED_FOR = timedelta(hours=1)


@dataclass(frozen=True)
class SignIn:
    id: int
    #: Slack id.
    person: str
    #: What the browser calls itself.
    browser: str
    began_at: datetime
    ends_at: datetime
    #: When Slack last said that the person is a full member.
    asked_at: datetime
