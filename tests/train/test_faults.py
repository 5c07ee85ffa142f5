"""What goes wrong in long runs: bad numbers, full disks, damaged data, a network that is gone."""

import contextlib
import os
import re
import shutil
import subprocess
import sys

import httpx2
import pytest
import torch
from conftest import ROOT
from support import training
from support.training import learned, stage_of, unet_run

from colorization import load
from train import checkpoint
from train.data.rows import Row
from train.recipes.unet import UNetRecipe
from train.signals import CAN_RESUME, StoppedError


@pytest.fixture
def poison(monkeypatch):
    """Make the colors of some optimization steps NaN; `when(step, times)` says which."""

    def poison(when):
        step, times = UNetRecipe.step, {}

        def poisoned(self, batch, done):
            number = done + 1
            times[number] = times.get(number, 0) + 1
            bad = when(number, times[number])
            return step(self, batch._replace(ab=batch.ab * float("nan")) if bad else batch, done)

        monkeypatch.setattr(UNetRecipe, "step", poisoned)

    return poison


def test_one_bad_step_is_skipped_and_counted(parquet, tmp_path, poison, capfd):
    poison(lambda step, _: step in (3, 5, 6))
    unet_run(parquet, tmp_path)
    stage = stage_of(tmp_path)
    assert (stage["steps_done"], stage["steps_skipped"], stage["rollbacks"]) == (12, 3, 0)
    assert "unet: step 3 is skipped: its gradients are NaN or infinite" in capfd.readouterr().err
    assert load(tmp_path / "unet") and not checkpoint.not_finite(learned(tmp_path))


def test_three_in_a_row_go_back_with_half_the_learning_rate(parquet, tmp_path, poison, capfd):
    poison(lambda step, times: step in (6, 7, 8) and times == 1)
    unet_run(parquet, tmp_path, logging_steps=1)
    stage = stage_of(tmp_path)
    assert (stage["steps_done"], stage["rollbacks"]) == (12, 1)
    assert "unet: back to step 4, with the learning rate times 0.5" in capfd.readouterr().err
    rates = {point["step"]: point["learning_rate"] for point in stage["curve"]}
    assert rates[5] < rates[4] / 2 and not checkpoint.not_finite(learned(tmp_path))


def test_what_stays_bad_ends_the_run_and_the_last_checkpoint_stays(parquet, tmp_path, poison):
    poison(lambda step, _: step >= 6)
    with pytest.raises(FloatingPointError, match="3 steps in a row: lower the learning rate"):
        unet_run(parquet, tmp_path)
    assert stage_of(tmp_path)["steps_done"] == 4 and load(tmp_path / "unet")
    assert not checkpoint.not_finite(learned(tmp_path))


def test_bad_from_the_beginning_leaves_nothing(parquet, tmp_path, poison):
    poison(lambda *_: True)
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        unet_run(parquet, tmp_path)
    assert not (tmp_path / "unet").exists() and not (tmp_path / "checkpoints").exists()


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of its own, 16 MB large."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("no tmpfs can be mounted here, so no disk can be made full")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(disk, left):
    """Fill a disk but for so many bytes; returns the file that does."""
    filler = disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb") as file:
        while True:
            file.write(bytes(1000))
            file.flush()
    os.truncate(filler, filler.stat().st_size - left)
    return filler


def command_line(dataset, folder, env):
    """The trainer as a process of its own, with trackio."""
    options = {"recipe": "unet", "dataset": dataset, "output_dir": folder, **training.SMALL, "report_to": "trackio"}
    options |= {"max_train_steps": 12, "checkpointing_steps": 4, "logging_steps": 1}
    words = [sys.executable, "-m", "train", *training.words(**options)]
    return subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True)


@pytest.mark.slow
def test_a_full_disk_leaves_the_last_checkpoint_whole(parquet, tmp_path, small_disk, subprocess_env):
    unet_run(parquet, tmp_path / "whole")
    unet_run(parquet, small_disk)
    shutil.rmtree(small_disk / "checkpoints/unet/step-000000012")
    before = learned(small_disk)
    filler = fill(small_disk, 100_000)  # less than a checkpoint needs
    done = command_line(parquet, small_disk, subprocess_env)
    assert done.returncode == CAN_RESUME, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("train: cannot save (") and last.endswith("same command resumes from the last checkpoint")
    assert "Traceback" not in done.stderr
    after = learned(small_disk)
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert not list((small_disk / "checkpoints/unet").glob(".*")), "half a checkpoint is left lying about"
    filler.unlink()
    unet_run(parquet, small_disk)
    assert all(torch.equal(learned(small_disk)[n], v) for n, v in learned(tmp_path / "whole").items())
    shutil.rmtree(small_disk / "unet")
    fill(small_disk, 10_000)  # less than the run's folder needs
    with pytest.raises(StoppedError, match=r"^cannot save \(.*\) at step 12 of unet"):
        unet_run(parquet, small_disk)
    assert not list(small_disk.glob(".unet-*"))


@pytest.mark.slow
@pytest.mark.parametrize("left", [0, 65_536])
def test_a_tracker_that_cannot_write_is_one_warning_and_the_run_goes_on(
    parquet, tmp_path, small_disk, subprocess_env, left
):
    fill(small_disk, left)
    done = command_line(parquet, tmp_path / "runs", subprocess_env | {"TRACKIO_DIR": str(small_disk / "trackio")})
    assert done.returncode == 0, done.stderr
    warning = "train: the tracker's curves may be incomplete, those in training.json are not: trackio failed to"
    assert len(re.findall(f"^{warning} .* full", done.stderr, re.MULTILINE)) == 1
    assert "UserWarning" not in done.stderr and "Uploading" not in done.stdout
    assert [point["step"] for point in stage_of(tmp_path / "runs")["curve"] if "l1" in point] == [*range(1, 13)]


def test_too_many_damaged_pictures_are_a_mistake_in_the_data(parquet, tmp_path):
    with pytest.raises(
        ValueError, match=r"\d+ of 1\d\d pictures of .* do not decode, the first are .*(broken.jpg|cut.png): .*; "
    ):
        unet_run(parquet, tmp_path, max_train_steps=200, max_broken=0.01)


@pytest.mark.parametrize("kind", [ConnectionError, httpx2.ConnectError])
def test_a_network_that_is_gone_is_no_failure_but_a_pause(parquet, tmp_path, monkeypatch, kind):
    unet_run(parquet, tmp_path / "whole")
    read, left = Row.encoded, [17 + 14]  # when it is opened, and while it learns

    def gone(row):
        left[0] -= 1
        if left[0] < 0:
            raise kind("no route to the Hub")
        return read(row)

    monkeypatch.setattr(Row, "encoded", gone)
    with pytest.raises(
        StoppedError, match=r"cannot be read on \(no (route|connection) to .*\) at step \d of unet"
    ) as stopped:
        unet_run(parquet, tmp_path / "cut")
    assert stopped.value.code == CAN_RESUME
    monkeypatch.setattr(Row, "encoded", read)
    unet_run(parquet, tmp_path / "cut")
    assert all(torch.equal(learned(tmp_path / "cut")[n], v) for n, v in learned(tmp_path / "whole").items())
