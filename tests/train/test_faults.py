"""What goes wrong in long runs: bad numbers, damaged or full disks, damaged data, other options."""

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys

import httpx2
import pytest
import torch
from accelerate import Accelerator
from conftest import ROOT
from safetensors.torch import load_file, save_file
from support import training

from colorization import load
from train import checkpoint
from train.loop import train
from train.recipes.base import cosine
from train.recipes.unet import UNetRecipe
from train.signals import CAN_RESUME, StoppedError


def run(dataset, folder, **given):
    return training.run("unet", dataset, folder, **{"max_train_steps": 12, "checkpointing_steps": 4} | given)


def stage_of(folder):
    return json.loads((folder / "unet/training.json").read_text())["stages"][-1]


def learned(folder):
    newest, _ = checkpoint.newest(folder / "checkpoints/unet")
    return {name: tensor.clone() for name, tensor in newest.tensors().items()}  # the file may go


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
    run(parquet, tmp_path)
    stage = stage_of(tmp_path)
    assert (stage["steps_done"], stage["steps_skipped"], stage["rollbacks"]) == (12, 3, 0)
    assert "unet: step 3 is skipped: its gradients are NaN or infinite" in capfd.readouterr().err
    assert load(tmp_path / "unet") and not checkpoint.not_finite(learned(tmp_path))


def test_three_in_a_row_go_back_with_half_the_learning_rate(parquet, tmp_path, poison, capfd):
    poison(lambda step, times: step in (6, 7, 8) and times == 1)
    run(parquet, tmp_path, logging_steps=1)
    stage = stage_of(tmp_path)
    assert (stage["steps_done"], stage["rollbacks"]) == (12, 1)
    assert "unet: back to step 4, with the learning rate times 0.5" in capfd.readouterr().err
    rates = {point["step"]: point["learning_rate"] for point in stage["curve"]}
    assert rates[5] < rates[4] / 2 and not checkpoint.not_finite(learned(tmp_path))


def test_what_stays_bad_ends_the_run_and_the_last_checkpoint_stays(parquet, tmp_path, poison):
    poison(lambda step, _: step >= 6)
    with pytest.raises(FloatingPointError, match="3 steps in a row: lower the learning rate"):
        run(parquet, tmp_path)
    assert stage_of(tmp_path)["steps_done"] == 4 and load(tmp_path / "unet")
    assert not checkpoint.not_finite(learned(tmp_path))


def test_bad_from_the_beginning_leaves_nothing(parquet, tmp_path, poison):
    poison(lambda *_: True)
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        run(parquet, tmp_path)
    assert not (tmp_path / "unet").exists() and not (tmp_path / "checkpoints").exists()


@pytest.mark.parametrize("file", ["tensors.safetensors", "state.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(parquet, tmp_path, capsys, file, damage):
    run(parquet, tmp_path)
    wanted = learned(tmp_path)
    victim = tmp_path / "checkpoints/unet/step-000000012" / file
    data = bytearray(victim.read_bytes())
    if damage == "flipped":
        data[len(data) // 2] ^= 1
    victim.unlink() if damage == "gone" else victim.write_bytes(data[: len(data) // 2] if damage == "cut" else data)
    run(parquet, tmp_path)
    said = capsys.readouterr().out
    assert f"unet: damaged, so an earlier checkpoint is used: {victim.parent}" in said
    assert "unet: resumes at step 8" in said
    again = learned(tmp_path)
    assert all(torch.equal(again[name], value) for name, value in wanted.items())


def test_the_same_command_again_says_that_it_is_done(parquet, tmp_path, capsys):
    run(parquet, tmp_path)
    before = (tmp_path / "unet/model.safetensors").stat().st_mtime_ns
    run(parquet, tmp_path)
    assert "unet: was finished before at step 12" in capsys.readouterr().out
    assert (tmp_path / "unet/model.safetensors").stat().st_mtime_ns == before


def test_another_run_is_not_gone_on_with(parquet, tmp_path):
    run(parquet, tmp_path, max_train_steps=4)
    with pytest.raises(ValueError, match=r"is of another run \(seed is 5, was 0\): give the same"):
        run(parquet, tmp_path, seed=5)
    run(parquet, tmp_path, seed=5, resume_from_checkpoint="none")
    assert stage_of(tmp_path)["seed"] == 5 and stage_of(tmp_path)["steps_done"] == 12
    assert len(list((tmp_path / "checkpoints/unet").iterdir())) == 2, "two are kept"


def as_version_0_1(saved):
    """Rewrite a checkpoint as version 0.1 wrote it."""
    names = ((r"encoder\.stages\.", "down.down."), (r"encoder\.(?=\d)", "down."), (r"decoder\.", "up."))
    tensors = load_file(saved / "tensors.safetensors")
    for new, old in names:
        tensors = {re.sub(new, old, key): value for key, value in tensors.items()}
    save_file(tensors, saved / "tensors.safetensors")
    state = json.loads((saved / "state.json").read_text())
    identity, stage = state["identity"], state["stage"]
    for old, new in {"split": "train_split", "steps": "max_train_steps", "size": "resolution"}.items():
        identity[old] = identity.pop(new)
    identity["old_share"] = identity.pop("degraded_share")
    known = {"dataset", "split", "image_column", "lanes", "steps", "seed", "size", "batch over all processes"}
    known |= {"min_colorfulness", "vary_lightness", "old_share", "ema_decay", "init_from", "precision"}
    state = {
        "identity": {key: value for key, value in identity.items() if key in known or "." in key},
        "stage": {key.replace("_skipped", "_left_out"): value for key, value in stage.items()},
        "places": state["lane_states"],
        "rate_factor": 1.0,
    }
    (saved / "state.json").write_text(json.dumps(state))
    files = ("tensors.safetensors", "state.json")
    hashes = {name: hashlib.sha256((saved / name).read_bytes()).hexdigest() for name in files}
    (saved / "manifest.json").write_text(json.dumps(hashes))


@pytest.mark.parametrize("width", [8, 32])
def test_a_checkpoint_of_version_0_1_resumes_to_the_same_bits(parquet, tmp_path, capsys, width):
    """At width 32 the encoder is ImageNet's."""
    given = {"max_train_steps": 6, "checkpointing_steps": 3, "unet.width": width}
    run(parquet, tmp_path, **given)
    wanted = learned(tmp_path)
    shutil.rmtree(tmp_path / "checkpoints/unet/step-000000006")
    as_version_0_1(tmp_path / "checkpoints/unet/step-000000003")
    run(parquet, tmp_path, **given)
    assert "unet: resumes at step 3" in capsys.readouterr().out
    assert all(torch.equal(value, wanted[name]) for name, value in learned(tmp_path).items())
    with pytest.raises(ValueError, match=r"max_grad_norm is 1\.0, was None"):
        run(parquet, tmp_path, max_grad_norm=1.0, **given)


def test_a_named_checkpoint_is_resumed_and_later_ones_give_way(parquet, tmp_path, capsys):
    run(parquet, tmp_path, checkpoints_total_limit=3)
    wanted, folder = learned(tmp_path), tmp_path / "checkpoints/unet"
    assert sorted(saved.name for saved in folder.iterdir()) == ["step-000000004", "step-000000008", "step-000000012"]
    start = folder / "step-000000004"
    run(parquet, tmp_path, checkpoints_total_limit=3, checkpointing_steps=5, resume_from_checkpoint=start)
    assert "unet: resumes at step 4" in capsys.readouterr().out
    assert sorted(saved.name for saved in folder.iterdir()) == ["step-000000005", "step-000000010", "step-000000012"]
    assert all(torch.equal(value, wanted[name]) for name, value in learned(tmp_path).items())
    with pytest.raises(ValueError, match=r"--resume-from-checkpoint .*/nowhere: no checkpoint"):
        run(parquet, tmp_path, resume_from_checkpoint=tmp_path / "nowhere")


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
    run(parquet, tmp_path / "whole")
    run(parquet, small_disk)
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
    run(parquet, small_disk)
    assert all(torch.equal(learned(small_disk)[n], v) for n, v in learned(tmp_path / "whole").items())


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
        run(parquet, tmp_path / "file/runs")


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
            run(parquet, tmp_path, max_train_steps=2)
    finally:
        holder.kill()
        holder.wait()
    run(parquet, tmp_path, max_train_steps=2)
    assert re.search(rf"unet: {who} has ended; this one takes over", capsys.readouterr().out)
    assert not list(tmp_path.glob(".*"))


def test_with_every_checkpoint_damaged_a_run_does_not_begin_anew_in_silence(parquet, tmp_path):
    run(parquet, tmp_path)
    for file in (tmp_path / "checkpoints").glob("unet/*/state.json"):
        file.write_text("{}")
    with pytest.raises(ValueError, match=r"every checkpoint is damaged .*step-000000012: state\.json .*none$"):
        run(parquet, tmp_path)
    run(parquet, tmp_path, resume_from_checkpoint="none", max_train_steps=2)
    assert stage_of(tmp_path)["steps_done"] == 2


def test_a_finished_run_is_extended_and_says_by_which_schedule(parquet, tmp_path, capsys):
    run(parquet, tmp_path, max_train_steps=4)
    run(parquet, tmp_path, max_train_steps=8, logging_steps=1)
    said = capsys.readouterr().out
    assert (
        "unet: extended from 4 to 8 steps; the learning rate follows the schedule of the longer run from step 4" in said
    )
    stage = stage_of(tmp_path)
    assert (stage["steps"], stage["steps_done"]) == (8, 8)
    rates = {point["step"]: point["learning_rate"] for point in stage["curve"]}
    assert rates[5] == pytest.approx(1e-3 * cosine(4, 8))
    with pytest.raises(ValueError, match="max_train_steps is 4, was 8"):
        run(parquet, tmp_path, max_train_steps=4)


def test_too_many_damaged_pictures_are_a_mistake_in_the_data(parquet, tmp_path):
    with pytest.raises(ValueError, match=r"\d+ of 1\d\d pictures of .* do not decode, the first are (broken|cut), "):
        run(parquet, tmp_path, max_train_steps=200, max_broken=0.01)


@pytest.mark.parametrize("kind", [ConnectionError, httpx2.ConnectError])
def test_a_network_that_is_gone_is_no_failure_but_a_pause(parquet, tmp_path, monkeypatch, kind):
    run(parquet, tmp_path / "whole")
    from train.data import stream

    read, left = stream.encoded, [14]

    def gone(cell):
        left[0] -= 1
        if left[0] < 0:
            raise kind("no route to the Hub")
        return read(cell)

    monkeypatch.setattr(stream, "encoded", gone)
    with pytest.raises(StoppedError, match=r"cannot be read on \(no route to the Hub\) at step \d of unet") as stopped:
        run(parquet, tmp_path / "cut")
    assert stopped.value.code == CAN_RESUME
    monkeypatch.setattr(stream, "encoded", read)
    run(parquet, tmp_path / "cut")
    assert all(torch.equal(learned(tmp_path / "cut")[n], v) for n, v in learned(tmp_path / "whole").items())


def test_a_batch_in_parts_is_the_same_batch(parquet, tmp_path):
    for parts in (1, 2):
        # Width 16: at 8 each group of the normalization is one channel, and the bias before it does nothing but drift.
        given = {"train_batch_size": 4, "gradient_accumulation_steps": parts, "vary_lightness": False, "unet.width": 16}
        run(parquet, tmp_path / str(parts), **given)
    whole, halves = (learned(tmp_path / parts) for parts in ("1", "2"))
    worst = max((halves[name] - value).abs().max() for name, value in whole.items() if "network" in name)
    assert worst < 1e-5


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
