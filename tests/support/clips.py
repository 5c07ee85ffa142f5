"""Small video files made by PyAV, and what is in a video file."""

import struct
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
import torch

from colorization.colorizer import Colorizer

MATRICES = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}  # clockwise, as tkhd has them


class ByLightness(Colorizer):
    """A model with hardly any weights: dark is red, light is green, whatever is around."""

    name = "unet"

    def __init__(self, width: int = 1, depth: int = 2, working_size: int = 64) -> None:
        super().__init__(width, depth, working_size)
        self.weight = torch.nn.Parameter(torch.ones(1))

    def encode(self, L):
        return [L]

    def decode(self, features, condition=None):
        (L,) = features
        return torch.cat((-L, L * 0), dim=1) * self.weight


class Flickering(ByLightness):
    """The same, but its colors also change from call to call."""

    calls = 0

    def decode(self, features, condition=None):
        self.calls += 1
        return super().decode(features) + 0.15 * (-1) ** self.calls


class Steerable(ByLightness):
    """The same, paler, but points color what is as light as they are, and a mood's upper half everything else."""

    takes_guidance = True

    def decode(self, features, condition=None):
        (L,) = features
        ab = 0.3 * super().decode(features)
        if condition is None:
            return ab
        ab = ab + condition.mood[:, :2, None, None] / 2
        height, width = L.shape[2:]
        for (x, y), color, valid in zip(condition.places[0], condition.colors[0], condition.valid[0], strict=True):
            column, row = min(width - 1, int((x + 1) / 2 * width)), min(height - 1, int((y + 1) / 2 * height))
            alike = valid * torch.exp(-(((L - L[:, :, row, column]) / 0.15) ** 2))
            ab = (1 - alike) * ab + alike * torch.atanh(color)[None, :, None, None]
        return ab


def scenery(width, height, seed=0):
    """A smooth random gray texture, uint8, (height, width)."""
    rng = np.random.default_rng(seed)
    field = rng.normal(size=(height, width))
    spectrum = np.fft.rfft2(field) / (
        1 + 200 * (np.fft.rfftfreq(width) ** 2 + (np.fft.fftfreq(height) ** 2)[:, None]) ** 1
    )
    smooth = np.fft.irfft2(spectrum, s=(height, width))
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    return (60 + 120 * smooth).astype(np.uint8)


def panning(width, height, count, seed=0):
    """Frames of a camera that moves to the right by 1.5 px per frame."""
    wide = scenery(width + 2 * count, height, seed)
    return [wide[:, round(1.5 * n) : round(1.5 * n) + width] for n in range(count)]


def clip(
    file,
    frames,
    *,
    times=None,
    rate=25,
    sound=True,
    codec="libx264",
    sound_codec="aac",
    format=None,
    metadata=(),
    rotation=0,
    pix_fmt="yuv420p",
    options=None,
):
    """Write frames (gray, or RGB) as a video file; `times` in 1/12800 s make the rate vary; `options` of the format."""
    frames = list(frames)
    with av.open(str(file), "w", format=format, options=options or {}) as container:
        container.metadata.update(dict(metadata))
        video = container.add_stream(codec, rate=rate, options={"crf": "8"} if codec == "libx264" else {})
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = pix_fmt
        video.codec_context.time_base = Fraction(1, 12800) if times else Fraction(1, rate)
        audio = container.add_stream(sound_codec, rate=48000, layout="mono", bit_rate=96_000) if sound else None
        for number, pixels in enumerate(frames):
            image = av.VideoFrame.from_ndarray(pixels, "gray" if pixels.ndim == 2 else "rgb24").reformat(format=pix_fmt)
            image.pts, image.time_base = times[number] if times else number, video.codec_context.time_base
            container.mux(video.encode(image))
        container.mux(video.encode(None))
        if audio:
            seconds = times[-1] / 12800 if times else len(frames) / rate
            tone = np.sin(np.arange(int(48000 * seconds)) * 0.05).astype(np.float32)
            for start in range(0, len(tone), 1024):
                piece = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], "fltp", "mono")
                piece.sample_rate, piece.pts, piece.time_base = 48000, start, Fraction(1, 48000)
                container.mux(audio.encode(piece))
            container.mux(audio.encode(None))
    if rotation:
        data = bytearray(file.read_bytes())
        place = data.index(b"tkhd") + 4 + 40  # the first track's matrix, after version 0's fields
        a, b, c, d = MATRICES[rotation]
        data[place : place + 36] = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
        file.write_bytes(data)
    return file


def pictures(file):
    """Every frame, uint8 RGB."""
    with av.open(str(file)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def times(file):
    """When each frame is shown, and how long the last one is, in seconds."""
    with av.open(str(file)) as container:
        packets = sorted((p for p in container.demux(video=0) if p.pts is not None), key=lambda p: p.pts)
        return [float(p.pts * p.time_base) for p in packets], float(packets[-1].duration * packets[-1].time_base)


def packets(file, kind):
    """Time in seconds and bytes of every packet of the first stream of a kind."""
    with av.open(str(file)) as container:
        stream = container.streams.get({kind: 0})[0] if getattr(container.streams, kind) else None
        if stream is None:
            return []
        return [(round(float(p.dts * p.time_base), 4), bytes(p)) for p in container.demux(stream) if p.dts is not None]


def finish(job: Callable):
    """Read an iterator to its end; its last value."""
    *_, last = job
    return last
