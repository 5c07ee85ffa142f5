"""The clock of a video file: when its frames are shown and its sound is heard, on one line that rises.

The clock of a file may jump: two recordings were joined, or a broadcast was interrupted. Then the next frame follows
the last one without a gap, and the sound goes with it.
"""

from collections import deque
from fractions import Fraction
from typing import Any, NamedTuple

_BACK = Fraction(1, 5)  # s; a clock that goes back by more has jumped, by less it is inexact
_FORWARD = 1  # s; and frames: a clock that goes forward by more than both, and no sound in between, has jumped
_FORWARD_FRAMES = 10
_BEYOND = 60  # s after the end that the file says; a later time is a damaged one
_NEAR = 2  # s; between the first packet after a jump and the first frame
_RECENT = 4096  # packets of sound that are remembered


class Piece(NamedTuple):
    """A part of a file in which its clock does not jump; times in seconds."""

    first: Fraction
    """Of the first frame, by the file's clock from its start on."""
    last: Fraction
    shift: Fraction
    """What is added to the file's times."""
    position: int | None
    """The byte of the file at which it begins, if that is known."""


class Clock:
    """Times of the frames of one reading of a file, in a unit of their own.

    Attributes:
        start: Where the file's clock begins, in seconds; broadcasts do not begin at zero.
        pieces: The parts between jumps so far.
    """

    def __init__(
        self,
        start: Fraction,
        time_base: Fraction,
        unit: Fraction,
        frame: int,
        can_jump: bool,
        seconds: float | None = None,
    ) -> None:
        """Begin a reading.

        Args:
            start: See the attribute.
            time_base: Unit of the file's times, in seconds.
            unit: Unit of the times that are given, in seconds.
            frame: Duration of a frame of which the file does not say it, in that unit.
            can_jump: Whether the clock may also jump forward: that of formats for broadcasts.
            seconds: The length of the video as the file says; a time far beyond it is a damaged one.
        """
        self.start = start
        self.pieces = [Piece(Fraction(0), Fraction(0), Fraction(0), 0)]
        self._start, self._scale, self._unit = round(start / time_base), time_base / unit, unit
        self._frame, self._can_jump = frame, can_jump
        self._longest = None if seconds is None else round((seconds + _BEYOND) / unit)
        self._forward = max(round(_FORWARD / unit), _FORWARD_FRAMES * frame)
        self._best = _BestEffort()
        self._last: int | None = None  # time of the newest frame
        self._duration = frame  # and how long it is shown
        self._sound: deque[Fraction] = deque(maxlen=_RECENT)
        self._dts: Fraction | None = None  # of the newest packet
        self._jumps: list[tuple[Fraction, int]] = []  # times and positions of packets after a jump

    @property
    def end(self) -> Fraction:
        """When the newest frame ends, in seconds."""
        return ((self._last or 0) + self._duration) * self._unit

    def add_packet(self, packet: Any) -> None:
        """Learn from a packet of the video before it is decoded."""
        if packet.dts is None:
            return
        dts = packet.dts * packet.time_base - self.start
        if self._dts is None:
            self._best.first_dts = packet.dts
        elif not -_BACK <= dts - self._dts <= self._forward * self._unit and packet.pos is not None:
            self._jumps.append((dts, packet.pos))
        self._dts = dts

    def add_sound(self, packet: Any) -> None:
        """Learn from a packet of sound: the clock does not jump where there is some."""
        if packet.dts is not None:
            self._sound.append(packet.dts * packet.time_base - self.start)

    def frame(self, image: Any) -> tuple[int, int]:
        """When a decoded frame is shown, and how long; each is later than the one before."""
        duration = max(1, round(image.duration * self._scale)) if image.duration else self._frame
        best = self._best.time(image)
        if best is None:
            time = 0 if self._last is None else self._last + self._duration
        else:
            own = round((best - self._start) * self._scale)
            self._add_to_pieces(own)
            time = own + round(self.pieces[-1].shift / self._unit)
        self._last = max(time, 0 if self._last is None else self._last + 1)
        self._duration = duration
        return self._last, duration

    def _add_to_pieces(self, own: int) -> None:
        """Prolong the newest piece to a frame's time by the file's clock, or begin another one if the clock jumped."""
        piece, seconds = self.pieces[-1], own * self._unit
        is_damaged = self._longest is not None and own > self._longest
        if self._last is None:
            self.pieces[-1] = Piece(seconds, seconds, -seconds if is_damaged else Fraction(0), piece.position)
            return
        step = own + round(piece.shift / self._unit) - self._last
        jumps_back = step < -_BACK / self._unit
        can_jump = is_damaged or (self._can_jump and self._is_silent(piece, seconds))
        if jumps_back or (step > self._forward and can_jump):
            shown = self._last + min(self._duration, self._forward)
            position = next((place for time, place in reversed(self._jumps) if abs(time - seconds) < _NEAR), None)
            self.pieces.append(Piece(seconds, seconds, (shown - own) * self._unit, position))
        else:
            self.pieces[-1] = piece._replace(last=max(piece.last, seconds))

    def _is_silent(self, piece: Piece, later: Fraction) -> bool:
        """Whether no sound lies between the end of a piece and a later time."""
        margin = (later - piece.last) / 4
        return not any(piece.last + margin < time < later - margin for time in self._sound)


class TrackClock:
    """Shifts of the packets of one other track, in the order of the file, so that they stay with the frames."""

    def __init__(self, pieces: list[Piece]) -> None:
        self._pieces = pieces
        self._number = 0
        self._last: Fraction | None = None

    def shift(self, time: Fraction, position: int | None) -> Fraction:
        """What is added to the time of the next packet; both in seconds, the time from the file's start on."""
        while self._number + 1 < len(self._pieces) and self._is_over(time, position):
            self._number += 1
            self._last = None
        self._last = time
        return self._pieces[self._number].shift

    def _is_over(self, time: Fraction, position: int | None) -> bool:
        """Whether a packet lies beyond the current piece."""
        piece, following = self._pieces[self._number : self._number + 2]
        if following.position is not None and position is not None and position >= following.position:
            return True
        if following.first > piece.last:
            return time > (piece.last + following.first) / 2
        return self._last is not None and time < self._last - _BACK


class _BestEffort:
    """Presentation times of decoded frames, also where the file has none or wrong ones, as AVI has of B-frames.

    Source:
        `guess_correct_pts` in FFmpeg's libavcodec/decode.c: times of decoding are taken where those of presentation
        are missing or went back more often.
    """

    def __init__(self) -> None:
        self.first_dts: int | None = None  # of the first packet
        self._last_pts = self._last_dts = -(1 << 63)
        self._faulty_pts = self._faulty_dts = 0
        self._delay: int | None = None  # from a frame's time to the time of decoding that it leaves the decoder with
        self._has_pts = True

    def time(self, image: Any) -> int | None:
        """The time of the next frame in the order in which they are shown; None if nothing tells it."""
        pts, dts = image.pts, image.dts
        if self._delay is None:
            self._has_pts = pts is not None or dts is None
            first = self.first_dts if pts is None else pts
            self._delay = 0 if first is None or dts is None else max(0, dts - first)
        if dts is not None:
            self._faulty_dts += dts <= self._last_dts
        if pts is not None:
            self._faulty_pts += pts <= self._last_pts
        self._last_dts = next((time for time in (dts, pts) if time is not None), self._last_dts)
        self._last_pts = next((time for time in (pts, dts) if time is not None), self._last_pts)
        if pts is not None and self._has_pts and (dts is None or self._faulty_pts <= self._faulty_dts):
            return pts
        return None if dts is None else dts - self._delay
