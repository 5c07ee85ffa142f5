"""MP4 files that are written: frames encoded in segments, and the segments joined with the source's own sound."""

import contextlib
import heapq
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from colorization.video.container import Video, start_of

_COPIED = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "flac", "alac", "mov_text"})  # what players of MP4 know
_KEPT_METADATA = ("title", "artist", "copyright")  # not the place, the camera or comments: they may be private
_FINER = ",".join(["7"] * 16)  # steps of quantization for 4x4 coefficients; 16 is the usual one
X264 = {
    "preset": "veryfast",
    # Segments that begin with a key frame and have no B-frames can be joined as they are. Without MB-tree, as with it
    # x264 gives some key frames another quality in some runs: equal frames were coded to different files. Color is
    # coded finer than by default, by its offset and by matrices, and nothing by trellis quantization: coarser steps
    # make it flicker by half as much again. This takes three to eight tenths more bytes. The preset "fast" takes twice
    # the time, for files a tenth to a fifth smaller.
    "x264-params": f"bframes=0:stitchable=1:no-mbtree=1:chroma-qp-offset=-12:trellis=0:cqm4ic={_FINER}:cqm4pc={_FINER}",
}
_BT709 = 1  # FFmpeg's numbers for a color matrix, and for a range
_LIMITED = 1


class Encoder:
    """A file of H.264 that begins with a key frame and has no B-frames, so that such files can be joined as they are.

    A context manager; the file is whole when it is left without an exception.
    """

    def __init__(self, file: Path, video: Video, size: tuple[int, int], crf: int) -> None:
        """Begin a file for frames of one (width, height), both even: 4:2:0 has one color for 2x2 pixels."""
        self._video = video
        self._container = av.open(str(file), "w", format="nut")  # keeps any time base exactly
        stream = self._container.add_stream("libx264", rate=video.rate, options={"crf": str(crf)} | X264)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = video.time_base
        context.color_primaries = context.color_trc = context.colorspace = _BT709
        context.color_range = _LIMITED
        if video.aspect:
            turned = (size[0] > size[1]) != (video.size[0] > video.size[1])
            context.sample_aspect_ratio = 1 / video.aspect if turned else video.aspect
        self._stream: Any = stream

    def __enter__(self) -> "Encoder":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._container.mux(self._stream.encode(None))
        self._container.close()

    def write(self, frame: av.VideoFrame, time: int) -> None:
        """Append a frame, see `video_frame`, that is shown at a time, in units of the video's `time_base`."""
        frame.pts, frame.time_base = time, self._video.time_base
        self._container.mux(self._stream.encode(frame))


def video_frame(luma: NDArray[np.uint8], chroma: NDArray[np.float32]) -> av.VideoFrame:
    """A frame of Y'CbCr, 4:2:0, BT.709 in limited range.

    Args:
        luma: (H, W), of even height and width.
        chroma: Cb and Cr, (2, H / 2, W / 2); rounded to the nearest levels.
    """
    pixels = np.concatenate((luma.ravel(), np.rint(chroma).astype(np.uint8).ravel())).reshape(-1, luma.shape[1])
    frame = av.VideoFrame.from_ndarray(pixels, "yuv420p")
    frame.colorspace, frame.color_range = _BT709, _LIMITED
    return frame


def join(parts: list[Path], video: Video, target: Path, last_duration: int) -> list[str]:
    """Join encoded parts to one MP4 file, with the sound, subtitles and chapters of the source.

    Nothing is re-encoded, but for sound of a kind that MP4 players do not know: it becomes AAC.

    Args:
        parts: Files written by `Encoder`, in order.
        video: Where sound, subtitles, chapters and title come from.
        target: The file to write.
        last_duration: Of the last frame, in units of `video.time_base`.

    Returns:
        What the owner should know.
    """
    try:
        return _join(parts, video, target, last_duration, sound=True)
    except (av.FFmpegError, ValueError) as error:
        _join(parts, video, target, last_duration, sound=False)
        return [f"its sound is damaged and could not be copied ({error})"]


def _join(parts: list[Path], video: Video, target: Path, last_duration: int, sound: bool) -> list[str]:
    notes = []
    with (
        video.opened() as (source, _),
        av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as output,
    ):
        with av.open(str(parts[0]), format="nut") as first:
            stream = output.add_stream_from_template(first.streams.video[0])
        tracks: dict[int, Any] = {}
        for other in [*source.streams.audio, *source.streams.subtitles] if sound else []:
            name = other.codec_context.name if other.codec_context else "unknown"
            if name.removesuffix("float") in _COPIED:
                track = output.add_stream_from_template(other)
            elif other.type == "audio" and other.codec_context:
                track = output.add_stream("aac", rate=other.codec_context.sample_rate)
                notes.append(f"its sound ({name}) is kept as AAC: MP4 does not take it as it is")
            else:
                notes.append(f"its subtitles ({name}) are skipped: MP4 does not take them")
                continue
            track.metadata.update({key: text for key, text in other.metadata.items() if key == "language"})
            tracks[other.index] = track
        output.metadata.update({key: text for key, text in source.metadata.items() if key in _KEPT_METADATA})
        if chapters := source.chapters():
            output.set_chapters(chapters)
        packets = heapq.merge(
            _joined(parts, stream, last_duration * video.time_base),
            _others(source, tracks),
            key=lambda p: p.dts * p.time_base,
        )
        for packet in packets:
            output.mux(packet)
    return notes


def _joined(parts: list[Path], stream: Any, last_duration: Fraction) -> Iterator[Any]:
    """The packets of all parts for one stream; each lasts until the next, the last one as many seconds as given."""
    before: Any = None
    for part in parts:
        with av.open(str(part), format="nut") as container:
            packets: Iterator[Any] = container.demux(video=0)
            for packet in packets:
                if packet.dts is None:  # the end
                    continue
                if before is not None:
                    before.duration = packet.pts - before.pts
                    yield before
                before, packet.stream = packet, stream
    if before is not None:
        before.duration = round(last_duration / before.time_base)
        yield before


def _others(source: Any, tracks: dict[int, Any]) -> Iterator[Any]:
    """The packets of all other streams that are kept, each for its own track, on the clock of `Video.frames`."""
    if not tracks:
        return
    encoders = {
        index: track for index, track in tracks.items() if track.codec_context and track.codec_context.is_encoder
    }
    wanted = [source.streams[index] for index in tracks]
    for packet in source.demux(*wanted):
        index, start = packet.stream.index, start_of(source, packet.time_base)
        if index in encoders:
            yield from _encoded(packet, encoders[index], start)
        elif packet.dts is not None:
            packet.stream = tracks[index]
            packet.dts -= start
            packet.pts = packet.dts if packet.pts is None else packet.pts - start
            yield packet
    for track in encoders.values():
        yield from track.encode(None)


def _encoded(packet: Any, track: Any, start: int) -> Iterator[Any]:
    """One packet of sound, decoded and re-encoded; what cannot be decoded is silence."""
    with contextlib.suppress(av.FFmpegError):
        for sound in packet.decode():
            if sound.pts is not None:
                sound.pts -= start
            yield from track.encode(sound)
