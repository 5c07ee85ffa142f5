"""Faults from outside, each of them real: a killed trainer, a stopped launcher, a Hub that stops answering."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from conftest import ROOT
from support.hub_store import Repo
from support.training import SMALL, words

from train import checkpoint
from train.signals import CAN_RESUME

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks for processes as Linux lists them"),
]
ENDLESS = SMALL | {"max_train_steps": 1_000_000, "checkpointing_steps": 1_000_000, "unet.learning_rate": 1e-5}


class Training:
    """A trainer's process, with all that it writes in a file."""

    def __init__(self, command, dataset, folder, env, **given):
        options = {"recipe": "unet", "dataset": dataset, "output_dir": folder / "runs", **ENDLESS, **given}
        self.log, self.folder = folder / "log", folder / "runs"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, *words(**options)], cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT
            )

    def wait_for(self, pattern, seconds=240):
        """Wait until the log says so."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.log.read_text()):
            assert time.monotonic() < end and self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)

    def saved_step(self):
        """The step of the newest checkpoint."""
        newest, _ = checkpoint.newest(self.folder / "checkpoints/unet")
        return newest.state["stage"]["steps_done"] if newest else None

    def end(self):
        """Kill what is left."""
        for child in [*descendants(self.process.pid), self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self.process.wait(30)


@pytest.fixture
def start(tmp_path):
    """Start trainers that are gone when the test is over."""
    with contextlib.ExitStack() as stack:

        def start(*arguments, **given):
            training = Training(*arguments, **given)
            stack.callback(training.end)
            return training

        yield start


def descendants(process):
    """Process ids of the children of a process, and of theirs."""
    children = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            children += [int(child) for child in task.read_text().split()]
    return children + [below for child in children for below in descendants(child)]


def gone(process):
    """Whether a process has ended."""
    with contextlib.suppress(OSError):
        return "\nState:\tZ" in Path(f"/proc/{process}/status").read_text()
    return True


def wait_until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    return condition()


def test_decoding_workers_end_with_a_killed_trainer(start, parquet, tmp_path, subprocess_env):
    """They are then writing into a pipe that nobody reads."""
    python = [sys.executable, "-m", "train"]
    training = start(python, parquet, tmp_path, subprocess_env, dataloader_num_workers=2)
    training.wait_for(r" [1-9]\d*/1000000 ")
    workers = descendants(training.process.pid)
    assert len(workers) >= 2
    time.sleep(2)  # so that they have filled their pipes
    training.process.kill()
    training.process.wait(30)
    assert wait_until(lambda: all(map(gone, workers)), 10), "decoding workers outlive their trainer"


def test_a_decoding_worker_that_is_killed_ends_the_run(start, parquet, tmp_path, subprocess_env):
    """As the system does where memory is short."""
    training = start([sys.executable, "-m", "train"], parquet, tmp_path, subprocess_env, dataloader_num_workers=2)
    training.wait_for(r" [1-9]\d*/1000000 ")
    os.kill(descendants(training.process.pid)[0], signal.SIGKILL)
    assert training.process.wait(60) == CAN_RESUME, training.log.read_text()
    text = training.log.read_text()
    assert "a process that decodes was killed, perhaps for lack of memory (--dataloader-num-workers)" in text
    assert "Traceback" not in text


def test_sigterm_to_the_launcher_reaches_the_trainer(start, parquet, tmp_path, subprocess_env):
    launch = "accelerate launch --cpu --num_processes 1 --num_machines 1 --mixed_precision no --dynamo_backend no train"
    training = start(launch.split(), parquet, tmp_path, subprocess_env)
    training.wait_for(r" [1-9]\d*/1000000 ")
    below = descendants(training.process.pid)
    training.process.terminate()
    training.process.wait(30)
    assert wait_until(lambda: all(map(gone, below)), 60), training.log.read_text()
    text = training.log.read_text()
    stopped = re.search(r"train: stopped and saved at step (\d+) of unet; the same command resumes", text)
    assert stopped and int(stopped.group(1)) == training.saved_step() > 0, text


def test_a_hub_that_stops_answering_ends_the_run_in_time_and_it_can_be_stopped_meanwhile(
    start, parquet, tmp_path, live_hub, hub_env
):
    live_hub.reset()
    repo = live_hub.repos["datasets", "tester/places"] = Repo(private=False)
    repo.commit("main", {file.name: file.read_bytes() for file in parquet.glob("train*")}, "pictures")
    python = [sys.executable, "-m", "train"]
    for name, timeout, code in (("waits", 4, CAN_RESUME), ("told", 600, CAN_RESUME)):
        live_hub.fault = lambda *_: None
        folder = tmp_path / name
        folder.mkdir()
        training = start(python, "tester/places", folder, hub_env, dataset_timeout=timeout)
        training.wait_for(r" [1-9]\d*/1000000 ")
        live_hub.fault = lambda *_: "silent"
        if name == "told":
            time.sleep(5)  # until what was read ahead is used up
            training.process.terminate()
        assert training.process.wait(120) == code, training.log.read_text()
        text = training.log.read_text()
        assert "Traceback" not in text
        if name == "told":
            assert "train: stopped and saved at step" in text and training.saved_step() > 0
        else:
            assert "train: tester/places has given no picture for 4 s (--dataset-timeout) at step" in text


LAUNCH = "accelerate launch --cpu --num_processes 1 --num_machines 1 --mixed_precision no --dynamo_backend no train"


@pytest.mark.parametrize("command", [[sys.executable, "-m", "train"], LAUNCH.split()], ids=["python", "accelerate"])
def test_an_error_in_a_decoding_worker_ends_the_run(start, parquet, tmp_path, subprocess_env, command):
    """A shard whose pages are damaged, which shows when they are read."""
    shutil.copytree(parquet, tmp_path / "set")
    shard = tmp_path / "set/train-00001-of-00002.parquet"
    data, page = bytearray(shard.read_bytes()), pq.read_metadata(shard).row_group(0).column(0).data_page_offset
    data[page : page + 40] = b"\xff" * 40
    shard.write_bytes(data)
    training = start(command, tmp_path / "set", tmp_path, subprocess_env, dataloader_num_workers=2)
    training.wait_for("pictures in .*, train")
    said = time.monotonic()
    assert training.process.wait(120) == 1
    text = training.log.read_text()
    print(f"{time.monotonic() - said:.1f} s from the first line to the end")
    assert re.search(r"^train: .*train-00001-of-00002.parquet is damaged \(", text, re.MULTILINE), text
    assert "Traceback" not in text.partition("train-00001")[0]
    assert not descendants(training.process.pid)
