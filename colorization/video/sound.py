"""Sound and subtitles of a video's source for an MP4 file: copied where its players know their kind, else AAC."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.filter import Graph

from colorization.sentence import Sentence
from colorization.video import facts
from colorization.video.clock import TrackClock
from colorization.video.container import Video

_COPIED = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "flac", "alac", "mov_text"})  # what players of MP4 know
_AAC_RATES = frozenset((96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350))
_USUAL_RATE = 48000  # Hz
_BITS_PER_CHANNEL = 128_000  # per second
_MOST_BITS_PER_SAMPLE = 6144 // 1024  # of a channel
_AAC_FRAME = 1024  # samples
_BEYOND = 600  # s after the end of the picture and of what came so far; a later time is a damaged one
_SYNCHRONOUS = 0.02  # s; clocks of frames and of samples that differ by less are the same
# Layouts that the encoder of AAC knows. Channels of no such layout keep their order, and get places of which none is
# for low frequencies: of those AAC keeps the lowest 120 Hz. More than eight channels get a track each.
_LAYOUTS = ("mono", "stereo", "2.1", "3.0", "3.0(back)", "3.1", "4.0", "quad", "4.1", "5.0", "5.1", "6.1", "7.0", "7.1")
_UNNAMED = ("mono", "stereo", "3.0", "4.0", "5.0", "hexagonal", "7.0", "octagonal")
_BACK = {"SL": "BL", "SR": "BR"}  # in layouts without backs, sides are the same loudspeakers
_ADTS = (b"\xff\xf0", bytes.fromhex("fff6fdc0"))  # a packet's first bits, and those that do not change within a stream


class SoundChangesError(ValueError):
    """Sound that cannot be copied as it changes on the way: recordings of several kinds were joined."""


class Tracks:
    """All tracks of a source but its picture, and where they go in the output.

    Attributes:
        notes: What the owner should know; complete when all `packets` were taken.
    """

    def __init__(self, video: Video, source: Any, output: Any, copy: bool, why: Sentence) -> None:
        """Add the tracks to an output.

        Args:
            video: The source; its frames have been read.
            source: The same, opened.
            output: A container of MP4, not yet written to.
            copy: Whether sound that players of MP4 know is copied.
            why: Why other sound is re-encoded, for its note.
        """
        self.notes: list[Sentence] = []
        self._video, self._source = video, source
        self._tracks: dict[int, _Copied | _Encoded] = {}
        for stream in (*source.streams.audio, *source.streams.subtitles):
            name = stream.codec_context.codec.canonical_name if stream.codec_context else "unknown"
            if name in _COPIED and (stream.type == "subtitle" or (copy and _is_known(stream))):
                track: _Copied | _Encoded = _Copied(stream, output)
            elif stream.type == "audio" and _is_known(stream):
                track = _Encoded(stream, output)
                self.notes.append(
                    Sentence("its sound ({}) is kept as AAC{}: {}", name + track.before, track.after, why)
                )
            elif stream.type == "audio":
                self.notes.append(Sentence("its sound ({}) is skipped: it cannot be decoded", name))
                continue
            else:
                self.notes.append(Sentence("its subtitles ({}) are skipped: MP4 does not take them", name))
                continue
            for made in track.outputs:
                made.metadata.update({key: text for key, text in stream.metadata.items() if key == "language"})
                made.disposition = stream.disposition.value
            self._tracks[stream.index] = track
        sounds = [stream for stream in source.streams.audio if stream.index in self._tracks]
        count = sum(len(self._tracks[stream.index].outputs) for stream in sounds)
        if count > len({stream.language for stream in sounds}):
            self.notes.append(
                Sentence("most players play only the first of its {} tracks of sound; all are kept", count)
            )
        self.notes = [_of_several(note, count) for note, count in Counter(self.notes).items()]

    def packets(self) -> Iterator[Any]:
        """The packets of all tracks, each for its own one, on the clock of the frames; see `Clock`."""
        if not self._tracks:
            return
        clocks = {index: TrackClock(self._video.pieces) for index in self._tracks}
        latest, skipped = self._video.end, 0
        for packet in facts.packets(self._source, *(self._source.streams[index] for index in self._tracks)):
            if packet is None:
                break
            track, clock = self._tracks[packet.stream.index], clocks[packet.stream.index]
            time = packet.dts if packet.dts is not None else packet.pts
            shift = -self._video.start
            if time is not None and self._video.pieces:
                shift += clock.shift(time * packet.time_base + shift, packet.pos)
            if time is not None and latest is not None:
                shown = time * packet.time_base + shift
                if shown >= latest + _BEYOND:
                    skipped += 1
                    continue
                latest = max(latest, shown)
            yield from track.put(packet, shift)
        if skipped:
            self.notes.append(
                Sentence(
                    "{} packets of its sound or subtitles are skipped: their times are far beyond its end", skipped
                )
            )
        for track in self._tracks.values():
            yield from track.end()


def _of_several(note: Sentence, count: int) -> Sentence:
    """A note that is true of so many tracks."""
    first, *others = note.values
    return note if count == 1 else Sentence(note.template, f"{first}, {count} tracks", *others)


def _is_known(stream: Any) -> bool:
    """Whether a track of sound can be decoded, and FFmpeg has found any of it."""
    return bool(stream.codec_context and stream.codec_context.sample_rate)


class _Copied:
    """A track whose packets are copied."""

    def __init__(self, stream: Any, output: Any) -> None:
        track = output.add_stream_from_template(stream)
        self.outputs = [track]
        self._has_adts = stream.codec_context.codec.canonical_name == "aac" and not stream.codec_context.extradata
        self._header: int | None = None
        self._next: int | None = None  # when the newest packet ends, in units of the stream
        self._last: int | None = None  # when it began
        self._shift: Fraction | None = None

    def put(self, packet: Any, shift: Fraction) -> Iterator[Any]:
        """A packet, its times shifted by so many seconds; none where it would begin before the one before it."""
        self._check(packet)
        by = round(shift / packet.time_base)
        dts = packet.dts if packet.dts is not None else packet.pts
        dts = self._next if dts is None else dts + by
        if dts is None:
            return
        duration = packet.duration or 0
        # Where recordings are joined, the sound of the first may end after that of the second begins.
        earliest = None if self._last is None else self._last + 1
        if self._shift not in (None, shift) and self._next is not None:
            earliest = max(self._next - duration // 2, earliest or 0)
        if earliest is not None and dts < earliest:
            return
        packet.stream = self.outputs[0]
        packet.pts = dts if packet.pts is None else max(dts, packet.pts + by)
        packet.dts = dts
        self._last, self._next, self._shift = dts, dts + duration, shift
        yield packet

    def _check(self, packet: Any) -> None:
        if not self._has_adts:
            return
        start, mask = _ADTS
        first = bytes(memoryview(packet)[:4])
        if first[:1] != start[:1] or len(first) < len(mask) or first[1] & 0xF0 != start[1]:
            return
        header = int.from_bytes(first, "big") & int.from_bytes(mask, "big")
        if self._header not in (None, header):
            raise SoundChangesError("its channels or its rate change")
        self._header = header

    def end(self) -> Iterator[Any]:
        """Nothing more."""
        return iter(())


class _Encoded:
    """A track that is decoded and encoded as AAC: its channels in their order and at their level.

    Attributes:
        before, after: What else is changed, for its note.
    """

    def __init__(self, stream: Any, output: Any) -> None:
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
        """Packets of AAC; what cannot be decoded is silence."""
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
