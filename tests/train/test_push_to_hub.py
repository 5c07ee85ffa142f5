"""Training with `--push-to-hub`: what is checked before it begins, and what is pushed at its end."""

import json
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT
from huggingface_hub import ModelCard
from support import training
from support.hub_store import Repo

from colorization.sources import EMBEDDED
from train.config import parse
from train.publish.push import PushError
from train.push_to_hub import check_trained, publish_trained

REPO = "tester/landscape-colorization-unet"


def options_of_a_run(dataset, folder, **given):
    options = {"recipe": "unet", "dataset": dataset, "output_dir": folder, "push_to_hub": True}
    return parse(training.words(**options | {"hub_namespace": "tester", "hub_code": "tester/demo"} | given))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, None),
        ({"hub_namespace": "club"}, "tester may not write to club"),
        ({"hub_code": "demo"}, "--hub-code is demo, expected a Space"),
        ({"validation_split": "test", "validation_share": 0}, "it must be measured: cannot open the split 'test'"),
        ({"validation_dataset": "/no/such/folder"}, "it must be measured: cannot open /no/such/folder"),
    ],
)
def test_a_training_that_could_not_be_published_does_not_begin(hub, parquet, tmp_path, given, reason):
    if reason is None:
        check_trained(options_of_a_run(parquet, tmp_path))
        return
    with pytest.raises((ValueError, PushError), match=reason):
        check_trained(options_of_a_run(parquet, tmp_path, **given))


@pytest.mark.slow
def test_one_refused_model_does_not_keep_the_others_and_says_how_to_go_on(hub, parquet, tmp_path, capsys):
    folders = [shutil.copytree(EMBEDDED / name, tmp_path / name) for name in ("pix2pix", "unet")]
    hub.fault = lambda method, path, _: 403 if "pix2pix/commit/" in path else None
    with pytest.raises(
        PushError, match=r"to push again: python -m train.publish .* --namespace tester .* --code tester/demo"
    ):
        publish_trained(options_of_a_run(parquet, tmp_path), folders)
    assert f"published {REPO}@" in capsys.readouterr().out
    assert (tmp_path / "evaluation.json").is_file(), "what --evaluation names"


def test_a_refused_check_leaves_nothing_behind(hub_env, live_hub, parquet, tmp_path):
    live_hub.reset()
    given = {"recipe": "unet", "dataset": parquet, "output_dir": tmp_path / "runs", "push_to_hub": True}
    given |= {"hub_namespace": "club", "hub_code": "tester/demo", "max_train_steps": 1, "dataloader_num_workers": 0}
    line = [sys.executable, "-m", "train", *training.words(**given)]
    done = subprocess.run(line, cwd=ROOT, env=hub_env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith("train: tester may not write to club")
    left = [path for path in (tmp_path / "runs").rglob("*") if path.is_file()]
    assert not left, "a tracker's run, or a checkpoint"


CONFIGURATIONS = """---
configs:
- config_name: coast
  data_files: [{split: train, path: coast/train.parquet}, {split: validation, path: coast/validation.parquet}]
- config_name: hills
  data_files: [{split: train, path: hills/train.parquet}]
---
"""


@pytest.mark.slow
@pytest.mark.parametrize(("config", "split", "photographs"), [("coast", "validation", 8), ("hills", "train", 4)])
def test_a_run_on_a_configuration_and_revision_is_measured_on_them(
    hub_env, live_hub, parquet, tmp_path, config, split, photographs
):
    """On its split for validation, or on what is held out. The newest revision cannot be measured on."""
    live_hub.reset()
    train_shard, validation_shard = (
        (parquet / name).read_bytes() for name in ("train-00001-of-00002.parquet", "validation-00000-of-00001.parquet")
    )
    files = {
        "README.md": CONFIGURATIONS.encode(),
        "coast/train.parquet": train_shard,
        "coast/validation.parquet": validation_shard,
        "hills/train.parquet": train_shard,
    }
    repo = live_hub.repos["datasets", "tester/places"] = Repo(private=False)
    pinned = repo.commit("main", files, "two configurations")
    repo.commit("main", {}, "all removed")
    given = {"recipe": "unet", "dataset": "tester/places", "dataset_config": config, "dataset_revision": pinned}
    given |= {"output_dir": tmp_path / "runs", "push_to_hub": True, "hub_namespace": "tester"}
    given |= {"hub_code": "tester/demo", "max_train_steps": 1, **training.SMALL}
    line = [sys.executable, "-m", "train", *training.words(**given)]
    done = subprocess.run(line, cwd=ROOT, env=hub_env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    metrics = json.loads(live_hub.files("models", REPO)["metrics.json"])
    assert (metrics["dataset"], metrics["split"], metrics["photographs"]) == ("tester/places", split, photographs)
    assert (metrics["dataset_config"], metrics["dataset_revision"]) == (config, pinned)
    card = ModelCard(live_hub.files("models", REPO)["README.md"].decode())
    results = card.data.eval_results
    assert {(result.dataset_config, result.dataset_revision) for result in results} == {(config, pinned)}
    assert ("held out of the split `train` in training" in card.text) == (split == "train")
    assert card.data.datasets == ["tester/places"]
