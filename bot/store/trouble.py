"""What it means when the database does not do as it was asked, in words for the person who waits."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from bot.domain.refusals import Refusal

__all__ = ["DoesNotFit", "NotSaved", "PerhapsSaved", "trouble_of"]


class NotSaved(Refusal):
    """The database did not take it. The sentence says so; the door adds what was typed."""

    def __init__(self, why: str, *, plainly: str = "it does not answer", is_passing: bool = False) -> None:
        super().__init__(
            f"This was *not* saved: the database did not take it ({plainly}). Nothing is half done; send it "
            "again in a moment. If it goes on, `lantern check` on the host says what is wrong."
        )
        #: In the database's own words, for the log.
        self.why = why
        #: The same again may well succeed: others were in the way, or a connection broke.
        self.is_passing = is_passing
        #: It was lost while it was being committed: it may be there all the same.
        self.is_unknown = False


class DoesNotFit(Refusal):
    """A value that only Slack writes is longer than any that Slack has."""

    def __init__(self) -> None:
        super().__init__(
            "Something in this request is longer than Slack ever makes it, so it was *not* saved. "
            "Send it again, for example `/log the same words`."
        )


class PerhapsSaved(NotSaved):
    """The database broke off in the commit and does not say since whether it is there."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.sentence = (
            "This *may* have been saved: the database broke off just then and does not answer now. Look whether "
            "it is there (`/log list`, `/incident list`) before you send it again."
        )
        self.is_unknown = True


#: SQLite's primary result codes (sqlite.org/rescode.html).
_SQLITE = {
    5: "something else holds it",
    6: "something else holds it",
    8: "it can only be read",
    10: "its disk fails",
    11: "its file is damaged",
    13: "its disk is full",
    14: "its file cannot be opened",
    26: "its file is damaged",
}
#: Written, but perhaps not on the disk (SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC).
_PERHAPS_WRITTEN = frozenset({1034, 1290})
#: PostgreSQL's classes and codes of errors that are not ours (Appendix A of its manual); the longest fits.
_POSTGRESQL = {
    "08": "it does not answer",
    "25006": "it can only be read",
    "25P03": "it took too long",
    "40": "others changed the same at once",
    "53": "it has no room left",
    "53100": "its disk is full",
    "53300": "all its connections are taken",
    "55": "something else holds it",
    "57": "it is being stopped or started",
    "58": "its disk fails",
    "XX": "its files are damaged",
}
_TOO_LONG = "22001"
#: At the door of PostgreSQL an error has no code.
_FULL_HOUSE = ("too many clients", "connection slots", "too many connections")


def trouble_of(error: DBAPIError, *, is_committing: bool) -> NotSaved | DoesNotFit | None:
    """What an error of the driver means for the person; None for a mistake of ours."""
    why = (str(error.orig).strip().splitlines() or ["no reason given"])[0]
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        plainly = _SQLITE.get(code & 0xFF)
        is_unknown = is_committing and code in _PERHAPS_WRITTEN
        is_passing = False
    else:
        state = getattr(error.orig, "sqlstate", None) or ""
        if state == _TOO_LONG:
            return DoesNotFit()
        plainly = _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2])
        if any(words in why for words in _FULL_HOUSE):
            plainly = _POSTGRESQL["53300"]
        is_passing = error.connection_invalidated or state[:2] == "40"
        # A server that lives says why it refuses a commit; one that goes away may have done it.
        is_unknown = is_committing and (error.connection_invalidated or state[:2] in {"", "08", "57"})
    is_outage = isinstance(error, (OperationalError, InterfaceError)) or error.connection_invalidated
    if plainly is None and not is_outage:
        return None
    trouble = NotSaved(why, plainly=plainly or "it does not answer", is_passing=is_passing)
    trouble.is_unknown = is_unknown
    return trouble
