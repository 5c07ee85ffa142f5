"""Scenes of a video: its frames in runs from one key frame to the next, none of which crosses a cut."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from PIL import Image

from colorization.inference import lightness
from colorization.video import motion
from colorization.video.container import Frame

KEY_INTERVAL = 12  # frames from one key frame to the next


class Run(NamedTuple):
    """Frames of one scene, from a key frame to the next."""

    times: list[int]
    """When each frame is shown, see `Frame`."""
    ends: list[int]
    """When the next one is shown instead."""
    lights: list[Image.Image]
    """Their lightness at full size, mode L."""
    planes: list[motion.Plane]
    """The same, as small as motion is looked for."""
    flows: list[motion.Flow]
    """Motion between each two neighbors."""
    ends_scene: bool
    """Whether the scene ends here; if not, the last frame is also the first of the next run."""


def runs(frames: Iterable[Frame], is_key: Callable[[int, int], bool] = lambda time, end: False) -> Iterator[Run]:
    """Cut frames into scenes, and scenes into runs of at most `KEY_INTERVAL` frames and the key frame that follows.

    Args:
        frames: In the order in which they are shown.
        is_key: Whether a frame that is shown from a time to another one must be a key frame.
    """
    run: Run | None = None
    for frame, following in itertools.pairwise(itertools.chain(frames, (None,))):
        assert frame is not None
        end = frame.time + frame.duration if following is None else following.time
        light = lightness(frame.picture())
        plane = motion.downscaled(light)
        alone = Run([frame.time], [end], [light], [plane], [], True)
        if run is None:
            run = alone
            continue
        flow = motion.flow_between(run.planes[-1], plane)
        if not motion.is_same_scene(run.planes[-1], plane, flow):
            yield run
            run = alone
            continue
        run.times.append(frame.time)
        run.ends.append(end)
        run.lights.append(light)
        run.planes.append(plane)
        run.flows.append(flow)
        if len(run.times) > KEY_INTERVAL or is_key(frame.time, end):
            yield run._replace(ends_scene=False)
            run = alone
    if run is not None:
        yield run


def decoded_ahead(coming_runs: Iterator[Run]) -> Iterator[Run]:
    """Runs, the next of which is decoded in a thread of its own while one is colored."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, coming_runs, None)
        while (run := coming.result()) is not None:
            coming = thread.submit(next, coming_runs, None)
            yield run
