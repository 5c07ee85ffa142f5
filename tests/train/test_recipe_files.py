"""The recipe files: one is run as it stands, but for sizes; of the other every command is read by the trainer."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from colorization.zoo import ZOO, load
from train.config import parse

ROOT = Path(__file__).resolve().parents[2]
FILES = ("two_cores_one_night.sh", "one_gpu_one_hour.sh")
TINY = [
    "--max-train-steps",
    "3",
    "--resolution",
    "32",
    "--train-batch-size",
    "2",
    "--dataloader-num-workers",
    "0",
    "--report-to",
    "none",
]
TINY += [word for name in ZOO for word in (f"--{name}.width", "8", f"--{name}.depth", "3")]
TINY += ["--unet.perceptual-weight", "0", "--pix2pix.l1-steps", "1", "--cwgan.l1-steps", "1", "--cwgan.n-critic", "1"]


def bash(file, *arguments, env=None):
    words = ["bash", f"recipes/{file}", *map(str, arguments)]
    return subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_a_night_on_two_cores_leaves_three_models(parquet, tmp_path, subprocess_env):
    done = bash(FILES[0], parquet, tmp_path, *TINY, env=subprocess_env)
    assert done.returncode == 0, done.stderr[-2000:]
    assert {name: load(str(tmp_path / name)).width for name in ZOO} == dict.fromkeys(ZOO, 8)
    assert (tmp_path / "first/unet/config.json").is_file()


@pytest.mark.parametrize("file", FILES)
def test_every_command_of_a_recipe_file_is_understood(file, tmp_path):
    """A stand-in for `accelerate` writes down what it is given."""
    accelerate = tmp_path / "accelerate"
    accelerate.write_text('#!/usr/bin/env bash\nprintf "%s\\n" "$*" >> "$SEEN"\n')
    accelerate.chmod(accelerate.stat().st_mode | stat.S_IXUSR)
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SEEN": str(tmp_path / "seen")}
    assert bash(file, "photographs", "runs", "--seed", "7", env=env).returncode == 0
    read = [parse(line.split(" train ")[1].split()) for line in (tmp_path / "seen").read_text().splitlines()]
    assert [options.recipe for options in read] == ["unet", "unet", "pix2pix", "cwgan"]
    assert all(options.optimization.seed == 7 and options.data.dataset == "photographs" for options in read)
    assert read[2].pix2pix.l1_steps < read[2].optimization.max_train_steps
    assert read[3].cwgan.l1_steps < read[3].optimization.max_train_steps


@pytest.mark.parametrize("file", FILES)
def test_a_recipe_file_says_how_it_is_used(file):
    said = bash(file)
    assert said.returncode == 2 and f"bash recipes/{file} DATASET OUTPUT" in said.stderr
