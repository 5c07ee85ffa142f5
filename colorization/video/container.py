"""Video files that are read: frames of a stranger's video one after the other.

PyAV (FFmpeg) reads. FFmpeg believes a file about what it is, and some kinds of file name other files to be opened. So a
video is opened from its bytes, by an allow-list of formats and codecs, and nothing else is opened.
"""

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, cast

import av
import numpy as np
from av.container.core import Flags
from av.format import Flags as FormatFlags
from numpy.typing import NDArray
from PIL import Image

from colorization.sentence import Sentence
from colorization.video import facts, filters, pixels
from colorization.video.clock import Clock, Piece
from colorization.video.limits import Limits, LostFramesError, VideoError

_FINEST_TIME_BASE = 1_000_000
_JUMPS_TOLD = 5


class Frame(NamedTuple):
    """One decoded frame."""

    time: int
    """When it is shown, in units of the video's `time_base`."""
    duration: int
    image: av.VideoFrame
    codec: str
    aspect: Fraction | None
    """Of its pixels when it is upright, width to height; None if that is not known."""

    def picture(self) -> Image.Image:
        """The frame upright, mode RGB; raises `VideoError` if its pixels are of an unknown kind."""
        return Image.fromarray(pixels.rgb(self.image, self.codec))

    def floats(self) -> NDArray[np.float32]:
        """The frame upright, (H, W, 3) of sRGB about 0 to 1, not rounded; raises `VideoError` as `picture` does."""
        return pixels.floats(self.image, self.codec)


class Video:
    """A video file that was opened and is within the limits.

    Attributes:
        size: Width and height in pixels, as stored: before rotation.
        seconds: Its length as the file says, None if it does not.
        is_length_own: Whether this is the length of the picture, not that of the file with its sound.
        count: Its number of frames as the file says or its length and rate give, None if unknown.
        indexed: The same, for files whose index tells exactly which frames they show; None for others.
        time_base: Unit of `Frame.time`, in seconds.
        rate: Frames per second, on average.
        start: Where the file's clock begins, in seconds.
        pieces: Parts between jumps of the file's clock; known when `frames()` has ended.
        end: When the last frame ends, in seconds; known then too.
        decoded: How many frames the decoder has given so far.
        time_code: Of the first frame, as hours, minutes, seconds and frames; None if the file has none.
        notes: What its owner should know; `frames()` adds to it.
    """

    def __init__(self, file: Path, limits: Limits | None = None) -> None:
        """Open a file; raises `VideoError` if it is no video, of no accepted kind, or beyond a limit."""
        self.file, self.limits, self.notes = file, limits or Limits(), list[str]()
        self.decoded = 0
        with self.opened() as (container, stream):
            context = stream.codec_context
            self.size = (context.width, context.height)
            self.codec: str = context.codec.canonical_name
            self.time_base = stream.time_base or Fraction(1, 90_000)
            if self.time_base.denominator > _FINEST_TIME_BASE:
                self.time_base = Fraction(1, 90_000)
            self.rate = facts.frame_rate(stream)
            own = facts.own_seconds(stream)
            self.seconds = own or (container.duration / av.time_base if container.duration else None)
            self.is_length_own = own is not None
            estimate = None if self.seconds is None else round(self.seconds * self.rate)
            self.indexed = facts.indexed_frames(container, stream)
            self.count: int | None = self.indexed or stream.frames or estimate
            self.start = facts.clock_start(container, stream)
            self.pieces: list[Piece] = []
            self.end: Fraction | None = None
            self.time_code = facts.time_code(container, stream)
            count = len(facts.pictures(container))
            if count > 1:
                size = f"{context.width}x{context.height}"
                self.notes.append(Sentence("of its {} video streams, that of {} pixels is used", count, size))
            self.limits.check_size(*self.size)
            self.limits.check_length(self.seconds, max(stream.frames, self.count or 0), float(self.rate))

    @contextlib.contextmanager
    def opened(self) -> Iterator[tuple[Any, Any]]:
        """The container and its best video stream, not yet decoded."""
        if not self.file.stat().st_size:
            raise VideoError("the file is empty")
        with self.file.open("rb") as data:
            try:
                container = av.open(
                    data,
                    options={"format_whitelist": ",".join(self.limits.formats), "protocol_whitelist": "none"},
                    io_open=_refuse,
                    metadata_errors="replace",
                )
            except Exception as error:  # a demuxer fed with a stranger's bytes may raise anything at all
                raise VideoError(
                    "this is not an MP4, MOV, MKV, WebM, AVI, MPEG or Ogg video, or its beginning is damaged: "
                    "export it as MP4"
                ) from error
            with container:
                container.flags &= ~cast(
                    int, Flags.gen_pts.value
                )  # guesses of FFmpeg's, which are wrong for H.264 in AVI
                stream = facts.best_stream(container)
                context = stream.codec_context
                if context is None or context.codec.canonical_name not in self.limits.codecs:
                    codec = "an unknown codec" if context is None else context.name
                    raise VideoError("its video is coded as {}, which is not accepted: export it as H.264 MP4", codec)
                context.options = {"max_pixels": str(self.limits.pixels)}  # a frame may be larger than the file says
                context.thread_type = "AUTO"
                yield container, stream

    def frames(self) -> Iterator[Frame]:
        """Decode frame after frame; times rise strictly. Damaged frames are skipped or used, and noted at the end.

        Raises:
            VideoError: If the video goes beyond a limit, or no frame can be decoded.
        """
        with self.opened() as (container, stream):
            reading = _Reading(self, container, stream)
            order = filters.field_order(self.codec, stream.codec_context.field_order)
            aspect: Fraction | None = stream.sample_aspect_ratio or None
            count = 0
            for time, duration, decoded in filters.tone_mapped(filters.deinterlaced(reading.images(), order)):
                same_size = (decoded.width, decoded.height) == self.size
                image = decoded if same_size else decoded.reformat(*self.size)  # the output has one size
                turned = aspect is not None and pixels.is_transposed(image)
                yield Frame(time, duration, image, self.codec, 1 / aspect if aspect and turned else aspect)
                count += 1
        if count != self.decoded:
            raise LostFramesError(f"{self.decoded} frames were decoded, and {count} of them came out: try again")
        if not count:
            raise VideoError("none of its frames can be decoded: send the original")
        self.pieces, self.end = reading.clock.pieces, reading.clock.end
        self.notes += reading.notes(order is not None)


class _Reading:
    """One reading of a video's frames from its beginning, and what was seen on the way."""

    def __init__(self, video: Video, container: Any, stream: Any) -> None:
        self._video, self._container, self._stream = video, container, stream
        unit, frame = video.time_base, max(1, round(1 / (video.rate * video.time_base)))
        can_jump = bool(container.format.flags & FormatFlags.ts_discont.value)
        self.clock = Clock(video.start, stream.time_base or unit, unit, frame, can_jump, video.seconds)
        self._lost = self._damaged = self._interlaced = self._hdr = self._other_size = 0
        self._sound_end = Fraction(0)
        video.decoded = 0

    def images(self) -> Iterator[filters.Timed]:
        """Every decoded frame, with its time."""
        video = self._video
        for image in self._decoded():
            time, duration = self.clock.frame(image)
            video.limits.check_frame(video.decoded, float(time * video.time_base))
            video.decoded += 1
            self._damaged += image.is_corrupt
            self._interlaced += image.interlaced_frame
            self._hdr += filters.is_hdr(image)
            self._other_size += (image.width, image.height) != video.size
            yield filters.Timed(time, duration, image)

    def _decoded(self) -> Iterator[av.VideoFrame]:
        for packet in facts.packets(self._container, self._stream, *self._container.streams.audio):
            if packet is None:
                self._lost += 1
            elif packet.stream.index == self._stream.index:
                self.clock.add_packet(packet)
                yield from self._decode(packet)
            else:
                self._add_sound(packet)
        yield from self._decode(None)  # what is left in the decoder comes out

    def _decode(self, packet: Any) -> Iterator[av.VideoFrame]:
        try:
            yield from self._stream.decode(packet)
        except MemoryError:  # FFmpeg's too: the file is not to blame
            raise
        except av.FFmpegError:
            self._lost += 1

    def _add_sound(self, packet: Any) -> None:
        self.clock.add_sound(packet)
        if packet.dts is not None:
            end = (packet.dts + (packet.duration or 0)) * packet.time_base - self._video.start
            self._sound_end = max(self._sound_end, end)

    def notes(self, all_interlaced: bool) -> list[str]:
        """What the owner should know of this reading."""
        video = self._video
        notes: list[str] = []
        missing = (video.indexed or 0) - video.decoded - self._lost
        end = self.clock.end if video.is_length_own else max(self.clock.end, self._sound_end)
        jumps = [float(piece.first + piece.shift) for piece in self.clock.pieces[1:]]
        if self._lost:
            notes.append(Sentence("{} damaged pieces of its video could not be decoded and are skipped", self._lost))
        if self._damaged:
            notes.append(Sentence("{} of its frames are damaged, and colored as they are", self._damaged))
        if video.seconds is not None and not jumps and end < video.seconds - max(0.5, 2 / float(video.rate)):
            notes.append(
                Sentence(
                    "its picture ends after {} of {} seconds: is the file cut short?",
                    f"{float(self.clock.end):.1f}",
                    f"{video.seconds:.1f}",
                )
            )
        elif missing > 0:
            notes.append(Sentence("{} of the {} frames that it should have are missing", missing, video.indexed))
        if jumps:
            times = ", ".join(f"{seconds:.1f}" for seconds in jumps[:_JUMPS_TOLD]) + ", ..." * (
                len(jumps) > _JUMPS_TOLD
            )
            notes.append(Sentence("its clock jumps after {} seconds: what follows is shown without a gap", times))
        if self._interlaced or all_interlaced:
            notes.append(
                Sentence(
                    "{} of its {} frames are interlaced: the two fields of each are made into one picture",
                    video.decoded if all_interlaced else self._interlaced,
                    video.decoded,
                )
            )
        if self._hdr:
            notes.append("its high dynamic range is reduced to that of usual screens")
        if self._other_size:
            notes.append(
                Sentence(
                    "{} of its {} frames have another size, and are brought to that of the first one",
                    self._other_size,
                    video.decoded,
                )
            )
        return notes


def _refuse(url: str, *_: object) -> NoReturn:
    """Open nothing that a file asks for."""
    raise PermissionError(f"a video asked for another file to be opened: {url!r}")
