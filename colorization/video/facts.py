"""Facts of an opened video, as its container and its streams say them, and its packets."""

import contextlib
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.stream import Disposition

from colorization.video.limits import VideoError

_USUAL_RATE, _FASTEST = Fraction(25), 1000  # frames per second; more is the unit of a clock


def best_stream(container: Any) -> Any:
    """The video stream to color; pictures of a cover are none."""
    best = container.streams.best("video")
    if best is not None and Disposition.attached_pic in best.disposition:
        best = next(iter(pictures(container)), None)
    if best is None:
        raise VideoError("the file holds no video, only sound or other data")
    return best


def own_seconds(stream: Any) -> float | None:
    """The length of the video stream itself."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    with contextlib.suppress(KeyError, ValueError):  # as Matroska says it
        hours, minutes, seconds = stream.metadata["DURATION"].split(":")
        length = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        return length if 0 < length < math.inf else None  # nor NaN
    return None


def indexed_frames(container: Any, stream: Any) -> int | None:
    """How many frames an MP4 or MOV file shows by its index, without what is trimmed; None for other files."""
    if "mp4" not in container.format.name.split(","):
        return None
    return sum(not entry.is_discard for entry in stream.index_entries) or None


def clock_start(container: Any, stream: Any) -> Fraction:
    """Where the file's clock begins, in seconds; broadcasts do not begin at zero."""
    start = Fraction(container.start_time or 0, av.time_base)
    return start if start >= 0 else min(Fraction(0), (stream.start_time or 0) * stream.time_base)


def time_code(container: Any, stream: Any) -> str | None:
    """The time code of the first frame, wherever the file has it."""
    for part in (stream, *container.streams.data, container):
        for key, text in part.metadata.items():
            if key.lower() == "timecode" and text:
                return str(text)
    return None


def frame_rate(stream: Any) -> Fraction:
    """Frames per second, on average."""
    rates = (stream.average_rate, stream.guessed_rate)
    return next((rate for rate in rates if rate and rate <= _FASTEST), _USUAL_RATE)


def pictures(container: Any) -> list[Any]:
    """The streams of video, without the pictures of a cover."""
    return [stream for stream in container.streams.video if Disposition.attached_pic not in stream.disposition]


def packets(container: Any, *streams: Any) -> Iterator[Any]:
    """The packets of some streams in the order of the file, without empty ones; None where the file is damaged.

    Whoever decodes must empty the decoder at the end.
    """
    demuxed = container.demux(*streams)
    while True:
        try:
            packet = next(demuxed, None)
        except av.FFmpegError:  # the file ends in the middle of a packet
            yield None
            return
        except IndexError:  # at the end, PyAV 18.1 looks for streams that appeared on the way and that it does not know
            return
        if packet is None:
            return
        if packet.size:
            yield packet
