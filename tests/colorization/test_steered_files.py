"""Points and moods on the command line: options, files beside pictures, records, contact sheets."""

import json

import numpy as np
import pytest
from PIL import Image
from support.guided import guided_unet

from colorization import colorize, load
from colorization.guidance import Guidance, GuidanceError, MoodChange, Point
from colorization.inference import gray
from colorization.moods import MOODS
from colorization.sidecar import steering

POINT = "0.31,0.62,#7a8b4f"
HINTS = {"version": 1, "points": [{"x": 0.31, "y": 0.62, "color": "#7a8b4f"}]}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The folder of a model that takes guidance."""
    folder = tmp_path_factory.mktemp("guided")
    guided_unet().save_pretrained(folder)
    return folder


@pytest.fixture
def picture(tmp_path, photograph):
    file = tmp_path / "in/old.png"
    file.parent.mkdir()
    gray(photograph).resize((240, 160)).save(file)
    return file


@pytest.fixture
def color(colorization, model, picture, tmp_path):
    """Color the picture with the model; gives what was said, and the pixels of the result."""

    def color(*options):
        done = colorization(picture, "--model", model, "--output", tmp_path / "out", *options)
        assert done.returncode == 0, done.stderr
        return done, np.asarray(Image.open(tmp_path / "out/unet/old.png")).astype(int)

    return color


def test_options_steer_the_colors_and_other_guidance_makes_another_result(color, model, picture):
    plain, steered, moody = color()[1], color("--hint", POINT)[1], color("--hint", POINT, "--mood", "sunset")[1]
    assert np.abs(plain - steered).max() > 4 and np.abs(steered - moody).max() > 4
    point = Point(0.31, 0.62, "#7a8b4f")
    expected = colorize(load(model), Image.open(picture), guidance=Guidance((point,), "sunset"))
    assert np.abs(moody - np.asarray(expected).astype(int)).max() == 0, "as the library does"
    assert "1 skipped" in color("--hint", POINT, "--mood", "sunset")[0].stdout
    assert "1 of 1" in color("--hint", POINT)[0].stdout


def test_hints_in_a_file(color, tmp_path):
    (tmp_path / "all.json").write_text(json.dumps(HINTS | {"mood": "dusk"}))
    whole = color("--hints", tmp_path / "all.json")[1]
    assert np.array_equal(whole, color("--hint", POINT, "--mood", "dusk")[1])
    added = color("--hints", tmp_path / "all.json", "--hint", "0.9,0.1,#5588ee", "--mood", "sunset")[1]
    assert np.array_equal(added, color("--hint", POINT, "--hint", "0.9,0.1,#5588ee", "--mood", "sunset")[1])


def test_a_file_beside_the_picture_is_used_and_said(color, picture, tmp_path):
    plain = color()[1]
    beside = picture.with_name("old.png.hints.json")
    beside.write_text(json.dumps(HINTS))
    done, steered = color()
    assert "old.png: note: its colors are steered by old.png.hints.json beside it" in done.stderr
    assert np.abs(plain - steered).max() > 4
    assert "1 skipped" in color()[0].stdout
    record = json.loads(next((tmp_path / "out/.colorize/unet").glob("*.json")).read_bytes())
    assert record["made"]["guidance"] == HINTS
    beside.unlink()
    done, again = color()
    assert "1 of 1" in done.stdout and "note" not in done.stderr and np.array_equal(again, plain)


def test_whose_guidance_counts(tmp_path):
    """The picture's whole name before the one without suffix; the command line before both, points and mood apart."""
    old, dotted = tmp_path / "old.jpg", tmp_path / "No. 12"
    assert steering(old, None) == (None, ()) and steering(None, Guidance(mood="dusk")).guidance == Guidance(mood="dusk")
    (tmp_path / "old.hints.json").write_text('{"version": 1, "mood": "dusk"}')
    (tmp_path / "No.hints.json").write_text('{"version": 1, "mood": "dusk"}')
    assert steering(old, None).guidance == Guidance(mood="dusk") and steering(dotted, None) == (None, ())
    (tmp_path / "old.jpg.hints.json").write_text(json.dumps(HINTS | {"mood": "sunset"}))
    beside = Guidance.from_object(HINTS | {"mood": "sunset"})
    assert steering(old, None) == (beside, ("its colors are steered by old.jpg.hints.json beside it",))
    given = (Point(0.5, 0.5, "#808080"),)
    assert steering(old, Guidance(given)).guidance == Guidance(given, "sunset")
    assert steering(old, Guidance(mood="overcast")).guidance == Guidance(beside.points, "overcast")
    assert steering(old, Guidance(given, "overcast")) == (Guidance(given, "overcast"), ())
    changing = Guidance(mood_changes=(MoodChange(1, "overcast"),))
    assert steering(old, changing).guidance == Guidance(beside.points, None, changing.mood_changes)
    assert steering(tmp_path / f"{'설' * 84}.jpg", None) == (None, ()), "a name that is too long for hints"
    (tmp_path / "old.jpg.hints.json").write_text("{}")
    with pytest.raises(GuidanceError, match=r"^old.jpg.hints.json: the guidance has no 'version'"):
        steering(old, None)


def test_damaged_hints_beside_one_picture_do_not_stop_the_others(colorization, model, picture, tmp_path):
    picture.with_name("bad.png").write_bytes(picture.read_bytes())
    picture.with_name("bad.png.hints.json").write_text('{"version": 1, "mood": "cheerful"}')
    done = colorization(picture.parent, "--model", model, "--output", tmp_path / "out")
    assert done.returncode == 1 and "1 of 2 pictures" in done.stdout
    assert "bad.png: bad.png.hints.json: the mood is 'cheerful', expected one of overcast" in done.stderr
    assert [file.name for file in (tmp_path / "out/unet").iterdir()] == ["old.png"]


def test_all_moods_and_a_contact_sheet(colorization, color, model, picture, tmp_path):
    run = (picture, "--model", model, "--moods", "--output", tmp_path / "out")
    assert "1 of 1" in colorization(*run).stdout
    results = tmp_path / "out/unet"
    assert {file.name for file in results.iterdir()} == {f"old-{name}.png" for name in (*MOODS, "moods")}
    sunset = np.asarray(Image.open(results / "old-sunset.png"))
    assert Image.open(results / "old-moods.png").size[0] > 4 * 240
    assert "1 skipped" in colorization(*run).stdout
    (results / "old-moods.png").unlink()
    before = (results / "old-dusk.png").stat().st_mtime_ns
    assert "1 of 1" in colorization(*run).stdout and (results / "old-moods.png").is_file()
    assert (results / "old-dusk.png").stat().st_mtime_ns == before
    assert np.array_equal(color("--mood", "sunset")[1], sunset)


def test_the_border_of_a_print_is_not_steered(color, picture):
    """Points are places of the whole picture, the network is shown its inside."""
    inside = Image.open(picture).convert("L")
    page = Image.new("L", (400, 300), 120)
    page.paste(inside, (80, 70))
    page.save(picture)
    point = ((80 + 0.5 * 240) / 400, (70 + 0.5 * 160) / 300)
    result = color("--hint", f"{point[0]},{point[1]},#3060c0")[1]
    assert (np.ptp(result[:60], axis=2) == 0).all() and (np.ptp(result[:, :70], axis=2) == 0).all()
    at = result[round(point[1] * 300), round(point[0] * 400)]
    assert at[2] > at[0] + 20, "blue"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--hint", "0.5,0.5"], "'0.5,0.5' is not X,Y,#RRGGBB"),
        (["--hint", "1.5,0.5,#ffffff"], "a point's x is 1.5, expected a number of 0 to 1"),
        (["--hint", "0.5,0.5,red"], "a point's color is 'red', expected #rrggbb"),
        (["--hint", "0.5,0.5,#ffffff@soon"], "'0.5,0.5,#ffffff@soon' is not X,Y,#RRGGBB or X,Y,#RRGGBB@SECONDS"),
        (["--hint", "0.5,0.5,#ffffff@-1"], "a point's time is -1.0, expected seconds of 0 or more"),
        (["--mood", "cheerful"], "invalid choice: 'cheerful'"),
        (["--mood", "dusk@-1"], "'-1' is not a time in seconds, as in dusk@12.5"),
        (["--mood", "dusk", "--mood", "sunset"], "--mood is dusk and sunset: give all but one a time"),
        (["--mood", "dusk@1", "--mood", "sunset@1"], "moods begin at [1.0, 1.0] seconds, expected rising times"),
        (["--hints", "gone.json"], "gone.json: No such file"),
        (["--moods", "--mood", "dusk"], "leave out --mood"),
        (["--moods", "--output", "-"], "--moods writes several pictures"),
    ],
)
def test_wrong_options_are_one_line(colorization, options, reason, tmp_path):
    done = colorization("old.jpg", "--output", tmp_path / "out", *options)
    assert done.returncode == 2 and reason in done.stderr


def test_models_that_take_no_guidance_refuse(colorization, picture, tmp_path):
    for options in (("--hint", POINT), ("--mood", "dusk"), ("--moods",)):
        done = colorization(picture, "--model", "pix2pix", *options, "--output", tmp_path / "out")
        assert done.returncode == 1 and "pix2pix takes no points and no mood: the U-Net does" in done.stderr
    picture.with_name("old.hints.json").write_text(json.dumps(HINTS))
    done = colorization(picture, "--model", "pix2pix", "--output", tmp_path / "out")
    assert done.returncode == 1 and f"{picture}: pix2pix takes no points" in done.stderr
    assert not list((tmp_path / "out").rglob("*.png"))
