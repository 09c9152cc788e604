"""Ctrl-C, and what a scheduler or a closed terminal sends instead, may come at any moment; here they wait.

Left out on purpose: threads other than the main one, which no signal reaches.
Taught in chapter 07.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupts_wait() -> Iterator[threading.Event]:
    """SIGINT, SIGTERM and SIGHUP set the event, so that what runs is finished first; a second one does not wait."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]  # Windows has no SIGHUP
    found = {number: signal.getsignal(number) for number in (getattr(signal, name) for name in names)}
    before = {
        number: handler
        for number, handler in found.items()
        if handler is not None
        and not (number == getattr(signal, "SIGHUP", None) and handler == signal.SIG_IGN)  # nohup
    }

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(*_: object) -> None:
        interrupted.set()
        restore()

    for number in before:
        signal.signal(number, note)
    try:
        yield interrupted
    finally:
        restore()
