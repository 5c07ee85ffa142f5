"""The yardsticks are what they are called, and the benchmark of sizes measures what it says."""

import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import CHROMIUM, ROOT
from PIL import Image
from support.clips import clip

from benchmarks import degraded, flicker, people, strength
from benchmarks.__main__ import main as speed_main
from benchmarks.levin import levin
from benchmarks.size import SizeOptions, main, measure
from benchmarks.smoothness import deviation
from benchmarks.speed import relative_times
from benchmarks.timing import interleaved, ratio
from benchmarks.yardsticks import PublishedUNet, Siggraph17
from colorization.guidance import Guidance, Point
from colorization.lab import AB_RANGE
from colorization.zoo import ZOO, load


def test_the_yardsticks_are_the_published_networks():
    network = PublishedUNet().eval()
    # The layer table of Isola et al. 2017 with 1 channel in and 2 out: 54.414 M for 3 and 3.
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(54.41e6, rel=1e-3)
    with torch.inference_mode():
        assert network(torch.zeros(1, 1, 256, 256)).shape == (1, 2, 256, 256)
        other = Siggraph17().eval()
        # 34.19 M as published, of which 0.14 M are a classifier that does not run.
        assert sum(p.numel() for p in other.parameters()) == pytest.approx(34.05e6, rel=1e-3)
        assert other(torch.zeros(1, 1, 64, 64)).shape == (1, 2, 64, 64)


def test_ratios_are_taken_within_a_round():
    calls = []
    times = interleaved({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=2)
    assert calls == ["a", "b"] * 3 and all(len(taken) == 2 for taken in times.values())
    assert ratio([2, 20, 200], [1, 10, 100]) == (2, 2, 2)


def test_color_noise_is_the_deviation_of_both_channels_around_each_pixel():
    noise = np.random.default_rng(0).normal(scale=3.0, size=(2, 60, 60))
    assert deviation(noise).mean() == pytest.approx(3 * 2**0.5, rel=0.05)
    ramp = np.linspace(0, 1, 60) * np.ones((2, 60, 1))
    assert deviation(ramp).max() < 0.1 and deviation(np.ones((1, 20, 20), np.uint8)).max() == 0


@pytest.mark.nightly
def test_one_command_prints_every_figure_of_speed(tmp_path, monkeypatch, capsys):
    drawn = tmp_path / "speed.png"
    arguments = ["--sizes", "0.05", "0.1", "--rounds", "1", "--files", "2", "--plot", str(drawn)]
    monkeypatch.setattr("sys.argv", ["benchmarks", *arguments])
    speed_main()
    said = capsys.readouterr().out
    for words in (
        "| siggraph17 |",
        "by ONNX Runtime",
        "| unet |",
        "| lightness |",
        "three models |",
        "bytes per pixel",
        "files/s",
        "--help",
    ):
        assert words in said
    assert drawn.read_bytes().startswith(b"\x89PNG")


@pytest.mark.nightly
def test_points_of_color_of_many_visitors_are_timed_on_a_running_page(server, subprocess_env):
    ran = on_a_page("benchmarks.steer", subprocess_env, server, "--clients", "2", "--seconds", "3")
    (count, seconds), *_ = re.findall(r"(\d+) points, median (\d+\.\d+) s", ran.stdout)
    assert "busy 0, lost 0" in ran.stdout and int(count) >= 2 and float(seconds) > 0


@pytest.mark.nightly
@pytest.mark.skipif(not CHROMIUM.is_file(), reason="needs Chromium")
def test_a_visit_in_a_browser_is_timed(server, subprocess_env):
    ran = on_a_page("benchmarks.visit", subprocess_env, server, "--times", "2")
    assert [count for count, _ in re.findall(r"of (\d+), (\d+\.\d+) s at most", ran.stdout)] == ["2"] * 5


def on_a_page(module, env, *arguments):
    command = [sys.executable, "-m", module, *arguments]
    ran = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stderr
    return ran


@pytest.mark.slow
def test_every_model_is_timed_beside_the_yardstick():
    times = relative_times({name: load(name) for name in ZOO})
    assert times.keys() == ZOO.keys() and all(0 < taken < 1 for taken in times.values()), "unet_256 is far larger"


@pytest.mark.slow
def test_sizes_are_measured_and_drawn(parquet, tmp_path, monkeypatch, capsys):
    shipped = load("pix2pix").working_size
    points = measure(SizeOptions(str(parquet), split="train", sizes=(64, shipped), limit=2, min_colorfulness=5))
    assert [(p.model, p.size) for p in points] == [(name, size) for size in (64, shipped) for name in ZOO]
    assert all(p.shipped == (p.size == load(p.model).working_size) for p in points)
    small, large = ([p for p in points if p.size == size] for size in (64, shipped))
    assert sum(p.time for p in small) < sum(p.time for p in large)

    drawn = tmp_path / "size.png"
    arguments = ["--dataset", str(parquet), "--split", "train", "--sizes", "64", "--limit", "1", "--plot", str(drawn)]
    monkeypatch.setattr("sys.argv", ["size", *arguments, "--min-colorfulness", "5"])
    main()
    assert drawn.read_bytes().startswith(b"\x89PNG") and capsys.readouterr().out.count("| 64") == 3


def test_stronger_colors_are_more_vivid_and_drawn(parquet, tmp_path, monkeypatch, capsys):
    points = strength.measure(
        strength.StrengthOptions(
            str(parquet), split="train", model=("unet",), strengths=(0, 1, 2), limit=2, min_colorfulness=5
        )
    )
    gray, predicted, vivid = points
    assert (gray.psnr, gray.delta_e, gray.colorfulness) == (0, 0, 0)
    assert 0 < predicted.colorfulness < vivid.colorfulness and predicted.psnr != vivid.psnr

    drawn = tmp_path / "strength.png"
    arguments = ["--dataset", str(parquet), "--split", "train", "--strengths", "1.5", "--limit", "1"]
    monkeypatch.setattr("sys.argv", ["strength", *arguments, "--plot", str(drawn), "--min-colorfulness", "5"])
    strength.main()
    assert drawn.read_bytes().startswith(b"\x89PNG") and capsys.readouterr().out.count("| 1.5 |") == 3

    monkeypatch.setattr("sys.argv", ["strength", *arguments, "--strengths", "-1", "--min-colorfulness", "5"])
    with pytest.raises(SystemExit, match="strength of color is -1"):
        strength.main()


def test_age_costs_color_and_historic_photographs_are_shown(parquet, tmp_path, monkeypatch, capsys):
    sheet = tmp_path / "historic.png"
    arguments = [
        "degraded",
        "--model",
        "unet",
        "--sheet",
        str(sheet),
        "--dataset",
        str(parquet),
        "--split",
        "validation",
    ]
    monkeypatch.setattr("sys.argv", [*arguments, "--min-colorfulness", "5"])
    degraded.main()
    assert Image.open(sheet).height > 3 * 280
    assert "| unet | " in capsys.readouterr().out


def test_blue_and_green_skin_are_told_apart():
    truth = Image.new("RGB", (32, 32), (200, 150, 125))
    shares = [people.measure(truth, Image.new("RGB", (32, 32), color))[3:] for color in ("#9898d0", "#70b070", "gray")]
    assert shares == [(1, 0), (0, 1), (0, 0)]
    nobody = Image.new("RGB", (32, 32), "blue")
    assert np.isnan(people.measure(nobody, nobody)[3:]).all()


def test_people_are_measured_beside_gray(tmp_path, photograph, monkeypatch, capsys):
    photograph.save(tmp_path / "someone.jpg")
    (tmp_path / "notes.txt").write_text("no picture")
    monkeypatch.setattr("sys.argv", ["people", str(tmp_path), "--model", "unet"])
    people.main()
    said = capsys.readouterr()
    assert "| gray |" in said.out and "| unet |" in said.out and "notes.txt" in said.err


def test_a_split_without_a_colorful_photograph_is_one_line(parquet, monkeypatch):
    monkeypatch.setattr("sys.argv", ["degraded", "--dataset", str(parquet), "--min-colorfulness", "500"])
    with pytest.raises(SystemExit, match="has no picture of colorfulness 500 or more"):
        degraded.main()


def table_rows(text):
    """The cells of each row of a Markdown table, by the first one."""
    rows = ([cell.strip() for cell in line.split("|")] for line in text.splitlines())
    return {row[1]: row for row in rows if row[1:]}


@pytest.mark.slow
def test_ways_to_color_a_video_are_compared_on_an_old_film_too(photograph, tmp_path, monkeypatch, capsys):
    wide = np.asarray(photograph.convert("RGB").resize((280, 160)))
    source = clip(tmp_path / "pan.mp4", [wide[:, 2 * n : 2 * n + 240] for n in range(15)], sound=False)
    flickers = {}
    for kind in ("new", "aged"):
        words = ["flicker", str(source), "--output", str(tmp_path / kind), *(["--aged"] if kind == "aged" else [])]
        monkeypatch.setattr("sys.argv", words)
        flicker.main()
        rows = table_rows(capsys.readouterr().out)
        assert {"gray", *flicker.METHODS, "original"} <= rows.keys()
        flickers[kind] = {way: float(rows[way][2]) for way in flicker.METHODS}
        assert Image.open(tmp_path / kind / "pan/sheet.png").height > 200
    assert min(min(values.values()) for values in flickers.values()) > 0
    for way in flicker.METHODS.keys() - {"key frames, cross-faded"}:  # it sees the grain of key frames only
        assert flickers["aged"][way] > flickers["new"][way]
    steady = flickers["aged"]["key frames, along motion"]
    assert steady < flickers["aged"]["frame by frame"], "color along motion is for old films"


@pytest.mark.nightly
def test_the_flicker_of_a_real_clip_is_a_third_of_frame_by_frame(shared, tmp_path):
    table, _ = flicker.compare(shared / "data/video/annarbor.mp4", load("unet"), tmp_path, is_aged=False)
    rows = table_rows(table)
    single, ours = (
        [float(rows[way][column]) for column in (2, 5, 6)] for way in ("frame by frame", "key frames, along motion")
    )
    assert ours[0] <= single[0] / 3
    assert ours[1] < 1.02 * single[1]
    assert ours[2] > 1.3 * single[2], "1.6 times on an idle machine"


def test_levin_spreads_points_to_edges_of_lightness():
    """Colorization by optimization: flat regions take the color of their point, and no other's."""
    levels = np.full((20, 30), 60, np.uint8)
    levels[:, 15:] = 200
    red, blue = Point(0.2, 0.5, "#a06060"), Point(0.8, 0.5, "#6060a0")
    ab = levin(levels, Guidance((red, blue)))
    for point, half in ((red, ab[:, :, :14]), (blue, ab[:, :, 16:])):
        expected = np.array(point.ab, np.float32)[:, None, None] / AB_RANGE
        np.testing.assert_allclose(half, np.broadcast_to(expected, half.shape), atol=0.02)
