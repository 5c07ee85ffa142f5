"""Signals to stop: the step is finished and saved first, and the exit code says that the run can be resumed."""

import os
import signal
from types import FrameType
from typing import Any, Self

from train.parent import PARENT, when_parent_ends

CAN_RESUME = 75  # EX_TEMPFAIL of sysexits.h: run the same command again
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


class StoppedError(Exception):
    """The run stopped before its end, and can be resumed.

    Attributes:
        code: For the process to exit with.
    """

    def __init__(self, text: str, received: int | None = None) -> None:
        super().__init__(text)
        self.code = INTERRUPTED if received == signal.SIGINT else CAN_RESUME


class Signals:
    """Notes SIGTERM and SIGINT instead of dying of them; a second one has its usual effect.

    `accelerate launch` dies of SIGTERM without passing it on, so its end counts as one.

    Attributes:
        received: The signal's number, None while there is none.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        # Noted before a handler is installed, as a signal may come at any moment after that.
        self._before: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def __enter__(self) -> Self:
        for number in self._before:
            signal.signal(number, self._note)
        if "ACCELERATE_MIXED_PRECISION" in os.environ:  # the launcher's
            when_parent_ends(PARENT, self._note_end)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note_end(self) -> None:
        self.received = self.received or signal.SIGTERM

    def _note(self, number: int, _: FrameType | None) -> None:
        self.received = number
        signal.signal(number, self._before[number])
