"""How much the color of videos flickers, and what the score makes of a constant color."""

import math

import numpy as np
from PIL import Image
from support.clips import Flickering, clip, finish, panning, scenery

from colorization.inference import apply_color, predict
from colorization.video import ycbcr
from colorization.video.colorize import colorize_video
from colorization.video.container import Video
from colorization.video.flicker import measure
from colorization.video.mp4 import Encoder, concatenate_segments, video_frame


def scores_beside_frame_by_frame(folder):
    """How much out.mp4 flickers, and in.mp4 colored frame by frame by the model that made it."""
    single = Flickering()
    return measure(
        folder / "in.mp4",
        {"along motion": folder / "out.mp4"},
        {"frame by frame": lambda light: apply_color(light, predict(single, light))},
    )


def test_color_flickers_at_most_a_third_as_much_as_frame_by_frame(pan, tmp_path):
    clip(tmp_path / "in.mp4", panning(160, 96, 40), sound=False)
    finish(colorize_video([Flickering()], tmp_path / "in.mp4", tmp_path / "out.mp4"))
    scores = scores_beside_frame_by_frame(tmp_path)
    assert scores["along motion"].mean("all") < scores["frame by frame"].mean("all") / 3
    assert math.isnan(scores["along motion"].mean("delta_e")), "the source has no color to be compared with"


def old_film(count):
    """A camera that moves along under a flat sky; grain everywhere, and dust on every frame."""
    rng = np.random.default_rng(0)
    for ground in panning(240, 160, count):
        ground[:80] = 170
        frame = ground + rng.normal(0, 6, ground.shape)
        for _ in range(3):
            top, left = rng.integers(0, 156), rng.integers(0, 236)
            frame[top : top + 4, left : left + 4] = rng.choice((0, 255))
        yield frame.clip(0, 255).astype(np.uint8)


def test_grain_and_dust_do_not_bring_the_flicker_back(tmp_path):
    """Asking the network wherever they hide the motion would be as slow and as unsteady as frame by frame."""
    clip(tmp_path / "in.mp4", old_film(61), sound=False)
    model = Flickering()
    finish(colorize_video([model], tmp_path / "in.mp4", tmp_path / "out.mp4"))
    assert model.calls <= 10, "six key frames, and little more"
    scores = scores_beside_frame_by_frame(tmp_path)
    assert scores["along motion"].mean("all") < scores["frame by frame"].mean("all") / 3


def test_one_constant_color_hardly_flickers(tmp_path):
    """Pictures of 8 bits are measured as finely as they are: small copies are not rounded again."""
    clip(tmp_path / "in.mp4", panning(640, 416, 6), sound=False)
    ab = np.tile(np.array([[[0.25]], [[-0.2]]], np.float32), (1, 8, 8))
    scores = measure(tmp_path / "in.mp4", {}, {"constant": lambda light: apply_color(light, ab)})
    assert 0 < scores["constant"].mean("all") < 0.06


def test_one_constant_color_in_a_file_hardly_flickers(tmp_path):
    """Frames of files are measured as they are stored: FFmpeg's conversion to 8-bit sRGB would flicker by itself."""
    wide = scenery(660, 416)
    frames = [wide[:, start : start + 640] for start in range(0, 12, 2)]  # by one pixel of color each
    source = clip(tmp_path / "in.mp4", frames, sound=False)
    ab = np.tile(np.array([[[0.05]], [[0.1]]], np.float32), (1, 8, 8))
    with Encoder(tmp_path / "out.nut", Video(source), (640, 416), 0, None) as encoder:
        for number, pixels in enumerate(frames):
            encoder.write(video_frame(*ycbcr.put_color(Image.fromarray(pixels), ab)), number * 512)
    concatenate_segments([tmp_path / "out.nut"], 6, Video(source), tmp_path / "out.mp4", 512)
    scores = measure(source, {"constant": tmp_path / "out.mp4"}, {})
    assert 0 < scores["constant"].mean("all") < 0.055
