"""Filters of FFmpeg's for decoded frames: deinterlacing, and high dynamic range to that of usual screens."""

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import av
from av.filter import Graph

from colorization.video.limits import LostFramesError, VideoError

_UNSPECIFIED, _BT2020 = 2, 9  # FFmpeg's numbers for color matrices
_PQ, _HLG = 16, 18  # and for the transfer curves of ITU-R BT.2100
_FIELD_ORDERS = {2: "tff", 3: "bff", 4: "bff", 5: "tff"}  # by the field that is shown first
# Codecs in which each frame says itself whether it is interlaced; for the others the container says it.
_FRAMES_SAY = frozenset(
    (
        "h264",
        "hevc",
        "vvc",
        "mpeg1video",
        "mpeg2video",
        "mpeg4",
        "vc1",
        "wmv3",
        "av1",
        "vp8",
        "vp9",
        "dvvideo",
        "prores",
    )
)


class Timed(NamedTuple):
    """A decoded frame, and when and how long it is shown in units of the video's own."""

    time: int
    duration: int
    image: av.VideoFrame


def field_order(codec: str, of_container: int) -> str | None:
    """The order of fields that a container says, for codecs whose frames do not say it: tff, bff, or None."""
    return None if codec in _FRAMES_SAY else _FIELD_ORDERS.get(of_container)


def is_hdr(image: av.VideoFrame) -> bool:
    """Whether a frame has one of the transfer curves of high dynamic range."""
    return image.color_trc in (_PQ, _HLG)


def tone_mapped(images: Iterable[Timed]) -> Iterator[Timed]:
    """Frames of high dynamic range in the range of sRGB; others as they are.

    Source:
        FFmpeg's swscale, perceptual intent, which adapts to the brightness that the file says of itself; for PQ it is
        10,000 cd/m2 where the file says nothing.
    """
    filtering = _Filter("scale", "out_transfer=iec61966-2-1:out_primaries=bt709:intent=perceptual", "gbrp16le")
    for timed in images:
        yield from filtering.put(timed) if is_hdr(timed.image) else (timed,)
    yield from filtering.end()


def deinterlaced(images: Iterable[Timed], order: str | None) -> Iterator[Timed]:
    """As many frames, each interlaced one with its two fields made into one picture; the others as they are.

    Args:
        images: Frames.
        order: Of the fields of all frames, tff or bff; None if the frames say it themselves.

    Source:
        FFmpeg's bwdif.
    """
    choice = f"mode=send_frame:parity={order or 'auto'}:deint={'all' if order else 'interlaced'}"
    filtering = _Filter("bwdif", choice)
    for timed in images:
        if order or filtering.is_used or timed.image.interlaced_frame:
            yield from filtering.put(timed)
        else:
            yield timed
    yield from filtering.end()


class _Filter:
    """One of FFmpeg's filters that gives as many frames as it takes; what it gives keeps the times of what it took."""

    def __init__(self, name: str, options: str, pixels: str = "") -> None:
        self._name, self._options, self._pixels = name, options, pixels
        self._graph: Graph | None = None
        self._kind: tuple[Any, ...] = ()
        self._waiting: deque[Timed] = deque()
        self._count = 0

    @property
    def is_used(self) -> bool:
        """Whether any frame was put in."""
        return self._graph is not None

    def put(self, timed: Timed) -> Iterator[Timed]:
        """Put a frame in, and take out what is finished."""
        image = timed.image
        kind = (image.width, image.height, image.format.name, image.colorspace, image.color_range)
        if kind != self._kind:
            yield from self.end()
            self._graph, self._kind = self._made(image), kind
        self._waiting.append(timed)
        self._count += 1
        image.pts, image.time_base = self._count, Fraction(1, 1000)
        yield from self._taken(image)

    def end(self) -> Iterator[Timed]:
        """Take out the rest."""
        if self._graph is not None and self._waiting:
            yield from self._taken(None)
            if self._waiting:
                raise LostFramesError(f"FFmpeg's {self._name} has lost {len(self._waiting)} frames: try again")
        self._kind = ()

    def _taken(self, image: av.VideoFrame | None) -> Iterator[Timed]:
        graph = self._graph
        assert graph is not None
        try:
            graph.vpush(image)
        except (av.FFmpegError, ValueError) as error:
            raise VideoError("its pixels ({}) cannot be converted: export it as MP4", self._kind[2]) from error
        while True:
            try:
                finished = graph.vpull()
            except (av.BlockingIOError, EOFError):
                return
            yield self._waiting.popleft()._replace(image=finished)

    def _made(self, image: av.VideoFrame) -> Graph:
        graph = Graph()
        matrix = _BT2020 if is_hdr(image) and image.colorspace == _UNSPECIFIED else image.colorspace
        source = graph.add(
            "buffer",
            video_size=f"{image.width}x{image.height}",
            pix_fmt=image.format.name,
            time_base="1/1000",
            pixel_aspect="1/1",
            colorspace=str(matrix),
            range=str(image.color_range),
        )
        nodes = [source, graph.add(self._name, self._options)]
        if self._pixels:
            nodes.append(graph.add("format", self._pixels))
        try:
            graph.link_nodes(*nodes, graph.add("buffersink")).configure()
        except (av.FFmpegError, ValueError) as error:
            raise VideoError("its pixels ({}) cannot be converted: export it as MP4", image.format.name) from error
        return graph
