"""A bucket of the Hub as the place of a training's output and of votes: mounted, killed, mounted again."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import NAMES, ROOT
from support.children import wait_for
from support.training import SMALL, words

from page.votes import Votes

pytestmark = pytest.mark.nightly
STEPS = {"max_train_steps": 60, "checkpointing_steps": 4}


@contextlib.contextmanager
def mounted(folder, mount):
    """A bucket under the rules of tests/support/bucket.py."""
    if not (os.access("/dev/fuse", os.W_OK) and shutil.which("fusermount3")):
        pytest.skip("Debian's fuse3 is not installed, or nothing may be mounted here")
    mount.mkdir(exist_ok=True)
    process = subprocess.Popen([sys.executable, str(ROOT / "tests/support/bucket.py"), str(folder), str(mount)])
    try:
        wait_for(mount.is_mount)
        yield mount
    finally:
        subprocess.run(["fusermount3", "-u", str(mount)], check=True)
        process.wait(10)


@pytest.fixture
def bucket(tmp_path):
    (tmp_path / "bucket").mkdir()
    return tmp_path / "bucket", tmp_path / "mount"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_stopped_training_resumes_from_a_bucket_to_the_same_weights(
    bucket, parquet, subprocess_env, tmp_path, number
):
    options = words(recipe="unet", dataset=parquet, **{**SMALL, "unet.pretrained": False, **STEPS})

    def start(folder):
        command = [sys.executable, "-m", "train", *options, "--output-dir", str(folder)]
        return subprocess.Popen(command, cwd=ROOT, env=subprocess_env, stderr=subprocess.PIPE, text=True)

    with mounted(*bucket) as mount:
        stopped = start(mount / "runs")
        wait_for(lambda: any((mount / "runs/checkpoints/unet").glob("step-00000001*")), 120)
        stopped.send_signal(number)
        assert stopped.wait(60) != 0
    with mounted(*bucket) as mount:  # as the same job does, on another machine
        resumed = start(mount / "runs")
        assert resumed.wait(300) == 0, resumed.stderr.read()
    whole = start(tmp_path / "whole")
    assert whole.wait(300) == 0, whole.stderr.read()
    weights = [folder / "unet/model.safetensors" for folder in (bucket[0] / "runs", tmp_path / "whole")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert not [path for path in Path(bucket[0] / "runs").rglob(".*")], "what is hidden is left of a write"


def test_votes_in_a_bucket_are_counted_after_a_restart(bucket):
    for restarts in range(3):
        with mounted(*bucket) as mount:
            votes = Votes(mount / "votes")
            for _ in range(2):
                votes.add("unet", ["unet", "cwgan"], 1.0, dict.fromkeys(NAMES, "embedded"))
            assert votes.counts()[0]["unet"] == 2 * (restarts + 1)
