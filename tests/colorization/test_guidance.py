"""Points and moods: their JSON, and that models follow them."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from support.guided import guided_unet

from colorization import colorize, load
from colorization.guidance import Condition, Guidance, GuidanceError, MoodChange, Point
from colorization.inference import encode, lightness, predict, predict_from, ranked_moods
from colorization.keep_points import keep_points
from colorization.lab import AB_RANGE, rgb_to_lab
from colorization.models import UNet
from colorization.moods import MOODS, mood_of

POINTS = (Point(0.31, 0.62, "#7a8b4f"), Point(0.9, 0.1, "#5588ee"))


@pytest.fixture(scope="module")
def guided():
    return guided_unet()


def test_json_goes_both_ways():
    guidance = Guidance((*POINTS, Point(0, 1, "#000000", time=2.5)), "sunset")
    assert Guidance.from_json(guidance.to_json()) == guidance
    numbers = Guidance(mood=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0))
    assert Guidance.from_json(numbers.to_json()) == numbers
    text = '{"version": 1, "points": [{"x": 0.31, "y": 0.62, "color": "#7a8b4f"}], "mood": "sunset"}'
    assert Guidance.from_json(text) == Guidance(POINTS[:1], "sunset")
    assert not Guidance.from_json('{"version": 1}') and Guidance(POINTS)
    film = Guidance(mood_changes=(MoodChange(0, "dusk"), MoodChange(12.5, numbers.mood)))
    assert Guidance.from_json(film.to_json()) == film


def entry(**changes):
    return {"version": 1, "points": [{"x": 0.5, "y": 0.5, "color": "#ffffff"} | changes]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], r"the guidance is \[\], expected an object with version"),
        ({}, "the guidance has no 'version'"),
        ({"version": 2}, "of version 2, expected 1"),
        ({"version": True}, "of version True, expected 1"),
        ({"version": 1, "point": []}, "'point', expected only mood, mood_changes, points, version"),
        ({"version": 1, "points": {}}, "`points` is {}, expected a list"),
        ({"version": 1, "points": [1]}, "a point is 1, expected an object with color, x, y"),
        ({"version": 1, "points": [{"x": 0, "y": 0}]}, "a point has no 'color'"),
        (entry(x=1.2), "x is 1.2, expected a number of 0 to 1"),
        (entry(y="0.5"), "y is '0.5', expected a number"),
        (entry(x=float("nan")), "x is nan, expected a number"),
        (entry(x=True), "x is True, expected a number"),
        (entry(color="red"), "color is 'red', expected #rrggbb"),
        (entry(color=7), "color is 7, expected #rrggbb"),
        (entry(time=-1), "time is -1, expected seconds of 0 or more"),
        (entry(size=3), "'size', expected only color, time, x, y"),
        ({"version": 1, "mood": "cheerful"}, "the mood is 'cheerful', expected one of overcast, "),
        ({"version": 1, "mood_changes": "dusk"}, "`mood_changes` is 'dusk', expected a list"),
        ({"version": 1, "mood_changes": [{"time": 1}]}, "a mood's change has no 'mood'"),
        ({"version": 1, "mood_changes": [{"time": "1", "mood": "dusk"}]}, "a mood's time is '1', expected seconds"),
        (
            {"version": 1, "mood_changes": [{"time": 2, "mood": "dusk"}, {"time": 1, "mood": "dusk"}]},
            r"moods begin at \[2, 1\] seconds, expected rising times",
        ),
        ({"version": 1, "mood": [1, 2, 3]}, r"the mood is \(1, 2, 3\), expected a name or six numbers"),
        ({"version": 1, "mood": [0, 0, 0, 0, 0, 1e9]}, "expected a name or six numbers of -128 to 128"),
        (
            {"version": 1, "points": [{"x": 0, "y": 0, "color": "#ffffff"}] * 65},
            "there are 65 points, expected at most",
        ),
    ],
)
def test_what_is_no_guidance_is_refused_by_what_came_and_what_was_expected(content, message):
    with pytest.raises(GuidanceError, match=message):
        Guidance.from_json(json.dumps(content))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '"' + "x" * 200_000 + '"'])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(GuidanceError):
        Guidance.from_json(text)


def test_a_points_color_is_its_hue_and_chroma():
    a, b = POINTS[0].ab
    assert (a, b) == pytest.approx((-16.44, 30.02), abs=0.05)  # of #7a8b4f by scikit-image
    assert Point(0, 0, "#808080").ab == pytest.approx((0, 0), abs=0.01)


def test_the_mood_of_a_picture():
    ab = np.zeros((1, 2, 4, 4), np.float32)
    ab[0, 0, :2], ab[0, 1, 2:] = 0.3, -0.4
    expected = np.array([[0.3, 0, 0.3, 0, -0.4, 0.4]]) * AB_RANGE
    assert mood_of(ab) == pytest.approx(expected, abs=1e-3)
    assert mood_of(torch.from_numpy(ab)).numpy() == pytest.approx(expected, abs=1e-3)


def test_guidance_that_was_never_trained_changes_nothing(photograph):
    """So checkpoints of before it load into the new network with the same colors."""
    torch.manual_seed(0)
    plain, light = UNet(working_size=96).eval(), lightness(photograph)
    model = UNet(working_size=plain.working_size, guided=True)
    model.load_state_dict(model.state_dict() | plain.state_dict())
    expected = predict(plain, light)
    without_points = Guidance(mood="sunset")
    for guidance in (None, without_points):
        np.testing.assert_allclose(predict(model.eval(), light, guidance), expected, atol=1e-6)


def test_every_point_keeps_its_color_and_the_rest_of_the_picture_its_own(photograph, guided):
    light = lightness(photograph)
    encoded = encode(guided, light)
    ab = predict_from(guided, encoded, Guidance(POINTS))
    height, width = ab.shape[1:]
    for point in POINTS:
        pixel = ab[:, min(height - 1, int(point.y * height)), min(width - 1, int(point.x * width))] * AB_RANGE
        assert np.hypot(*(pixel - point.ab)) < 3
    picture = np.asarray(colorize(guided, photograph, guidance=Guidance(POINTS)))
    np.testing.assert_array_equal(np.asarray(lightness(Image.fromarray(picture))).shape, picture.shape[:2])


def test_points_that_lie_close_together_and_on_the_edge_are_kept():
    levels = np.full((40, 60), 128, np.uint8)
    points = (Point(0, 0, "#ff8080"), Point(1, 1, "#80ff80"), Point(0.5, 0.5, "#8080ff"), Point(0.6, 0.5, "#808080"))
    kept = keep_points(np.zeros((2, 40, 60), np.float32), levels, Guidance(points).condition())
    for point in points:
        column, row = (round(point.x * 60 - 0.5), round(point.y * 40 - 0.5))
        pixel = kept[:, max(0, min(39, row)), max(0, min(59, column))] * AB_RANGE
        assert np.hypot(*(pixel - point.ab)) < 4, point
    assert np.abs(kept[:, 5, 50]).max() < 0.02, "far from all of them next to nothing changes"


def test_a_point_stops_at_an_edge_of_lightness():
    levels = np.full((40, 40), 60, np.uint8)
    levels[:, 20:] = 200
    kept = keep_points(np.zeros((2, 40, 40), np.float32), levels, Guidance((Point(0.45, 0.5, "#c04040"),)).condition())
    assert np.hypot(*kept[:, 20, 17]) > 0.3 and np.hypot(*kept[:, 20, 21]) < 0.02


def test_what_several_points_miss_alike_is_added_between_them_too():
    levels = np.full((60, 60), 128, np.uint8)
    around = tuple(Point(x, y, "#c04040") for x in (0.35, 0.65) for y in (0.35, 0.65))
    kept = keep_points(np.zeros((2, 60, 60), np.float32), levels, Guidance(around).condition())
    asked = np.array(around[0].ab) / AB_RANGE
    assert np.hypot(*kept[:, 30, 30]) > 0.7 * np.hypot(*asked)
    assert np.hypot(*kept[:, 0, 30]) < np.hypot(*kept[:, 30, 30]), "less outside"


def test_two_points_in_one_pixel_get_the_mean_of_their_colors():
    levels = np.full((40, 40), 128, np.uint8)
    points = (Point(0.501, 0.501, "#c04040"), Point(0.502, 0.502, "#4040c0"))
    kept = keep_points(np.zeros((2, 40, 40), np.float32), levels, Guidance(points).condition())
    mean = np.mean([point.ab for point in points], axis=0) / AB_RANGE
    np.testing.assert_allclose(kept[:, 20, 20], mean, atol=0.01)
    assert np.abs(kept).max() <= np.abs(mean).max() + 0.01, "nothing overshoots"


def test_points_and_moods_reach_the_colors_and_what_is_not_there_does_not(photograph, guided):
    encoded = encode(guided, lightness(photograph))
    plain, pointed, moody = (
        guided.infer(encoded.features, condition)
        for condition in (None, Guidance(POINTS).condition(), Guidance(mood="sunset").condition())
    )
    assert np.abs(pointed - plain).max() > 0.01 and np.abs(moody - plain).max() > 0.01
    nothing = Guidance(POINTS).condition()
    nothing = nothing._replace(valid=nothing.valid * 0)
    np.testing.assert_allclose(guided.infer(encoded.features, nothing), plain, atol=1e-6)


def test_padding_and_the_order_of_points_change_nothing(photograph, guided):
    encoded = encode(guided, lightness(photograph))
    condition = Guidance(POINTS).condition()
    padded = Condition(
        *(np.concatenate([array[:, ::-1], array[:, :1]], axis=1) for array in condition[:3]), condition.mood
    )
    padded.valid[:, -1] = 0
    results = [guided.infer(encoded.features, given) for given in (condition, padded)]
    np.testing.assert_allclose(*results, atol=1e-5)


def test_all_moods_are_ranked(photograph, guided):
    assert sorted(ranked_moods(guided, encode(guided, lightness(photograph)))) == sorted(MOODS)


def test_a_photograph_has_one_mood(photograph, guided):
    with pytest.raises(GuidanceError, match="a picture has one mood: moods that begin at a time are for films"):
        colorize(guided, photograph, guidance=Guidance(mood_changes=(MoodChange(0, "dusk"),)))


@pytest.mark.parametrize("name", ["pix2pix", "cwgan"])
def test_models_that_take_no_guidance_refuse_it(name, photograph):
    model = load(name)
    assert not model.takes_guidance
    with pytest.raises(GuidanceError, match=f"{name} takes no points and no mood: the U-Net does"):
        colorize(model, photograph, guidance=Guidance(POINTS))
    assert colorize(model, photograph, guidance=Guidance()).size == photograph.size, "nothing is asked for"


def test_a_guided_model_is_saved_and_loaded(guided, tmp_path, photograph):
    guided.save_pretrained(tmp_path)
    again = load(tmp_path)
    assert again.takes_guidance and json.loads((tmp_path / "config.json").read_text())["guided"] is True
    guidance = Guidance(POINTS, "dusk")
    results = [np.asarray(colorize(model, photograph, guidance=guidance)).astype(int) for model in (guided, again)]
    assert np.abs(results[0] - results[1]).max() <= 2  # half precision


def test_rgb_of_a_mood_is_what_it_says():
    """The table's numbers are CIE units: a mood's upper half in the colors of its name."""
    for name, sign in (("clear-day", -1), ("blue-hour", -1), ("sunset", 1), ("forest-green", 1)):
        assert MOODS[name][1] * sign > 20
    lab = rgb_to_lab(np.array([0.2, 0.4, 0.8]).reshape(3, 1, 1))
    assert lab[2] < -20, "blue is a negative b*"
