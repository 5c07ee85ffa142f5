"""AAC: tracks of sound that are decoded and encoded again, with their channels in their order and at their level."""

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.filter import Graph

_AAC_RATES = frozenset((96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350))
_USUAL_RATE = 48000  # Hz
_BITS_PER_CHANNEL = 128_000  # per second
_MOST_BITS_PER_SAMPLE = 6144 // 1024  # of a channel
_AAC_FRAME = 1024  # samples
_SYNCHRONOUS = 0.02  # s; clocks of frames and of samples that differ by less are the same
# Layouts that the encoder of AAC knows. Channels of no such layout keep their order, and get places of which none is
# for low frequencies: of those AAC keeps the lowest 120 Hz. More than eight channels get a track each.
_LAYOUTS = ("mono", "stereo", "2.1", "3.0", "3.0(back)", "3.1", "4.0", "quad", "4.1", "5.0", "5.1", "6.1", "7.0", "7.1")
_UNNAMED = ("mono", "stereo", "3.0", "4.0", "5.0", "hexagonal", "7.0", "octagonal")
_BACK = {"SL": "BL", "SR": "BR"}  # in layouts without backs, sides are the same loudspeakers


class EncodedTrack:
    """A track that is decoded and encoded as AAC: its channels in their order and at their level.

    Attributes:
        outputs: The tracks of the output that it becomes: one, or one for each channel.
        before, after: What else is changed, for its note.
    """

    def __init__(self, stream: Any, output: Any) -> None:
        """Add what it becomes to an output.

        Args:
            stream: Of the source, not yet decoded.
            output: A container of MP4, not yet written to.
        """
        context = stream.codec_context
        rate = context.sample_rate if context.sample_rate in _AAC_RATES else _USUAL_RATE
        names, layout = _channels(context)
        self.before = self.after = ""
        if len(names) > len(_UNNAMED):
            groups = [([channel], "mono") for channel in range(len(names))]
            self.before, self.after = f", {len(names)} channels", f" ({len(names)} tracks)"
        else:
            groups = [_places(names)]
        if rate != context.sample_rate:
            self.before += f", {context.sample_rate / 1000:g} kHz"
            self.after += f" ({rate / 1000:g} kHz)"
        self._encoders = [_AacEncoder(output, layout, *group, rate) for group in groups]
        self.outputs = [encoder.output for encoder in self._encoders]
        self._stream = stream
        self._shift = Fraction(0)
        self._next: int | None = None  # when the newest frame ends, in samples

    def put(self, packet: Any, shift: Fraction) -> Iterator[Any]:
        """Packets of AAC after one of the source, whose times are shifted by so many seconds.

        What cannot be decoded is silence.
        """
        self._shift = shift
        yield from self._decoded(packet)

    def _decoded(self, packet: Any) -> Iterator[Any]:
        with contextlib.suppress(av.FFmpegError):
            for frame in self._stream.decode(packet):
                rate = frame.sample_rate
                own = None if frame.pts is None else round((frame.pts * frame.time_base + self._shift) * rate)
                frame.pts, frame.time_base = self._next if own is None else own, Fraction(1, rate)
                self._next = None if frame.pts is None else frame.pts + frame.samples
                for encoder in self._encoders:
                    yield from encoder.encoded(frame)

    def end(self) -> Iterator[Any]:
        """The last packets."""
        yield from self._decoded(None)
        for encoder in self._encoders:
            yield from encoder.encoded(None)


def _channels(context: Any) -> tuple[list[str], str]:
    """The channels that a decoder that is not yet open gives, and the name of the layout of its frames.

    PyAV 18.1 frees what a layout in an order of its own points to with every object of that layout, and crashes. So
    such a layout is read once, and replaced by one that has only a number of channels.
    """
    layout = context.layout
    names, name = [channel.name for channel in layout.channels], layout.name
    if "channels" in name:
        name = f"{len(names)} channels"
        context.layout = name
    return names, name


def _places(names: list[str]) -> tuple[list[int], str]:
    """Where channels go: those of a layout of AAC, in its order, and that layout."""
    if not {"BL", "BR"} & set(names):
        names = [_BACK.get(name, name) for name in names]
    for layout in _LAYOUTS:
        order = [channel.name for channel in av.AudioLayout(layout).channels]
        if sorted(order) == sorted(names):
            return [names.index(name) for name in order], layout
    return list(range(len(names))), _UNNAMED[len(names) - 1]


class _AacEncoder:
    """An encoder of some channels of frames: those of the layout that is expected are taken as they are, not mixed."""

    def __init__(self, output: Any, expected: str, channels: list[int], layout: str, rate: int) -> None:
        bits = min(_BITS_PER_CHANNEL, _MOST_BITS_PER_SAMPLE * rate) * len(channels)
        self.output = output.add_stream("aac", rate=rate, layout=layout, bit_rate=bits)
        self._expected, self._channels, self._layout, self._rate = expected, channels, layout, rate
        self._kind: tuple[Any, ...] = ()  # of the frames that the converter is for
        self._converter: Graph | None = None
        # Gaps become silence, and what overlaps is cut; pieces of the size that the encoder needs.
        self._cutter = _graph(
            ("fltp", layout, rate),
            ("aresample", f"async=1:min_hard_comp={_SYNCHRONOUS}"),
            ("aformat", f"sample_fmts=fltp:sample_rates={rate}:channel_layouts={layout}"),
        )
        self._cutter.set_audio_frame_size(_AAC_FRAME)

    def encoded(self, frame: Any) -> Iterator[Any]:
        """Packets of what was put in so far; None is the end."""
        if frame is None:
            yield from self._converted(None)
            yield from self._cut(None)
            yield from self.output.encode(None)
            return
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._kind:
            yield from self._converted(None)
            where = f"map={'|'.join(map(str, self._channels))}:channel_layout={self._layout}"
            self._converter = _graph(
                kind,
                ("channelmap", where) if frame.layout.name == self._expected else ("anull", ""),
                ("aresample", f"osr={self._rate}"),
                ("aformat", f"sample_fmts=fltp:channel_layouts={self._layout}"),
            )
            self._kind = kind
        yield from self._converted(frame)

    def _converted(self, frame: Any) -> Iterator[Any]:
        if self._converter:
            for piece in _through(self._converter, frame):
                yield from self._cut(piece)

    def _cut(self, frame: Any) -> Iterator[Any]:
        for piece in _through(self._cutter, frame):
            yield from self.output.encode(piece)


def _graph(kind: tuple[Any, ...], *filters: tuple[str, str]) -> Graph:
    """Filters for frames of one sample format, layout and rate."""
    sample_format, layout, rate = kind
    graph = Graph()
    options = {"sample_fmt": sample_format, "channel_layout": layout, "sample_rate": str(rate)}
    source = graph.add("abuffer", time_base=f"1/{rate}", **options)
    nodes = [source, *(graph.add(name, choice) for name, choice in filters), graph.add("abuffersink")]
    graph.link_nodes(*nodes).configure()
    return graph


def _through(graph: Graph, frame: Any) -> Iterator[Any]:
    """What comes out of filters after a frame, or at the end."""
    graph.push(frame)
    while True:
        try:
            yield graph.pull()
        except (av.BlockingIOError, EOFError):
            return
