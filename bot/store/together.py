"""Writing together: what several threads want to write at the same moment is one transaction, one sync of the disk.

SQLite lets one writer in. Whoever comes while it is busy leaves a wish, and the next whose turn it is grants all that
wait. Each has a savepoint of its own, so that a refused one leaves nothing and disturbs nobody. When anything else goes
wrong nothing of the whole is there; `except Exception` stands here because each then tries again alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Connection as Session

from bot.domain.refusals import Refusal
from bot.store.engines import LOCK_WAIT
from bot.store.patience import Patience
from bot.store.trouble import NotSaved

T = TypeVar("T")


class _Wish(Generic[T]):
    """What one thread wants to write."""

    def __init__(self, act: Callable[[Session], T]) -> None:
        self._act = act
        self._result: T | None = None
        self.error: Exception | None = None
        #: Its own thread is to write for all who wait.
        self.leads = False
        #: Held until there is news for its thread.
        self.news = threading.Lock()
        self.news.acquire()

    def grant(self, session: Session) -> None:
        """Do it in this transaction. Raises what breaks the whole off."""
        # Without SQLAlchemy, for which these three words are a tenth of the work.
        driver = session.connection.driver_connection
        assert driver is not None
        driver.execute("SAVEPOINT wish")
        try:
            self._result = self._act(session)
        except Refusal as refusal:
            self.error = refusal
            driver.execute("ROLLBACK TO wish")
        driver.execute("RELEASE wish")

    def outcome(self) -> T:
        if self.error is not None:
            raise self.error
        return cast("T", self._result)


class Together:
    """Writes for all who wait. `writing` gives the transaction, when it is this thread's turn."""

    def __init__(self, writing: Callable[[], AbstractContextManager[Session]], patience: Patience) -> None:
        self._writing = writing
        self._patience = patience
        self._lock = threading.Lock()
        self._waiting: list[_Wish[Any]] = []
        self._is_led = False

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._waiting)

    def write(self, act: Callable[[Session], T]) -> T:
        """Run `act` in a transaction that others may share, and give its result. It changes only the session.

        Raises what `act` and `writing` raise. A NotSaved that is passing failed with others': alone it may well
        succeed. One that is unknown is with another thread that does not come back in time.
        """
        wish = _Wish(act)
        with self._lock:
            self._waiting.append(wish)
            if not self._is_led:
                self._is_led = wish.leads = True
        if not wish.leads and not wish.news.acquire(timeout=self._patience.left(LOCK_WAIT)):
            self._give_up(wish)
        if wish.leads:
            try:
                self._write_for_all(wish)
            finally:
                self._hand_on(wish)
        return wish.outcome()

    def _give_up(self, wish: _Wish[Any]) -> None:
        """Take a wish back. Raises NotSaved, unless its turn came just now or it is being done and ends in time."""
        with self._lock:
            if wish in self._waiting and not wish.leads:
                self._waiting.remove(wish)
                raise NotSaved("other writers held the database too long", plainly="too many write at once")
        if not wish.news.acquire(timeout=self._patience.left()):
            lost = NotSaved("a transaction does not end")
            lost.is_unknown = True
            raise lost

    def _write_for_all(self, leading: _Wish[Any]) -> None:
        granted: list[_Wish[Any]] = []
        try:
            with self._writing() as session:
                with self._lock:
                    granted, self._waiting = self._waiting, []
                for wish in granted:
                    wish.grant(session)
        except Exception as error:
            if granted in ([], [leading]):
                raise
            for wish in granted:
                wish.error = _broken_off(error)
        finally:
            for wish in granted:
                if wish is not leading:
                    wish.news.release()

    def _hand_on(self, led: _Wish[Any]) -> None:
        """Let the next one lead that waits."""
        with self._lock:
            if led in self._waiting:
                # Its turn never came.
                self._waiting.remove(led)
            self._is_led = bool(self._waiting)
            if self._is_led:
                self._waiting[0].leads = True
                self._waiting[0].news.release()


def _broken_off(error: Exception) -> NotSaved:
    """Why what was written together is not there, for each of those whose it was."""
    lost = NotSaved(str(error), is_passing=True)
    if isinstance(error, NotSaved):
        lost.why, lost.sentence, lost.is_unknown = error.why, error.sentence, error.is_unknown
    return lost
