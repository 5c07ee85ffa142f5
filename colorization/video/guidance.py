"""Guidance of a video: the mood of each moment, and points that are carried along motion until their scene ends."""

import json
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from colorization.guidance import Guidance, Mood, Point
from colorization.lab import AB_RANGE
from colorization.sentence import Sentence
from colorization.video import motion
from colorization.video.scenes import Run

_INEXACT = Fraction(1, 1000)  # s; times are written with so much of an error
_SEEN = 0.3  # visibility from which the place of a point is found again
_NEAR = 3.0  # px of the small frame, from a point to where the way back from its new place ends
_SAME_COLOR, _SAME_LEVELS = 6.0, 20.0  # CIE units and gray levels of what a point that is lost may move to


class _Placed(NamedTuple):
    """A point where it lies in a key frame."""

    number: int
    """Of the guidance's points."""
    x: float
    y: float
    """In [0, 1] of the upright frame."""


class VideoGuidance:
    """What guidance says of each frame, while the runs of a video come one after the other.

    A point begins at the frame that is shown at its time, or the first one if it has none, and follows what it lies on
    until the scene ends. Where that leaves the frame or is hidden, the point moves to the nearest place that had the
    same color and lightness, as the rest of the same sky has; if there is none, it is over.
    """

    def __init__(self, guidance: Guidance, time_base: Fraction, state: str = "") -> None:
        """Begin a video, or continue one with the `state` in which an earlier call has left it."""
        self._guidance = guidance
        self._starts = [_units(point.time or 0, time_base) for point in guidance.points]
        self._moods = [(_units(change.time, time_base), change.mood) for change in guidance.mood_changes]
        since, placed = json.loads(state) if state else (0, [])
        self._since: int = since  # points that begin earlier have begun
        self._placed = [_Placed(*place) for place in placed]

    @property
    def state(self) -> str:
        """What the frame after the newest run needs; empty if there is no guidance."""
        return json.dumps([self._since, self._placed]) if self._guidance else ""

    def changes(self, time: int, end: int) -> bool:
        """Whether a point or a mood begins at the frame that is shown from a time to another one."""
        return any(time <= start < end for start in (*self._starts, *(start for start, _ in self._moods)))

    def first(self, run: Run) -> Guidance | None:
        """What counts at the first frame of a run; None if nothing does."""
        self._begin(run.ends[0])
        return self._at(run.ends[0], self._placed)

    def later(self, run: Run, color: NDArray[np.float32]) -> list[Guidance | None]:
        """What counts at each other frame of a run.

        Args:
            run: The same, of two frames or more.
            color: What its first frame was given, ab in network units, (2, h, w), as large as `run.planes`.
        """
        height, width = run.planes[0].shape
        size = np.array((width, height), np.float32)
        numbers = [point.number for point in self._placed]
        places = [np.array([(point.x, point.y) for point in self._placed], np.float32).reshape(-1, 2) * size - 0.5]
        for flow in run.flows if numbers else ():
            places.append(places[-1] + motion.sampled(flow.forward, places[-1][None])[0])
        between = [_placed(numbers, (place + 0.5) / size) for place in places[1:-1]] or [[]] * (len(run.flows) - 1)
        last = self._found_again(run, color, places[0], places[-1]) if numbers else {}
        self._placed = _placed(list(last), (np.array([*last.values()], np.float32).reshape(-1, 2) + 0.5) / size)
        self._begin(run.ends[-1])
        return [self._at(end, placed) for end, placed in zip(run.ends[1:], [*between, self._placed], strict=True)]

    def end_scene(self) -> None:
        """Let go of all points: the next run shows something else."""
        self._placed = []

    def unused(self, end: Fraction, time_base: Fraction) -> list[str]:
        """A note about what begins after the end of the video, in seconds."""
        starts = (*self._starts, *(start for start, _ in self._moods))
        late = sum(start * time_base >= end for start in starts)
        if not late:
            return []
        note = "{} of its points and moods begin after its end at {} seconds, and are not used"
        return [Sentence(note, late, f"{float(end):.1f}")]

    def _begin(self, end: int) -> None:
        """Add the points that begin before a time and had not begun."""
        points = zip(self._guidance.points, self._starts, strict=True)
        self._placed += [
            _Placed(number, point.x, point.y)
            for number, (point, start) in enumerate(points)
            if self._since <= start < end
        ]
        self._since = max(self._since, end)

    def _at(self, end: int, placed: Sequence[_Placed]) -> Guidance | None:
        """Guidance of the frame that is shown until a time."""
        mood: str | Mood | None = self._guidance.mood
        for start, following in self._moods:
            mood = following if start < end else mood
        points = tuple(Point(place.x, place.y, self._guidance.points[place.number].color) for place in placed)
        return Guidance(points, mood) or None

    def _found_again(
        self, run: Run, color: NDArray[np.float32], before: NDArray[np.float32], after: NDArray[np.float32]
    ) -> dict[int, NDArray[np.float32]]:
        """Where in px the points lie in the last frame of a run, by their numbers; without those that are over.

        Args:
            run, color: See `later`.
            before, after: Their places in the first frame, and where motion leads from there, (N, 2).
        """
        here, there = run.planes[-1], run.planes[0]
        path = motion.accumulated_paths([(flow.backward, flow.forward) for flow in run.flows])[-1]
        seen = motion.visibility(here, there, path)
        was = motion.warped_color(color, path.flow) * np.float32(AB_RANGE)
        largest = np.array(here.shape[::-1], np.float32) - 0.5
        found = {}
        for placed, start, place in zip(self._placed, before, after, strict=True):
            inside = bool(((place >= -0.5) & (place <= largest)).all())
            back = place + motion.sampled(path.flow, place[None, None])[0, 0]
            if inside and np.hypot(*(back - start)) < _NEAR and motion.sampled(seen, place[None, None])[0, 0] > _SEEN:
                found[placed.number] = place
                continue
            asked = np.array(self._guidance.points[placed.number].ab, np.float32)
            level = float(motion.sampled(there, start[None, None])[0, 0])
            same_color = np.hypot(*np.moveaxis(was - asked, 2, 0)) < _SAME_COLOR
            same_level = np.abs(here.astype(np.float32) - level) < _SAME_LEVELS
            rows, columns = np.nonzero(same_color & same_level & (seen > _SEEN))
            if len(rows):
                nearest = np.argmin((columns - place[0]) ** 2 + (rows - place[1]) ** 2)
                found[placed.number] = np.array((columns[nearest], rows[nearest]), np.float32)
        return found


def _units(seconds: float, time_base: Fraction) -> int:
    return int((Fraction(seconds) + _INEXACT) / time_base)


def _placed(numbers: Sequence[int], shares: NDArray[np.float32]) -> list[_Placed]:
    """Points within the frame, by their places in [0, 1]."""
    return [
        _Placed(number, float(x), float(y))
        for number, (x, y) in zip(numbers, shares, strict=True)
        if 0 <= x <= 1 and 0 <= y <= 1
    ]
