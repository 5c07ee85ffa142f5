"""Checkpoints that are damaged, of another run, of another version, named, or of a finished run."""

import hashlib
import json
import re
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.training import learned, stage_of, unet_run

from train.recipes.base import cosine


@pytest.mark.parametrize("file", ["tensors.safetensors", "state.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(parquet, tmp_path, capsys, file, damage):
    unet_run(parquet, tmp_path)
    wanted = learned(tmp_path)
    victim = tmp_path / "checkpoints/unet/step-000000012" / file
    data = bytearray(victim.read_bytes())
    if damage == "flipped":
        data[len(data) // 2] ^= 1
    victim.unlink() if damage == "gone" else victim.write_bytes(data[: len(data) // 2] if damage == "cut" else data)
    unet_run(parquet, tmp_path)
    said = capsys.readouterr().out
    assert f"unet: damaged, so an earlier checkpoint is used: {victim.parent}" in said
    assert "unet: resumes at step 8" in said
    again = learned(tmp_path)
    assert all(torch.equal(again[name], value) for name, value in wanted.items())


def test_with_every_checkpoint_damaged_a_run_does_not_begin_anew_in_silence(parquet, tmp_path):
    unet_run(parquet, tmp_path)
    for file in (tmp_path / "checkpoints").glob("unet/*/state.json"):
        file.write_text("{}")
    with pytest.raises(ValueError, match=r"every checkpoint is damaged .*step-000000012: state\.json .*none$"):
        unet_run(parquet, tmp_path)
    unet_run(parquet, tmp_path, resume_from_checkpoint="none", max_train_steps=2)
    assert stage_of(tmp_path)["steps_done"] == 2


def test_the_same_command_again_says_that_it_is_done(parquet, tmp_path, capsys):
    unet_run(parquet, tmp_path)
    before = (tmp_path / "unet/model.safetensors").stat().st_mtime_ns
    unet_run(parquet, tmp_path)
    assert "unet: was finished before at step 12" in capsys.readouterr().out
    assert (tmp_path / "unet/model.safetensors").stat().st_mtime_ns == before


def test_another_run_is_not_gone_on_with(parquet, tmp_path):
    unet_run(parquet, tmp_path, max_train_steps=4)
    with pytest.raises(ValueError, match=r"is of another run \(seed is 5, was 0\): give the same"):
        unet_run(parquet, tmp_path, seed=5)
    unet_run(parquet, tmp_path, seed=5, resume_from_checkpoint="none")
    assert stage_of(tmp_path)["seed"] == 5 and stage_of(tmp_path)["steps_done"] == 12
    assert len(list((tmp_path / "checkpoints/unet").iterdir())) == 2, "two are kept"


def test_a_finished_run_is_extended_and_says_by_which_schedule(parquet, tmp_path, capsys):
    unet_run(parquet, tmp_path, max_train_steps=4)
    unet_run(parquet, tmp_path, max_train_steps=8, logging_steps=1)
    said = capsys.readouterr().out
    assert (
        "unet: extended from 4 to 8 steps; the learning rate follows the schedule of the longer run from step 4" in said
    )
    stage = stage_of(tmp_path)
    assert (stage["steps"], stage["steps_done"]) == (8, 8)
    rates = {point["step"]: point["learning_rate"] for point in stage["curve"]}
    assert rates[5] == pytest.approx(1e-3 * cosine(4, 8))
    with pytest.raises(ValueError, match="max_train_steps is 4, was 8"):
        unet_run(parquet, tmp_path, max_train_steps=4)


def test_a_named_checkpoint_is_resumed_and_later_ones_give_way(parquet, tmp_path, capsys):
    unet_run(parquet, tmp_path, checkpoints_total_limit=3)
    wanted, folder = learned(tmp_path), tmp_path / "checkpoints/unet"
    assert sorted(saved.name for saved in folder.iterdir()) == ["step-000000004", "step-000000008", "step-000000012"]
    start = folder / "step-000000004"
    unet_run(parquet, tmp_path, checkpoints_total_limit=3, checkpointing_steps=5, resume_from_checkpoint=start)
    assert "unet: resumes at step 4" in capsys.readouterr().out
    assert sorted(saved.name for saved in folder.iterdir()) == ["step-000000005", "step-000000010", "step-000000012"]
    assert all(torch.equal(value, wanted[name]) for name, value in learned(tmp_path).items())
    with pytest.raises(ValueError, match=r"--resume-from-checkpoint .*/nowhere: no checkpoint"):
        unet_run(parquet, tmp_path, resume_from_checkpoint=tmp_path / "nowhere")


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
    unet_run(parquet, tmp_path, **given)
    wanted = learned(tmp_path)
    shutil.rmtree(tmp_path / "checkpoints/unet/step-000000006")
    as_version_0_1(tmp_path / "checkpoints/unet/step-000000003")
    unet_run(parquet, tmp_path, **given)
    assert "unet: resumes at step 3" in capsys.readouterr().out
    assert all(torch.equal(value, wanted[name]) for name, value in learned(tmp_path).items())
    with pytest.raises(ValueError, match=r"max_grad_norm is 1\.0, was None"):
        unet_run(parquet, tmp_path, max_grad_norm=1.0, **given)
