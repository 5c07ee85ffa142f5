"""Limits of the videos that are read, and the errors of those that cannot be used. It imports nothing of FFmpeg."""

from dataclasses import dataclass

from colorization.sentence import SentenceError

# FFmpeg's names of formats and of codecs. All formats hold their pictures and their sound themselves: no playlists, no
# scripts, no image sequences. The common ones are what a page takes from strangers.
COMMON_FORMATS = ("mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "mpeg", "mpegts", "ogg")
FORMATS = (
    *COMMON_FORMATS,
    *("mpegvideo", "h264", "hevc", "m4v", "dv", "asf", "flv", "mxf", "gxf", "rm", "ivf", "nut", "yuv4mpegpipe", "wtv"),
)
COMMON_CODECS = (
    *("h264", "hevc", "av1", "vp8", "vp9", "mpeg4", "msmpeg4v2", "msmpeg4v3", "h263", "mpeg1video", "mpeg2video"),
    *("theora", "mjpeg", "jpeg2000", "prores", "dnxhd", "dvvideo", "ffv1", "huffyuv", "cinepak", "rawvideo", "png"),
)
CODECS = (
    *COMMON_CODECS,
    *("vvc", "h261", "flv1", "vp6", "vp6f", "msmpeg4v1", "wmv1", "wmv2", "wmv3", "vc1", "rv10", "rv20", "rv30", "rv40"),
    *("v210", "v210x", "v308", "v408", "v410", "r210", "r10k", "yuv4", "utvideo", "magicyuv", "ffvhuff", "cfhd", "hap"),
    *("hqx", "hq_hqa", "sheervideo", "speedhq", "dirac", "snow", "jpegls", "ljpeg", "mjpegb", "dpx", "tiff", "bmp"),
    *("svq1", "svq3", "qtrle", "rpza", "smc", "8bps", "indeo2", "indeo3", "indeo4", "indeo5", "msvideo1", "msrle"),
)
_H264_LARGEST = 139_264 * 256  # pixels of a frame: 16x16 blocks of level 6.2, ITU-T H.264, table A-1


class VideoError(SentenceError):
    """A video that cannot be used; the message says what came and what was expected."""


class LostFramesError(RuntimeError):
    """A result that would have other frames than the source: a fault of this program, or of the disk."""


@dataclass(frozen=True)
class Limits:
    """What is accepted; by default, of one's own videos.

    The limits are checked against what the file says before any work, and against what it holds during it.
    """

    pixels: int = _H264_LARGEST
    """Of one frame."""
    seconds: float = 48 * 3600
    frames: int = 10_000_000
    rate: float = 1000
    """Frames per second, on average."""
    formats: tuple[str, ...] = FORMATS
    codecs: tuple[str, ...] = CODECS

    def check_size(self, width: int, height: int) -> None:
        """Refuse frames that are too large or too small; raises `VideoError`."""
        if width < 1 or height < 1:
            raise VideoError("the file does not say how large its video is: export it as MP4")
        if width * height > self.pixels:
            raise VideoError(
                "its frames have {} megapixels, at most {} are accepted: make it smaller",
                f"{width}x{height} = {width * height / 1e6:.1f}",
                f"{self.pixels / 1e6:.1f}",
            )
        if min(width, height) < 16:
            raise VideoError("its frames have {} pixels, expected 16 or more on each side", f"{width}x{height}")

    def check_length(self, seconds: float | None, frames: int, rate: float) -> None:
        """Refuse a video that says that it is too long or has too many frames per second; raises `VideoError`."""
        if seconds is not None and seconds > self.seconds:
            text = "it lasts {} seconds, at most {} seconds are accepted: cut it"
            raise VideoError(text, f"{seconds:,.0f}", f"{self.seconds:,.0f}")
        if frames > self.frames:
            text = "it has {} frames, at most {} frames are accepted: cut it"
            raise VideoError(text, f"{frames:,}", f"{self.frames:,}")
        if rate > self.rate:
            text = "it has {} frames per second, at most {} per second are accepted: convert it to a usual rate"
            raise VideoError(text, f"{rate:,.0f}", f"{self.rate:,.0f}")

    def check_frame(self, number: int, seconds: float) -> None:
        """Refuse the frame of a number, from 0, at a time, if the video holds more than it says."""
        if number >= self.frames:
            text = "it has more frames than it says, at most {} frames are accepted: cut it"
            raise VideoError(text, f"{self.frames:,}")
        if seconds > self.seconds:
            text = "it lasts longer than it says, at most {} seconds are accepted: cut it"
            raise VideoError(text, f"{self.seconds:,.0f}")
