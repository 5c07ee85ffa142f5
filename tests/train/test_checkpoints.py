"""Checkpoints that are damaged, of another run, of another version, named, or of a finished run."""

import hashlib
import json
import shutil

import pytest
import torch
from support.training import learned, stage_of, unet_run

from train.recipes.base import cosine

FILES = ("tensors.safetensors", "state.json")


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


def test_a_finished_run_whose_files_are_gone_or_another_models_writes_them_again(parquet, tmp_path, capsys):
    folder = unet_run(parquet, tmp_path)
    wanted = (folder / "model.safetensors").read_bytes()
    shutil.rmtree(folder)
    unet_run(parquet, tmp_path)
    assert f"unet: {folder} does not hold this run's files, so it is written again" in capsys.readouterr().out
    names = {"config.json", "model.safetensors", "training.json", "samples.png", "curves.png"}
    assert {file.name for file in folder.iterdir()} == names
    assert (folder / "model.safetensors").read_bytes() == wanted and stage_of(tmp_path)["steps_done"] == 12
    (folder / "training.json").unlink()
    unet_run(parquet, tmp_path)
    assert stage_of(tmp_path)["steps_done"] == 12
    last = tmp_path / "checkpoints/unet/step-000000012"
    other = unet_run(parquet, tmp_path / "other", seed=5)
    shutil.copytree(other, folder, dirs_exist_ok=True)
    unet_run(parquet, tmp_path, resume_from_checkpoint=last)
    assert (folder / "model.safetensors").read_bytes() == wanted and stage_of(tmp_path)["seed"] == 0


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


def test_a_checkpoint_of_an_earlier_version_is_refused_with_the_reason(parquet, tmp_path):
    unet_run(parquet, tmp_path, max_train_steps=4)
    (saved,) = (tmp_path / "checkpoints/unet").iterdir()
    state = json.loads((saved / "state.json").read_text())
    del state["identity"]["sampling"]  # as version 0.2 wrote it
    (saved / "state.json").write_text(json.dumps(state))
    hashes = {file: hashlib.sha256((saved / file).read_bytes()).hexdigest() for file in FILES}
    (saved / "manifest.json").write_text(json.dumps(hashes))
    with pytest.raises(ValueError, match=r"written by another version of the trainer.*--resume-from-checkpoint none"):
        unet_run(parquet, tmp_path)


def unchanged_but(parquet, folder, **files):
    """A copy of a data set, with some files more."""
    shutil.copytree(parquet, folder)
    for name, source in files.items():
        shutil.copy(parquet / source, folder / f"{name}.parquet")
    return folder


def test_a_data_set_may_be_written_otherwise_or_moved(parquet, tmp_path, capsys, monkeypatch):
    data = unchanged_but(parquet, tmp_path / "data_a")
    unet_run(f"{data}/", tmp_path, max_train_steps=4)
    monkeypatch.chdir(tmp_path)
    unet_run("data_a", tmp_path, max_train_steps=8)
    assert "unet: resumes at step 4" in (said := capsys.readouterr().out) and "the data set" not in said
    data.rename(tmp_path / "data_b")
    unet_run("data_b", tmp_path, max_train_steps=12)
    said = capsys.readouterr().out
    assert f"unet: the data set was {tmp_path}/data_a before, and is now {tmp_path}/data_b" in said
    assert "unet: resumes at step 8" in said and "has changed" not in said


def test_changed_data_is_said_and_another_data_set_is_refused(parquet, tmp_path, capsys):
    data = unchanged_but(parquet, tmp_path / "data_a")
    unet_run(data, tmp_path, max_train_steps=4)
    shutil.copy(parquet / "train-00001-of-00002.parquet", data / "train-more.parquet")
    unet_run(data, tmp_path, max_train_steps=8)
    said = capsys.readouterr().out
    assert (
        "unet: the data set has changed: 38 pictures before, 54 pictures now." in said
        and "unet: resumes at step 4" in said
    )
    other = unchanged_but(parquet, tmp_path / "data_b", train_other="validation-00000-of-00001.parquet")
    with pytest.raises(
        ValueError, match=r"\(dataset is .*data_b, was .*data_a\).* and was moved, give --dataset-moved"
    ):
        unet_run(other, tmp_path)
    unet_run(other, tmp_path, dataset_moved=True)
    assert "has changed: 54 pictures before, 48 pictures now." in capsys.readouterr().out


def test_other_rows_of_the_same_data_are_another_run(parquet, tmp_path):
    unet_run(f"{parquet}/train-*.parquet", tmp_path, max_train_steps=4, validation_share=0.1)
    with pytest.raises(ValueError, match="pictures is 38, was 29"):
        unet_run(f"{parquet}/train-*.parquet", tmp_path, validation_share=0)
