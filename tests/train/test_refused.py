"""Runs that are refused before the first step, with the reason."""

import importlib.util
import re
import socket
import subprocess
import sys

import pytest
from accelerate import Accelerator
from conftest import ROOT
from support import training
from support.training import unet_run

from train.loop import train


@pytest.mark.parametrize(
    ("recipe", "parts", "reason"),
    [
        ("pix2pix", 2, "--gradient-accumulation-steps 2 is not for pix2pix: its generator's one forward pass"),
        ("cwgan", 2, "--gradient-accumulation-steps 2 is not for cwgan: it counts each batch as one critic step"),
        ("unet", 3, "--gradient-accumulation-steps 3 does not divide the batch of 2"),
    ],
)
def test_what_does_not_work_is_refused_with_a_reason(parquet, tmp_path, recipe, parts, reason):
    with pytest.raises(ValueError, match=reason):
        training.run(recipe, parquet, tmp_path, gradient_accumulation_steps=parts)


def test_half_precision_that_would_silently_go_wrong_is_refused(parquet, tmp_path):
    class Half(Accelerator):
        mixed_precision = "fp16"

    with pytest.raises(ValueError, match="--mixed_precision fp16 is not for these recipes"):
        train(training.settings("pix2pix", parquet, tmp_path), Half(cpu=True))


def test_a_tracker_that_is_not_installed_is_refused(parquet, tmp_path, subprocess_env):
    if importlib.util.find_spec("tensorboard"):
        pytest.skip("tensorboard is installed")
    words = ["--recipe", "unet", "--dataset", parquet, "--output-dir", tmp_path, "--report-to", "tensorboard"]
    words = [sys.executable, "-m", "train", *words]
    done = subprocess.run(words, cwd=ROOT, env=subprocess_env, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "train: --report-to tensorboard needs it: pip install tensorboard, or give --report-to none\n"


def test_an_output_folder_that_cannot_be_written_is_noticed_before_the_first_step(parquet, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ValueError, match=r"--output-dir .*/file/runs cannot be written: Not a directory"):
        unet_run(parquet, tmp_path / "file/runs")


HOLDER = """
import sys, time
from pathlib import Path
from train.output import owned
with owned(Path(sys.argv[1]), "unet"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_two_runs_in_one_output_folder_are_refused_and_a_killed_one_is_taken_over(parquet, tmp_path, capsys):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        who = rf"process {holder.pid} on {re.escape(socket.gethostname())}"
        with pytest.raises(ValueError, match=rf"is the output of {who}, which trains unet too"):
            unet_run(parquet, tmp_path, max_train_steps=2)
    finally:
        holder.kill()
        holder.wait()
    unet_run(parquet, tmp_path, max_train_steps=2)
    assert re.search(rf"unet: {who} has ended; this one takes over", capsys.readouterr().out)
    assert not list(tmp_path.glob(".*"))
