"""Films of the kinds that cameras, archives and broadcasts write, and what the tests look for in them."""

import struct
from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np
from av.filter import Graph

from colorization.inference import lightness
from colorization.video.container import Video
from colorization.video.mp4 import Encoder, concatenate_segments, video_frame


class Sound(NamedTuple):
    """One track: samples in [-1, 1], (channels, n)."""

    samples: np.ndarray
    layout: str = "mono"
    rate: int = 48000
    codec: str = "pcm_s16le"
    start: float = 0.0
    language: str | None = None


def tones(channels, seconds=1.0, rate=48000, amplitude=0.25):
    """A tone for each channel: 200, 300, 400 ... Hz."""
    time = np.arange(round(seconds * rate)) / rate
    return np.stack([amplitude * np.sin(2 * np.pi * (200 + 100 * c) * time) for c in range(channels)])


def film(
    file,
    frames,
    *,
    codec="libx264",
    pix_fmt="yuv420p",
    rate=25,
    format=None,
    options=None,
    codec_options=None,
    aspect=None,
    fields=None,
    field_order=0,
    tags=None,
    sounds=(),
    sound_first=False,
    time_code=None,
    start=0.0,
):
    """Write a video file.

    Args:
        file: Where to.
        frames: Gray levels, uint8 (H, W), 0 to 255; or whole frames of PyAV.
        codec, pix_fmt, rate, format: Of the picture, and of the file.
        options, codec_options: Of FFmpeg, for the format and for the picture's codec.
        aspect: Of a pixel.
        fields: "tff" or "bff" flags every frame.
        field_order: What the container says of them, as FFmpeg's number.
        tags: Attributes of every frame and of the encoder: color_range, color_trc and others, as FFmpeg's numbers.
        sounds: The tracks.
        sound_first: Whether they come before the picture in the list of streams.
        time_code: Of the first frame.
        start: When the picture begins, in seconds.
    """
    frames, tags = list(frames), tags or {}
    in_matroska = aspect and (file.suffix in (".mkv", ".webm") or format == "matroska")
    if in_matroska:
        tags = {"color_range": 1, "colorspace": 5, "color_trc": 6, "color_primaries": 5} | tags
    with av.open(str(file), "w", format=format, options=options or {}) as container:
        tracks = [_track(container, sound) for sound in sounds] if sound_first else []
        video = container.add_stream(codec, rate=rate, options=codec_options or {})
        height, width = frames[0].shape if isinstance(frames[0], np.ndarray) else (frames[0].height, frames[0].width)
        video.width, video.height, video.pix_fmt, video.bit_rate = width, height, pix_fmt, 4_000_000
        context = video.codec_context
        context.time_base = 1 / Fraction(rate)
        if aspect:
            context.sample_aspect_ratio = Fraction(aspect)
        context.field_order = field_order
        for name, value in tags.items():
            setattr(context, name, value)
        if time_code:
            video.metadata["timecode"] = time_code
        tracks = tracks or [_track(container, sound) for sound in sounds]
        images = [_image(frame, pix_fmt, tags) for frame in frames]
        for number, image in enumerate(flagged(images, fields) if fields else images):
            image.pts, image.time_base = round(Fraction(start) * rate) + number, context.time_base
            container.mux(video.encode(image))
        container.mux(video.encode(None))
        for track, sound in zip(tracks, sounds, strict=True):
            _write(container, track, sound)
    if in_matroska:
        _say_aspect_in_matroska(file, width, height, Fraction(aspect))
    return file


def _say_aspect_in_matroska(file, width, height, aspect):
    """Put the size of the display where the colors are said: PyAV tells the muxer no aspect of pixels."""
    data = file.read_bytes().replace(b"\x54\xb2\x81\x04", b"\x54\xb2\x81\x00")  # DisplayUnit: pixels; WebM has none
    before, color, after = data.partition(b"\x55\xb0\x90")  # Colour, 16 bytes
    assert color
    shown = struct.pack(">H", round(width * aspect)), struct.pack(">H", height)
    size = b"\x54\xb0\x82" + shown[0] + b"\x54\xba\x82" + shown[1]
    file.write_bytes(before + size + b"\xec\x87" + bytes(7) + after[16:])


def _image(frame, pix_fmt, tags):
    image = (
        av.VideoFrame.from_ndarray(frame, "gray").reformat(format=pix_fmt) if isinstance(frame, np.ndarray) else frame
    )
    for name, value in tags.items():
        setattr(image, name, value)
    return image


def flagged(images, order):
    """Frames with the flags of interlaced ones."""
    graph = Graph()
    source = graph.add(
        "buffer", video_size=f"{images[0].width}x{images[0].height}", pix_fmt=images[0].format.name, time_base="1/25"
    )
    graph.link_nodes(source, graph.add("setfield", order), graph.add("buffersink")).configure()
    for number, image in enumerate(images):
        image.pts, image.time_base = number, Fraction(1, 25)
        graph.vpush(image)
        yield graph.vpull()


def _track(container, sound):
    track = container.add_stream(sound.codec, rate=sound.rate, layout=sound.layout, bit_rate=96_000)
    if sound.language:
        track.metadata["language"] = sound.language
    return track


def _write(container, track, sound):
    samples = np.ascontiguousarray(sound.samples.T, np.float32).reshape(1, -1)  # one channel after the other
    channels, size = len(sound.samples), 1024
    for start in range(0, sound.samples.shape[1], size):
        piece = av.AudioFrame.from_ndarray(
            samples[:, start * channels : (start + size) * channels], "flt", sound.layout
        )
        piece.sample_rate, piece.time_base = sound.rate, Fraction(1, sound.rate)
        piece.pts = start + round(sound.start * sound.rate)
        container.mux(track.encode(piece))
    container.mux(track.encode(None))


def woven(frames, top_first=True):
    """Interlaced frames of progressive ones that follow each other at twice the rate."""
    made = []
    for first, second in zip(frames[::2], frames[1::2], strict=True):
        frame = np.empty_like(first)
        frame[0::2], frame[1::2] = (first[0::2], second[1::2]) if top_first else (second[0::2], first[1::2])
        made.append(frame)
    return made


def wedge(low, high, dtype=np.uint8, size=(64, 96)):
    """Steps of equal width from one level to another, (H, W)."""
    return np.tile(np.repeat(np.linspace(low, high, 12).round().astype(dtype), size[1] // 12), (size[0], 1))


def planar(luma, pix_fmt, neutral):
    """A frame of PyAV with luma as it is, and no color."""
    height, width = luma.shape
    frame = av.VideoFrame(width, height, pix_fmt)
    for number, plane in enumerate(frame.planes):
        rows = np.full((plane.height, plane.line_size // luma.itemsize), neutral, luma.dtype)
        if number == 0:
            rows[:, :width] = luma
        plane.update(rows.tobytes())
    return frame


def flashing(count, rate=25, size=(48, 64)):
    """Dark frames and a tone that begins with each white one: every second from half a second on."""
    frames = [np.full(size, 40, np.uint8) for _ in range(count)]
    sound = np.zeros((1, count * 48000 // rate))
    for number in range(rate // 2, count, rate):
        frames[number][:] = 250
        begin = number * 48000 // rate
        sound[0, begin : begin + 48000 // rate] = 0.5 * np.sin(np.arange(48000 // rate) * 0.13)
    return frames, sound


def flashes(file):
    """When white frames begin, in seconds."""
    with av.open(str(file)) as container:
        levels = [(float(f.pts * f.time_base), f.to_ndarray(format="gray").mean()) for f in container.decode(video=0)]
    return [time for (_, before), (time, level) in zip(levels, levels[1:], strict=False) if before < 128 <= level]


def channels(file, track=0):
    """The samples of one track in [-1, 1], (channels, n), and when they begin, in seconds."""
    with av.open(str(file)) as container:
        resampler, pieces = av.AudioResampler("fltp"), []
        start = None
        for frame in container.decode(audio=track):
            start = float(frame.pts * frame.time_base) if start is None else start
            pieces += [piece.to_ndarray() for piece in resampler.resample(frame)]
    return np.concatenate(pieces, axis=1), start


def beeps(file, rate=48000):
    """When the tones of the first track begin, in seconds."""
    samples, start = channels(file)
    loud = np.flatnonzero(np.abs(samples).max(axis=0) > 0.1)
    begins = loud[np.flatnonzero(np.diff(loud, prepend=-rate) > rate // 4)]
    return [start + begin / rate for begin in begins]


def rewritten(source, target):
    """Read a video and write it in gray as `colorize_video` does, without models and motion; its notes."""
    video, segment = Video(source), target.with_suffix(".nut")
    encoder = None
    for frame in video.frames():
        light = np.asarray(lightness(frame.picture()))
        light = np.pad(light, ((0, light.shape[0] % 2), (0, light.shape[1] % 2)), mode="edge")
        luma = np.rint(16 + light * (219 / 255)).astype(np.uint8)
        chroma = np.full((2, luma.shape[0] // 2, luma.shape[1] // 2), 128, np.float32)
        encoder = encoder or Encoder(segment, video, luma.shape[::-1], 4, frame.aspect).__enter__()
        encoder.write(video_frame(luma, chroma), frame.time)
    encoder.__exit__(None)
    notes = concatenate_segments([segment], video.decoded, video, target, frame.duration)
    segment.unlink()
    return (*video.notes, *notes)
