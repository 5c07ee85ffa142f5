"""The trainer as users start it: a real `accelerate launch train` in a subprocess."""

import json
import math
import re
import subprocess
import sys

import pytest
from conftest import NAMES, ROOT
from support.training import learned, run, unet_run

from colorization import colorize, load
from train.config import parse
from train.curves import save_curves

SMALL = [f"--{name}.{option}" for name in NAMES for option in ("width", "depth")]
SMALL = [word for option in SMALL for word in (option, "8" if option.endswith("width") else "3")]
SMALL += ["--resolution", 32, "--train-batch-size", 4, "--unet.perceptual-weight", 0]


@pytest.fixture(scope="module")
def launch(subprocess_env):
    def launch(*arguments, command=("accelerate", "launch", "--cpu", "--num_processes", "1", "train")):
        words = [*command, *map(str, arguments)]
        return subprocess.run(words, cwd=ROOT, env=subprocess_env, capture_output=True, text=True, timeout=240)

    launch.env = subprocess_env
    return launch


@pytest.fixture(scope="module")
def trained(launch, parquet, tmp_path_factory):
    """All three recipes, a few steps each, in one launch."""
    folder = tmp_path_factory.mktemp("runs")
    options = ["--max-train-steps", 7, "--checkpointing-steps", 5, "--dataloader-num-workers", 0, *SMALL]
    options += ["--cwgan.color-weight", 1]
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


@pytest.mark.slow
def test_going_on_from_earlier_weights_keeps_their_history(trained, launch, parquet, tmp_path):
    start = trained[0] / "unet"
    options = [*SMALL, "--max-train-steps", 2, "--resolution", 64, "--train-batch-size", 2]
    options += ["--dataloader-num-workers", 0]
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
    assert done.returncode == 1 and "train: no file matches --dataset" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"resolution": 36}, "--resolution is 36, expected a multiple of 8 for unet of depth 3"),
        ({"max_train_steps": 0}, "--max-train-steps is 0, expected 1 or more"),
        ({"degraded_share": 1.5}, "--degraded-share is 1.5, expected 0 to 1"),
        ({"train_batch_size": -1}, "--train-batch-size is -1, expected 1 to 65536"),
        ({"ema_decay": "nan"}, "--ema-decay is nan, expected 0 to 0.999999"),
        ({"validation_pictures": -2}, "--validation-pictures is -2, expected 0 to 10000"),
        ({"checkpointing_minutes": -1}, "--checkpointing-minutes is -1.0, expected 0.01 or more"),
        ({"dataloader_num_workers": -1}, "--dataloader-num-workers is -1, expected 0 to 256"),
        ({"unet.depth": 0}, "--unet.depth is 0, expected 1 to 10"),
        ({"unet.learning_rate": "inf"}, "--unet.learning-rate is inf, expected 0 or more"),
        ({"vgg_weights": "none.safetensors"}, "--vgg-weights none.safetensors is no file here"),
        ({"push_to_hub": True}, "--push-to-hub needs --hub-namespace"),
        ({"init_share": 0.5}, "--init-share needs --init-from"),
        ({"init_from": "unet", "init_share_of": "unet"}, "--init-share-of needs --init-share"),
        ({"unet.guidance_only": True, "unet.hint_share": 0.5}, "--unet.guidance-only needs --init-from"),
        ({"init_from": "pix2pix"}, "--init-from pix2pix is"),
        ({"min_colorfulness": 300.0}, "no picture is usable"),
    ],
)
def test_mistakes_are_named_and_leave_nothing_behind(parquet, tmp_path, given, reason):
    with pytest.raises((ValueError, FileNotFoundError), match=reason):
        run("unet", parquet, tmp_path, max_train_steps=given.pop("max_train_steps", 1), **given)
    assert not list(tmp_path.iterdir()), "a run that never began left something behind"


def test_an_option_of_another_recipe_is_not_looked_at(tmp_path):
    words = ["--recipe", "unet", "--output-dir", str(tmp_path), "--cwgan.n-critic", "0"]
    assert parse(words).recipes == ["unet"]
    with pytest.raises(ValueError, match=r"--cwgan\.n-critic is 0, expected 1 or more"):
        parse([*words, "--recipe", "cwgan"])


@pytest.mark.parametrize("word", ["--max_train_steps", "--max-train-steps"])
def test_options_may_be_written_with_underscores(word, tmp_path):
    assert parse(["--recipe", "all", "--output_dir", "runs", word, "7"]).optimization.max_train_steps == 7


def test_help_is_grouped_and_needs_no_torch(subprocess_env):
    code = "import runpy, sys\nsys.argv = ['train', '--help']\ntry: runpy.run_module('train', run_name='__main__')\n"
    code += "except SystemExit: print('loaded:', *sorted({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=subprocess_env, capture_output=True, text=True)
    groups = ("data", "optimization", "validation", "run", "hub", "pix2pix", "cwgan", "unet")
    places = [done.stdout.index(f" {group} options ") for group in groups]
    assert places == sorted(places), done.stdout
    loaded = done.stdout.split("loaded:")[1].split()
    assert "tyro" in loaded and not {"torch", "accelerate", "datasets", "numpy"} & set(loaded)


def test_a_dry_run_tells_what_a_run_would_be(launch, parquet, tmp_path):
    words = ["--recipe", "all", "--dataset", parquet, "--output-dir", tmp_path, *SMALL]
    words += ["--max-train-steps", 1000, "--max-broken", 0.2, "--dry-run"]
    done = launch(*words, command=(sys.executable, "-m", "train"))
    assert done.returncode == 0, done.stderr
    for name in NAMES:
        lines = "\n".join(line for line in done.stdout.splitlines() if line.startswith(f"{name}: "))
        assert f"data: 38 pictures in {parquet}, train" in lines and "skipped on the way to 44: " in lines
        assert "parameters: colorizer " in lines and " MiB at its peak" in lines
        assert "steps/s of 4 pictures" in lines and "for 1,000 steps, 105.3 times the data set" in lines
    assert {file.name for file in tmp_path.iterdir()} == {f"{name}-dry-run.png" for name in NAMES}


@pytest.mark.slow
def test_curves_are_logged_beside_the_record_and_hold_the_gray_row(launch, parquet, tmp_path):
    words = ["--recipe", "unet", "--dataset", parquet, "--output-dir", tmp_path, *SMALL]
    words += ["--max-train-steps", 6, "--checkpointing-steps", 3, "--max-broken", 0.2]
    done = launch(*words, command=(sys.executable, "-m", "train"))
    assert done.returncode == 0, done.stderr
    curve = json.loads((tmp_path / "unet/training.json").read_text())["stages"][0]["curve"]
    measured = [point for point in curve if "validation_psnr" in point]
    assert [point["step"] for point in measured] == [3, 6]
    assert measured[0]["gray_psnr"] == measured[1]["gray_psnr"] > 5
    assert all(0 <= point["data_wait"] < 1 and point["images_per_s"] > 0 for point in curve)
    assert "wait=" in done.stderr and re.search(r"val=\d+\.\d\d dB \(gray copy \d+\.\d\d\)", done.stderr)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("curves: ")]
    variable, command = re.fullmatch(r"curves: TRACKIO_DIR=(\S+) (trackio show --project \S+)", line).groups()
    env = launch.env | {"TRACKIO_DIR": variable}
    shown = command.replace("show", "list runs")  # what the browser would show
    assert subprocess.run(shown.split(), env=env, capture_output=True, text=True).stdout.strip(), "no run is there"
    assert list((tmp_path / "trackio").glob("*.db")), "trackio has no local record"


def test_no_line_leads_from_one_stage_to_the_next(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr("train.curves.Figure.savefig", lambda figure, *_, **__: figures.append(figure))
    curve = [{"step": step, "l1": 1.0, "learning_rate": 1e-3, "images_per_s": 9.0} for step in (5, 10)]
    save_curves([{"steps_done": 10, "curve": curve}] * 2, tmp_path / "curves.png")
    (line,) = [line for line in figures[0].axes[0].lines if line.get_label() == "l1"]
    assert list(line.get_xdata()) == [5, 10, 10, 15, 20, 20]
    assert [math.isnan(value) for value in line.get_ydata()] == [False, False, True] * 2


@pytest.mark.slow
def test_a_fourth_model_is_two_files_and_two_table_rows(launch, parquet, tmp_path):
    """The trainer's command line, loop, record and the zoo know it by its rows in ZOO and RECIPES alone."""
    trainer = (sys.executable, str(ROOT / "tests/support/fourth_model.py"))
    words = ["--recipe", "plain", "--dataset", parquet, "--output-dir", tmp_path, "--max-train-steps", 4]
    words += ["--plain.width", 6, "--report-to", "none", "--dataloader-num-workers", 0, "--max-broken", 0.2]
    done = launch(*words, command=trainer)
    assert done.returncode == 0, done.stderr
    assert "plain: weights, record and samples are in" in done.stdout
    stage = json.loads((tmp_path / "plain/training.json").read_text())["stages"][0]
    assert stage["options"]["width"] == 6 and stage["steps_done"] == 4


def test_a_batch_in_parts_is_the_same_batch(parquet, tmp_path):
    for parts in (1, 2):
        # Width 16: at 8 each group of the normalization is one channel, and the bias before it does nothing but drift.
        given = {"train_batch_size": 4, "gradient_accumulation_steps": parts, "vary_lightness": False, "unet.width": 16}
        unet_run(parquet, tmp_path / str(parts), **given)
    whole, halves = (learned(tmp_path / parts) for parts in ("1", "2"))
    worst = max((halves[name] - value).abs().max() for name, value in whole.items() if "network" in name)
    assert worst < 1e-5
