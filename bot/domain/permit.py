"""May the call that is under way still be sent? The postman's lease, in the hand of whoever holds the wire.

Between the postman's look at his lease and the first byte lie a name, a connection and TLS. A process that stands still
there for long (SIGSTOP, a frozen machine) must find out before it sends: another has made the call since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_may_send: ContextVar[Callable[[], bool] | None] = ContextVar("may_send", default=None)


@contextmanager
def only_while(may_send: Callable[[], bool]) -> Iterator[None]:
    """What this thread sends meanwhile, it sends only while this is true."""
    former = _may_send.set(may_send)
    try:
        yield
    finally:
        _may_send.reset(former)


def may_send() -> bool:
    """True also where nobody set a limit."""
    asked = _may_send.get()
    return asked is None or asked()
