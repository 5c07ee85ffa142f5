"""What goes wrong in long runs: bad numbers, damaged or full disks, damaged data, other options."""

import hashlib
import json
import re
import resource
import shutil
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
    """Make the colors of some optimization steps not a number; `when(step, times)` says which."""

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
    with pytest.raises(
        ValueError, match=r"is of another run \(max_train_steps is 12, was 4; seed is 5, was 0\): give the same"
    ):
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


def test_a_full_disk_leaves_the_last_checkpoint_whole(parquet, tmp_path, subprocess_env):
    """Files may suddenly not grow beyond 100 kB, which is less than a checkpoint needs."""
    words = [sys.executable, "-m", "train", "--recipe", "unet", "--dataset", parquet, "--output-dir", tmp_path / "full"]
    words += [
        "--resolution",
        32,
        "--train-batch-size",
        2,
        "--max-train-steps",
        12,
        "--checkpointing-steps",
        4,
        "--dataloader-num-workers",
        0,
        "--report-to",
        "none",
    ]
    words += ["--unet.width", 8, "--unet.depth", 3, "--unet.perceptual-weight", 0, "--max-broken", 0.2]
    words += ["--validation-pictures", 0]
    run(parquet, tmp_path / "whole")
    run(parquet, tmp_path / "full")
    shutil.rmtree(tmp_path / "full/checkpoints/unet/step-000000012")
    before = learned(tmp_path / "full")

    def full():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = subprocess.run(
        [*map(str, words)], cwd=ROOT, env=subprocess_env, capture_output=True, text=True, preexec_fn=full
    )
    assert done.returncode == CAN_RESUME, done.stderr
    assert "cannot save (" in done.stderr and "the same command resumes from the last checkpoint" in done.stderr
    assert "Traceback" not in done.stderr
    after = learned(tmp_path / "full")
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert not list((tmp_path / "full/checkpoints/unet").glob(".*")), "half a checkpoint is left lying about"
    run(parquet, tmp_path / "full")
    assert all(torch.equal(learned(tmp_path / "full")[n], v) for n, v in learned(tmp_path / "whole").items())


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
