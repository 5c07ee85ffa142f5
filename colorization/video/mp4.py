"""MP4 files that are written: frames encoded in segments, and these put together with the source's own sound."""

import errno
import heapq
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from colorization.sentence import Sentence
from colorization.video.container import Video
from colorization.video.limits import LostFramesError
from colorization.video.sound import Tracks

_KEPT_METADATA = ("title", "artist", "copyright")  # not the place, the camera or comments: they may be private
_FINER = ",".join(["7"] * 16)  # steps of quantization for 4x4 coefficients; 16 is the usual one
X264 = {
    "preset": "veryfast",
    # Segments that begin with a key frame and have no B-frames can be put together as they are. Without MB-tree, as
    # with it x264 gives some key frames another quality in some runs: equal frames were coded to different files. Color
    # is coded finer than by default, by its offset and by matrices, and nothing by trellis quantization: coarser steps
    # make it flicker by half as much again. This takes three to eight tenths more bytes. The preset "fast" takes twice
    # the time, for files a tenth to a fifth smaller.
    "x264-params": f"bframes=0:stitchable=1:no-mbtree=1:chroma-qp-offset=-12:trellis=0:cqm4ic={_FINER}:cqm4pc={_FINER}",
}
_BT709 = 1  # FFmpeg's numbers for a color matrix, and for a range
_LIMITED = 1
# Errors of the disk or of memory, for which the sound is not to blame.
_NOT_OF_THE_SOUND = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.ENOMEM))
_TIME_CODE = re.compile(r"\d\d:\d\d:\d\d[:;.]\d\d")


class Encoder:
    """A file of H.264 that begins with a key frame and has no B-frames, so that such files can follow each other.

    A context manager; the file is whole when it is left without an exception.
    """

    def __init__(self, file: Path, video: Video, size: tuple[int, int], crf: int, aspect: Fraction | None) -> None:
        """Begin a file for frames of one (width, height), both even: 4:2:0 has one color for 2x2 pixels.

        Args:
            file: The file to write.
            video: Whose rate and time base it has.
            size: Of the frames.
            crf: Quality of H.264.
            aspect: Of the pixels, width to height; None if it is not known.
        """
        self._video = video
        self._container = av.open(str(file), "w", format="nut")  # keeps any time base exactly
        stream = self._container.add_stream("libx264", rate=video.rate, options={"crf": str(crf)} | X264)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = video.time_base
        context.color_primaries = context.color_trc = context.colorspace = _BT709
        context.color_range = _LIMITED
        if aspect:
            context.sample_aspect_ratio = aspect
        self._stream: Any = stream
        self._file, self._frames, self._packets = file, 0, 0

    def __enter__(self) -> "Encoder":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._mux(self._stream.encode(None))
        self._container.close()
        if kind is None:
            _check(self._packets, self._frames, self._file)

    def write(self, frame: av.VideoFrame, time: int) -> None:
        """Append a frame, see `video_frame`, that is shown at a time, in units of the video's `time_base`."""
        frame.pts, frame.time_base = time, self._video.time_base
        self._frames += 1
        self._mux(self._stream.encode(frame))

    def _mux(self, packets: list[Any]) -> None:
        self._packets += len(packets)
        self._container.mux(packets)


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


def concatenate_segments(
    segments: Sequence[Path], frames: int, video: Video, target: Path, last_duration: int
) -> list[str]:
    """Put encoded segments together to one MP4 file, with the sound, subtitles, chapters and time code of the source.

    Nothing is re-encoded but sound of a kind that MP4 players do not know: it becomes AAC.

    Args:
        segments: Files written by `Encoder`, in order.
        frames: How many frames they hold.
        video: Where sound, subtitles, chapters, time code and title come from; its frames have been read.
        target: The file to write.
        last_duration: Of the last frame, in units of `video.time_base`.

    Returns:
        What the owner should know.

    Raises:
        LostFramesError: If the file would hold another number of frames.
        OSError: If the file cannot be written.
    """
    why = Sentence("MP4 does not take it as it is")
    for copy in (True, False):
        try:
            return _concatenated(segments, frames, video, target, last_duration, (copy, why))
        except (av.FFmpegError, ValueError) as error:
            if getattr(error, "errno", None) in _NOT_OF_THE_SOUND:
                raise
            why = Sentence("it cannot be copied ({})", getattr(error, "strerror", None) or error)
    notes = _concatenated(segments, frames, video, target, last_duration, None)
    return [*notes, Sentence("its sound is damaged and skipped: {}", why)]


def _concatenated(
    segments: Sequence[Path],
    frames: int,
    video: Video,
    target: Path,
    last_duration: int,
    sound: tuple[bool, Sentence] | None,
) -> list[str]:
    notes: list[str] = []
    with (
        video.opened() as (source, _),
        av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as output,
    ):
        with av.open(str(segments[0]), format="nut") as first:
            stream = output.add_stream_from_template(first.streams.video[0])
        stream.codec_context.framerate = video.rate
        if video.time_code and _fits(video.time_code, video.rate):
            stream.metadata["timecode"] = video.time_code
        elif video.time_code:
            notes.append(
                Sentence("its time code ({}) is left out: MP4 does not take it at this frame rate", video.time_code)
            )
        tracks = Tracks(video, source, output, *sound) if sound else None
        output.metadata.update({key: text for key, text in source.metadata.items() if key in _KEPT_METADATA})
        if chapters := source.chapters():
            output.set_chapters(chapters)
        packets = heapq.merge(
            _picture(segments, frames, stream, last_duration * video.time_base),
            tracks.packets() if tracks else (),
            key=lambda p: p.dts * p.time_base,
        )
        for packet in packets:
            output.mux(packet)
    with av.open(str(target)) as result:
        _check(result.streams.video[0].frames, frames, target)
    return notes + (tracks.notes if tracks else [])


def _picture(segments: Sequence[Path], frames: int, stream: Any, last_duration: Fraction) -> Iterator[Any]:
    """The packets of all segments for one stream; each lasts until the next, the last one as many seconds as given."""
    before: Any = None
    count = 0
    for segment in segments:
        with av.open(str(segment), format="nut") as container:
            packets: Iterator[Any] = container.demux(video=0)
            for packet in packets:
                if not packet.size:  # the end; of short segments some packets come without a time of decoding
                    continue
                count += 1
                if before is not None:
                    before.duration = packet.pts - before.pts
                    yield before
                before, packet.stream = packet, stream
                packet.dts = packet.pts  # there are no B-frames
    _check(count, frames, segments[-1].parent)
    if before is not None:
        before.duration = round(last_duration / before.time_base)
        yield before


def _check(found: int, expected: int, place: Path) -> None:
    """Fail rather than give a video with fewer frames than were colored."""
    if found != expected:
        raise LostFramesError(f"{place.name} holds {found} frames instead of {expected}: try again")


def _fits(time_code: str, rate: Fraction) -> bool:
    """Whether MP4 takes a time code: those that drop numbers are for multiples of 30 frames per second."""
    drops = not time_code[-3:].startswith(":")
    return bool(_TIME_CODE.fullmatch(time_code)) and not (drops and round(rate) % 30)
