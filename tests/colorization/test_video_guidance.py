"""Points and moods of videos: carried along motion until the scene ends, without flicker, and after a stop too."""

from pathlib import Path

import numpy as np
import pytest
from support.clips import ByLightness, Steerable, clip, finish, panning, pictures, scenery
from support.guided import guided_unet

from colorization.files import Source
from colorization.guidance import Guidance, GuidanceError, MoodChange, Point
from colorization.lab import rgb_to_lab
from colorization.metrics import colorfulness
from colorization.moods import MOODS
from colorization.options import VideoOptions
from colorization.video.colorize import colorize_video
from colorization.video.flicker import measure
from colorization.video.jobs import run

SIZE = (160, 96)


def ab(picture, rows, columns):
    """Mean a* and b* of a part of a frame."""
    part = picture[rows, columns].astype(np.float64) / 255
    return rgb_to_lab(part.transpose(2, 0, 1))[1:].mean((1, 2))


def colored(source, target, guidance=None, model=None):
    last = finish(colorize_video([model or Steerable()], source, target, crf=4, guidance=guidance))
    return pictures(target), last.notes


def changed(first, second):
    """How much two versions differ in each frame, in levels."""
    return [np.abs(a.astype(int) - b).mean() for a, b in zip(first, second, strict=True)]


def square(left, top=36, size=24):
    """A light square on a dark textured ground."""
    frame = scenery(*SIZE) // 2 + 10
    frame[top : top + size, max(0, left) : left + size] = 190
    return frame


def test_a_point_goes_with_what_it_lies_on_until_the_scene_ends(tmp_path):
    source = clip(tmp_path / "in.mp4", [square(8 + 3 * n) for n in range(30)] + [scenery(*SIZE, 5)] * 8, sound=False)
    point = Point(20 / 160, 48 / 96, "#b0b8e0")
    plain, _ = colored(source, tmp_path / "plain.mp4")
    steered, notes = colored(source, tmp_path / "out.mp4", Guidance((point,)))
    assert notes == ()
    for number, picture in enumerate(steered[:30]):
        center = slice(8 + 3 * number + 8, 8 + 3 * number + 16)
        assert np.hypot(*(ab(picture, slice(44, 52), center) - point.ab)) < 4, number
    assert np.allclose([p[:30] for p in plain], [s[:30] for s in steered], atol=12), "the ground is as without it"
    assert max(changed(plain[30:], steered[30:])) < 0.5, "the next scene too"


def test_a_point_begins_at_the_frame_of_its_time(tmp_path):
    source = clip(tmp_path / "in.mp4", [square(60)] * 25, sound=False)
    point = Point(72 / 160, 48 / 96, "#b0b8e0", time=17 / 25)
    plain, _ = colored(source, tmp_path / "plain.mp4")
    steered, _ = colored(source, tmp_path / "out.mp4", Guidance((point,)))
    assert max(changed(plain[:12], steered[:12])) < 0.3
    apart = [np.hypot(*(ab(picture, slice(44, 52), slice(68, 76)) - point.ab)) for picture in steered]
    assert max(apart[17:]) < 4 and min(apart[:14]) > 8


def test_a_point_that_leaves_the_frame_leaves_its_color_to_the_rest_of_what_it_lay_on(tmp_path):
    """A camera pans along under a sky; the point was set at its left."""
    frames = panning(*SIZE, 40)
    for frame in frames:
        frame[:40] = 130 + frame[:40] // 3
        frame[40:] //= 2
    point = Point(10 / 160, 20 / 96, "#a0b4d8")
    steered, _ = colored(clip(tmp_path / "in.mp4", frames, sound=False), tmp_path / "out.mp4", Guidance((point,)))
    for number, picture in enumerate(steered):
        assert np.hypot(*(ab(picture, slice(8, 30), slice(None)) - point.ab)) < 5, number
        assert np.hypot(*(ab(picture, slice(60, 90), slice(None)) - point.ab)) > 20, number


def test_a_point_that_is_hidden_for_good_is_over(tmp_path):
    """A wall comes before the square; it does not get its color."""
    frames = [square(60) for _ in range(40)]
    wall = 100 + scenery(*SIZE, 3) // 6
    for number, frame in enumerate(frames):
        left = max(40, 100 - 4 * number)
        frame[:, left : left + 60] = wall[:, :60]
    point = Point(72 / 160, 48 / 96, "#b0b8e0")
    source = clip(tmp_path / "in.mp4", frames, sound=False)
    plain, _ = colored(source, tmp_path / "plain.mp4")
    steered, _ = colored(source, tmp_path / "out.mp4", Guidance((point,)))
    assert changed(plain[:1], steered[:1])[0] > 0.5 and max(changed(plain[30:], steered[30:])) < 0.3


def test_a_mood_for_all_of_it_and_another_from_a_time_on(tmp_path):
    source = clip(tmp_path / "in.mp4", panning(64, 64, 40), sound=False)
    whole, everywhere = (slice(None),) * 2, []
    for mood in ("sunset", "blue-hour"):
        shown, _ = colored(source, tmp_path / "one.mp4", Guidance(mood=mood))
        everywhere.append(np.array([ab(picture, *whole) for picture in shown]))
    changing = Guidance(mood="sunset", mood_changes=(MoodChange(0.8, "blue-hour"),))
    shown, _ = colored(source, tmp_path / "out.mp4", changing)
    colors = np.array([ab(picture, *whole) for picture in shown])
    assert colors[:13] == pytest.approx(everywhere[0][:13], abs=0.5)
    assert colors[20:] == pytest.approx(everywhere[1][20:], abs=1.5)
    assert np.sign(colors[[0, -1], 1]).tolist() == [np.sign(MOODS[name][1]) for name in ("sunset", "blue-hour")]
    assert np.abs(np.diff(colors[:, 1])).max() < 0.4 * abs(colors[0, 1] - colors[-1, 1]), "it does not jump"


@pytest.fixture(scope="module")
def guided():
    return guided_unet()


def test_guidance_does_not_flicker(tmp_path, guided):
    source = clip(tmp_path / "in.mp4", panning(*SIZE, 26), sound=False)
    points = tuple(
        Point((2 * n + 1) / 10, 0.3 + 0.1 * (n % 3), color) for n, color in enumerate(("#708050", "#8090b0") * 2)
    )
    colored(source, tmp_path / "plain.mp4", model=guided)
    colored(source, tmp_path / "steered.mp4", Guidance(points, "summer-meadow"), guided)
    results = {name: tmp_path / f"{name}.mp4" for name in ("plain", "steered")}
    scores = measure(source, results, {})
    plain, steered = (
        scores[name].mean("all") / np.mean([colorfulness(picture) for picture in pictures(file)])
        for name, file in results.items()
    )
    assert steered < 1.05 * plain, "as a share of the color that there is"


def test_a_stopped_job_carries_its_points_on(tmp_path):
    """Within a long scene, whose second segment begins where the points have gone meanwhile."""
    source = clip(tmp_path / "in.mp4", panning(64, 64, 140), sound=False)
    guidance = Guidance((Point(0.9, 0.5, "#8090b0"), Point(0.1, 0.9, "#406040", time=5.3)), "dusk")

    def job(target):
        return colorize_video([Steerable()], source, target, guidance=guidance)

    finish(job(tmp_path / "whole.mp4"))
    stopped = job(tmp_path / "out.mp4")
    while next(stopped).done < 132:
        pass
    stopped.close()
    assert next(job(tmp_path / "out.mp4")).done >= 120, "it continues"
    finish(job(tmp_path / "out.mp4"))
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_other_guidance_begins_anew_and_what_begins_after_the_end_is_a_note(tmp_path):
    source = clip(tmp_path / "in.mp4", [square(60)] * 26, sound=False)
    late = Guidance((Point(0.1, 0.1, "#406040", time=1.5),), mood_changes=(MoodChange(2, "dusk"),))
    plain, _ = colored(source, tmp_path / "out.mp4")
    steered, notes = colored(source, tmp_path / "out.mp4", late)
    assert notes == ("2 of its points and moods begin after its end at 1.0 seconds, and are not used",)
    assert max(changed(plain, steered)) == 0


def test_a_model_without_guidance_refuses_it_before_any_work(tmp_path, pan):
    with pytest.raises(GuidanceError, match="unet takes no points and no mood"):
        next(colorize_video([ByLightness()], pan, tmp_path / "out.mp4", guidance=Guidance(mood="dusk")))
    assert not any(tmp_path.iterdir())


def test_a_film_that_fails_says_which_file_steered_it(tmp_path):
    source = clip(tmp_path / "lake.mp4", [square(60)], sound=False)
    (tmp_path / "lake.hints.json").write_text(Guidance(mood="dusk").to_json())
    (outcome,) = run([Source(source, Path("lake"))], {"unet": ByLightness()}, tmp_path / "out", VideoOptions())
    (error,) = outcome.errors
    assert "unet takes no points and no mood" in error
    assert outcome.notes == ("its colors are steered by lake.hints.json beside it",)


def test_the_command_line(colorization, guided, tmp_path):
    guided.save_pretrained(tmp_path / "model")
    source = clip(tmp_path / "lake.mp4", panning(96, 64, 30), sound=False)
    point = Point(0.2, 0.7, "#8090b0", time=0.4)
    guidance = Guidance((point,), "sunset", (MoodChange(0.8, "blue-hour"),))
    expected, _ = colored(source, tmp_path / "expected.mp4", guidance, guided)
    command = [source, "--model", tmp_path / "model", "--output", tmp_path / "out", "--crf", "4"]
    moods = ["--mood", "blue-hour@0.8", "--mood", "sunset"]
    done = colorization(*command, *moods, "--hint", "0.2,0.7,#8090b0@0.4")
    assert done.returncode == 0 and "1 of 1 videos" in done.stdout, done.stderr
    assert max(changed(pictures(tmp_path / "out/unet/lake.mp4"), expected)) < 1.5, "half precision"
    source.with_name("lake.mp4.hints.json").write_text(Guidance((point,)).to_json())
    done = colorization(*command, *moods)
    assert "lake.mp4: note: its colors are steered by lake.mp4.hints.json beside it" in done.stderr
    assert "1 skipped" in done.stdout, "the same guidance"
