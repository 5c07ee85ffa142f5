"""Sound and subtitles of a video's source for an MP4 file: copied where its players know their kind, else AAC."""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from colorization.sentence import Sentence
from colorization.video import facts
from colorization.video.aac import EncodedTrack
from colorization.video.clock import TrackClock
from colorization.video.container import Video

_COPIED = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "flac", "alac", "mov_text"})  # what players of MP4 know
_BEYOND = 600  # s after the end of the picture and of what came so far; a later time is a damaged one
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
        self._tracks: dict[int, _Copied | EncodedTrack] = {}
        for stream in (*source.streams.audio, *source.streams.subtitles):
            name = stream.codec_context.codec.canonical_name if stream.codec_context else "unknown"
            if name in _COPIED and (stream.type == "subtitle" or (copy and _is_known(stream))):
                track: _Copied | EncodedTrack = _Copied(stream, output)
            elif stream.type == "audio" and _is_known(stream):
                track = EncodedTrack(stream, output)
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
