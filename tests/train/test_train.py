"""The trainer as users start it: a real `accelerate launch train` in a subprocess."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from accelerate import Accelerator
from conftest import NAMES, ROOT

from colorization import colorize, load
from train.config import TrainOptions
from train.curves import save_curves
from train.loop import train
from train.recipes.unet import UNetConfig

SMALL = [f"--{name}.{option}" for name in NAMES for option in ("width", "depth")]
SMALL = [word for option in SMALL for word in (option, "8" if option.endswith("width") else "3")]


@pytest.fixture(scope="module")
def launch(subprocess_env):
    def launch(*arguments, command=("accelerate", "launch", "--cpu", "--num_processes", "1", "train")):
        words = [*command, *map(str, arguments)]
        return subprocess.run(words, cwd=ROOT, env=subprocess_env, capture_output=True, text=True, timeout=240)

    return launch


@pytest.fixture(scope="module")
def trained(launch, parquet, tmp_path_factory):
    """All three recipes, a few steps each, in one launch."""
    folder = tmp_path_factory.mktemp("runs")
    options = ["--steps", 7, "--size", 32, "--batch-size", 4, "--save-every", 5, "--workers", 0, *SMALL]
    options += ["--unet.perceptual-weight", 0, "--cwgan.color-weight", 1]
    done = launch("--recipe", "all", "--dataset", parquet, "--output-dir", folder, *options)
    assert done.returncode == 0, done.stderr
    return folder, done


@pytest.mark.parametrize("name", NAMES)
def test_accelerate_launch_trains_every_recipe(trained, name, photograph):
    folder, done = trained
    files = {f.name for f in (folder / name).iterdir()}
    assert files == {"config.json", "model.safetensors", "training.json", "samples.png", "curves.png"}
    assert f"{name}: weights, record and samples are in" in done.stdout
    assert all(word in done.stderr for word in ("l1=", "lr=", "img/s="))
    model = load(folder / name)
    assert model.name == name and model.working_size == 32
    assert any(p.abs().sum() > 0 for n, p in model.named_parameters() if n.startswith("head")), "it learned nothing"
    assert colorize(model, photograph).size == photograph.size


@pytest.mark.parametrize("name", NAMES)
def test_the_record_says_how_the_weights_came_to_be(trained, name, parquet):
    (stage,) = json.loads((trained[0] / name / "training.json").read_text())["stages"]
    assert stage["command"].startswith("accelerate launch train --recipe all")
    assert stage["steps_done"] == 7 and stage["pictures_seen"] == 28 and stage["size"] == 32 and stage["seed"] == 0
    assert stage["dataset"] == str(parquet) and stage["processes"] == 1
    curve = stage["curve"]
    assert curve[-1]["step"] == 7 and curve[-1]["images_per_s"] > 0 and "learning_rate" in curve[-1]
    assert any(point.get("l1", 0) > 0 for point in curve), "CWGAN has L1 in every fifth step only"
    assert stage["broken_skipped"] <= 2


def test_going_on_from_earlier_weights_keeps_their_history(trained, launch, parquet, tmp_path):
    start = trained[0] / "unet"
    options = ["--steps", 2, "--size", 64, "--batch-size", 2, "--workers", 0, *SMALL, "--unet.perceptual-weight", 0]
    done = launch(
        "--recipe", "unet", "--dataset", parquet, "--output-dir", tmp_path, "--init-from", start, *options,
        command=(sys.executable, "-m", "train"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    stages = json.loads((tmp_path / "unet/training.json").read_text())["stages"]
    assert [s["size"] for s in stages] == [32, 64] and load(tmp_path / "unet").working_size == 64


def test_a_mistake_is_one_line(launch, parquet, tmp_path):
    done = launch(
        "--recipe", "pix2pix", "--dataset", f"{parquet}/none-*.parquet", "--output-dir", tmp_path,
        command=(sys.executable, "-m", "train"),
    )  # fmt: skip
    assert done.returncode == 1 and "train: cannot open" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"size": 33}, "expected a multiple of 8"),
        ({"steps": 0}, "--steps is 0, expected 1 or more"),
        ({"old_share": 1.5}, "--old-share is 1.5, expected 0 to 1"),
        ({"batch_size": -1}, "--batch-size is -1, expected 1 or more"),
        ({"unet": UNetConfig(width=8, depth=3), "vgg_weights": Path("none.safetensors")}, "--vgg-weights FILE"),
        ({"init_from": "pix2pix"}, "--init-from pix2pix is"),
        ({"min_colorfulness": 300.0}, "no picture is usable"),
    ],
)
def test_mistakes_are_named_and_leave_nothing_behind(parquet, tmp_path, given, reason):
    small = {"size": 32, "batch_size": 2, "steps": 1, "workers": 0}
    unet = UNetConfig(width=8, depth=3, perceptual_weight=0.0)
    with pytest.raises((ValueError, FileNotFoundError), match=reason):
        settings = {"dataset": str(parquet), "unet": unet} | small | given
        train(TrainOptions("unet", tmp_path, **settings), "unet", Accelerator(cpu=True))
    assert not list(tmp_path.iterdir()), "a run that never began left something behind"


def test_larger_networks_are_a_matter_of_the_command_line(tmp_path):
    options = TrainOptions("unet", tmp_path)
    assert options.recipe_config("unet").width == 32 and options.dataset == "larrygzlb1994/lhq_256"


def test_a_dry_run_tells_what_a_run_would_be(launch, parquet, tmp_path):
    words = ["--recipe", "all", "--dataset", parquet, "--output-dir", tmp_path, "--size", 32, "--batch-size", 4, *SMALL]
    words += ["--unet.perceptual-weight", 0, "--steps", 1000, "--max-broken", 0.2, "--dry-run"]
    done = launch(*words, command=(sys.executable, "-m", "train"))
    assert done.returncode == 0, done.stderr
    for name in NAMES:
        lines = "\n".join(line for line in done.stdout.splitlines() if line.startswith(f"{name}: "))
        assert f"data: 38 pictures in {parquet}, train; skipped on the way to 44: " in lines
        assert "parameters: colorizer " in lines and " MiB at its peak" in lines
        assert "steps/s of 4 pictures" in lines and "for 1,000 steps, 105.3 times the data set" in lines
    assert {file.name for file in tmp_path.iterdir()} == {f"{name}-dry-run.png" for name in NAMES}


def test_curves_are_logged_beside_the_record_and_hold_the_gray_row(launch, parquet, tmp_path):
    words = [
        "--recipe",
        "unet",
        "--dataset",
        parquet,
        "--output-dir",
        tmp_path,
        "--size",
        32,
        "--batch-size",
        4,
        *SMALL,
    ]
    words += ["--unet.perceptual-weight", 0, "--steps", 6, "--save-every", 3, "--max-broken", 0.2]
    done = launch(*words, command=(sys.executable, "-m", "train"))
    assert done.returncode == 0, done.stderr
    curve = json.loads((tmp_path / "unet/training.json").read_text())["stages"][0]["curve"]
    measured = [point for point in curve if "validation_psnr" in point]
    assert [point["step"] for point in measured] == [3, 6]
    assert measured[0]["gray_psnr"] == measured[1]["gray_psnr"] > 5
    assert all(0 <= point["data_wait"] < 1 and point["images_per_s"] > 0 for point in curve)
    assert "wait=" in done.stderr and "val=" in done.stderr
    assert list((tmp_path / "trackio").glob("*.db")), "trackio has no local record"


def test_no_line_leads_from_one_stage_to_the_next(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr("train.curves.Figure.savefig", lambda figure, *_, **__: figures.append(figure))
    curve = [{"step": step, "l1": 1.0, "learning_rate": 1e-3, "images_per_s": 9.0} for step in (5, 10)]
    save_curves([{"steps_done": 10, "curve": curve}] * 2, tmp_path / "curves.png")
    (line,) = [line for line in figures[0].axes[0].lines if line.get_label() == "l1"]
    assert list(line.get_xdata()) == [5, 10, 10, 15, 20, 20]
    assert [math.isnan(value) for value in line.get_ydata()] == [False, False, True] * 2
