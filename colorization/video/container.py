"""Video files that are read: frames of a stranger's video one after the other.

PyAV (FFmpeg) reads. FFmpeg believes a file about what it is, and some kinds of file name other files to be opened. So a
video is opened from its bytes, by an allow-list of formats and decoders, and nothing else is opened.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import av
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray
from PIL import Image

# FFmpeg's names. All hold their pictures and their sound themselves: no playlists, no scripts, no image sequences.
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,ogg"
_DECODERS = frozenset(
    (
        *("h264", "hevc", "av1", "libdav1d", "vp8", "vp9", "mpeg4", "msmpeg4v2", "msmpeg4v3", "h263", "mpeg1video"),
        *("mpeg2video", "theora", "mjpeg", "jpeg2000", "prores", "dnxhd", "dvvideo", "ffv1", "huffyuv", "cinepak"),
        *("rawvideo", "png"),
    )
)
_FINEST_TIME_BASE = 1_000_000
_UNSPECIFIED = 2  # FFmpeg's number for a color matrix that the file does not name


class VideoError(ValueError):
    """A video that cannot be used; the message says what came and what was expected."""


@dataclass(frozen=True)
class Limits:
    """What is accepted. Checked against what the file says before any work, and against what it holds during it."""

    pixels: int = 4096 * 2304
    """Of one frame."""
    seconds: float = 6 * 3600
    frames: int = 1_000_000
    rate: float = 120
    """Frames per second, on average."""


class Frame(NamedTuple):
    """One decoded frame."""

    time: int
    """When it is shown, in units of the video's `time_base`."""
    duration: int
    image: av.VideoFrame

    def picture(self) -> Image.Image:
        """The frame upright, mode RGB; raises `VideoError` if its pixels are of an unknown kind."""
        return Image.fromarray(self._pixels("rgb24"))

    def floats(self) -> NDArray[np.float32]:
        """The frame upright, (H, W, 3) of sRGB about 0 to 1, not rounded; raises `VideoError` as `picture` does."""
        return self._pixels("gbrpf32le")

    def _pixels(self, kind: str) -> NDArray[Any]:
        # Files of 720 lines and more that name no matrix mean BT.709, smaller ones BT.601, which is FFmpeg's default.
        unnamed_hd = self.image.colorspace == _UNSPECIFIED and self.image.height >= 720
        try:
            pixels = self.image.to_ndarray(format=kind, src_colorspace="ITU709" if unnamed_hd else None)
        except (av.FFmpegError, ValueError) as error:
            raise VideoError(f"its pixels ({self.image.format.name}) cannot be converted: export it as MP4") from error
        return np.rot90(pixels, round(self.image.rotation / 90))


class Video:
    """A video file that was opened and is within the limits.

    Attributes:
        size: Width and height in pixels, as stored: before rotation.
        seconds: Its length as the file says, None if it does not.
        count: Its number of frames as the file says or its length and rate give, None if unknown.
        time_base: Unit of `Frame.time`, in seconds.
        rate: Frames per second, on average.
        notes: What its owner should know; `frames()` adds to it.
    """

    def __init__(self, file: Path, limits: Limits | None = None) -> None:
        """Open a file; raises `VideoError` if it is no video, of no accepted kind, or beyond a limit."""
        self.file, self.limits, self.notes = file, limits or Limits(), list[str]()
        with self.opened() as (container, stream):
            context = stream.codec_context
            self.size = (context.width, context.height)
            self.time_base = stream.time_base or Fraction(1, 90_000)
            self.scale = Fraction(1)  # from the file's unit to ours
            if self.time_base.denominator > _FINEST_TIME_BASE:
                self.scale, self.time_base = self.time_base * 90_000, Fraction(1, 90_000)
            self.rate = stream.average_rate or stream.guessed_rate or Fraction(25)
            self.seconds = _seconds(container, stream)
            estimate = None if self.seconds is None else round(self.seconds * self.rate)
            self.count: int | None = stream.frames or estimate
            self.aspect = context.sample_aspect_ratio
            if len(container.streams.video) > 1:
                streams, size = len(container.streams.video), f"{context.width}x{context.height}"
                self.notes.append(f"of its {streams} video streams, that of {size} pixels is used")
            self._check(stream.frames or 0)

    @contextlib.contextmanager
    def opened(self) -> Iterator[tuple[Any, Any]]:
        """The container and its best video stream, not yet decoded."""
        if not self.file.stat().st_size:
            raise VideoError("the file is empty")
        with self.file.open("rb") as data:
            try:
                container = av.open(
                    data,
                    options={"format_whitelist": _FORMATS, "protocol_whitelist": "none"},
                    io_open=_refuse,
                    metadata_errors="replace",
                )
            except Exception as error:  # a demuxer fed with a stranger's bytes may raise anything at all
                raise VideoError(
                    "this is not an MP4, MOV, MKV, WebM, AVI, MPEG or Ogg video, or its beginning is damaged: "
                    "export it as MP4"
                ) from error
            with container:
                stream = container.streams.best("video")
                if stream is None or Disposition.attached_pic in stream.disposition:
                    raise VideoError("the file holds no video, only sound or other data")
                context = stream.codec_context
                if context is None or context.name not in _DECODERS:
                    codec = "an unknown codec" if context is None else context.name
                    raise VideoError(f"its video is coded as {codec}, which is not accepted: export it as H.264 MP4")
                context.options = {"max_pixels": str(self.limits.pixels)}  # a frame may be larger than the file says
                context.thread_type = "AUTO"
                yield container, stream

    def _check(self, declared: int) -> None:
        """Refuse what the file itself says to be beyond the limits."""
        limits, (width, height) = self.limits, self.size
        if width < 1 or height < 1:
            raise VideoError("the file does not say how large its video is: export it as MP4")
        if width * height > limits.pixels:
            raise VideoError(
                f"its frames have {width}x{height} = {width * height / 1e6:.1f} megapixels, at most "
                f"{limits.pixels / 1e6:.1f} are accepted: make it smaller"
            )
        if min(width, height) < 16:
            raise VideoError(f"its frames have {width}x{height} pixels, expected 16 or more on each side")
        if self.seconds is not None and self.seconds > limits.seconds:
            raise VideoError(f"it lasts {self.seconds:,.0f} seconds, {_at_most(limits.seconds, 'seconds')}: cut it")
        if max(declared, self.count or 0) > limits.frames:
            raise VideoError(f"it has {self.count:,} frames, {_at_most(limits.frames, 'frames')}: cut it")
        if self.rate > limits.rate:
            raise VideoError(
                f"it has {float(self.rate):,.0f} frames per second, {_at_most(limits.rate, 'per second')}: "
                "convert it to a usual rate"
            )

    def frames(self) -> Iterator[Frame]:
        """Decode frame after frame; times rise strictly. Damaged frames are skipped or used, and noted at the end.

        Raises:
            VideoError: If the video goes beyond a limit, or no frame can be decoded.
        """
        count = lost = damaged = 0
        last: Frame | None = None
        with self.opened() as (container, stream):
            start = start_of(container, stream.time_base)
            step = max(1, round(1 / (self.rate * self.time_base)))
            for image in _decoded(container, stream):
                if image is None:
                    lost += 1
                    continue
                if count == self.limits.frames:
                    raise VideoError(f"it has more frames than it says, {_at_most(count, 'frames')}: cut it")
                frame = self._frame(image, last, start, step)
                if frame.time * self.time_base > self.limits.seconds:
                    raise VideoError(
                        f"it lasts longer than it says, {_at_most(self.limits.seconds, 'seconds')}: cut it"
                    )
                damaged += image.is_corrupt
                count += 1
                last = frame
                yield frame
        if last is None:
            raise VideoError("none of its frames can be decoded: send the original")
        end = float((last.time + last.duration) * self.time_base)
        short = self.seconds is not None and end < self.seconds - max(0.5, 2 / self.rate)
        if lost:
            self.notes.append(f"{lost} damaged pieces of its video could not be decoded and are skipped")
        if damaged:
            self.notes.append(f"{damaged} of its frames are damaged, and colored as they are")
        if short:
            self.notes.append(f"its picture ends after {end:.1f} of {self.seconds:.1f} seconds: is the file cut short?")
        elif stream.frames > count + lost:
            self.notes.append(f"{stream.frames - count} of the {stream.frames} frames that it should have are missing")

    def _frame(self, image: Any, last: Frame | None, start: int, step: int) -> Frame:
        """Give a decoded image its time: its own if it has one that rises, else a step after the one before it."""
        duration = round(image.duration * self.scale) if image.duration else step
        after = -1 if last is None else last.time
        time = after + step if image.pts is None else round((image.pts - start) * self.scale)
        if (image.width, image.height) != self.size:  # it may change on the way; the output has one size
            image = image.reformat(*self.size)
        return Frame(max(time, after + 1, 0), max(1, duration), image)


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Every decoded image of a stream, and None for each packet that could not be decoded."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:  # the file ends in the middle of a packet
            yield None
            packet = None
        if packet is None:
            return
        try:
            yield from packet.decode()
        except MemoryError:  # FFmpeg's too: the file is not to blame
            raise
        except av.FFmpegError:
            yield None


def _seconds(container: Any, stream: Any) -> float | None:
    """The length of the video stream, else of the whole file."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def start_of(container: Any, time_base: Fraction) -> int:
    """Where the file's clock begins, in units of a stream; broadcasts do not begin at zero."""
    return round(Fraction(max(0, container.start_time or 0), av.time_base) / time_base)


def _at_most(value: float, unit: str) -> str:
    return f"at most {value:,.0f} {unit} are accepted"


def _refuse(url: str, *_: object) -> NoReturn:
    """Open nothing that a file asks for."""
    raise PermissionError(f"a video asked for another file to be opened: {url!r}")
