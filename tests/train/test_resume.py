"""A run that is killed, stopped or damaged resumes to the same weights, bit for bit."""

import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import NAMES, ROOT

from train import checkpoint
from train.signals import CAN_RESUME, INTERRUPTED

STEPS = 24
SMALL = [word for name in NAMES for word in (f"--{name}.width", "8", f"--{name}.depth", "3")]


class Trainer:
    """Real trainer processes, forked off one that has everything imported."""

    def __init__(self, env):
        self.parent = subprocess.Popen(
            [sys.executable, ROOT / "tests/support/forking_trainer.py"],
            cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def start(self, recipe, dataset, folder, *more):
        """Begin a run; its process id."""
        words = [
            "--recipe",
            recipe,
            "--dataset",
            dataset,
            "--output-dir",
            folder,
            "--max-train-steps",
            STEPS,
            "--resolution",
            32,
        ]
        words += [
            "--train-batch-size",
            4,
            "--checkpointing-steps",
            3,
            "--report-to",
            "none",
            "--validation-pictures",
            0,
        ]
        words += ["--unet.perceptual-weight", 0, "--max-broken", 0.2, *SMALL, *more]
        self.log = Path(f"{folder}.log")
        self.parent.stdin.write(json.dumps([[*map(str, words)], str(self.log)]) + "\n")
        self.parent.stdin.flush()
        return int(self.parent.stdout.readline())

    def wait(self):
        """The exit code; negative for a signal."""
        return int(self.parent.stdout.readline())

    def run(self, *words):
        """A run to its end."""
        self.start(*words)
        assert self.wait() == 0, self.log.read_text()


@pytest.fixture(scope="module")
def trainer(subprocess_env):
    trainer = Trainer(subprocess_env)
    yield trainer
    trainer.parent.stdin.close()
    trainer.parent.wait(10)


def steps_saved(folder, recipe):
    return [int(f.name.removeprefix("step-")) for f in (folder / "checkpoints" / recipe).glob("step-*")]


def result(folder, recipe):
    """Hashes of everything that a run has learned."""
    saved, damaged = checkpoint.newest(folder / "checkpoints" / recipe)
    assert saved and not damaged and saved.state["stage"]["steps_done"] == STEPS
    files = (saved.folder / "tensors.safetensors", folder / recipe / "model.safetensors")
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


@pytest.fixture(scope="module")
def whole(trainer, parquet, tmp_path_factory):
    """What runs come to that nobody interrupts."""
    folder = tmp_path_factory.mktemp("whole")
    for recipe in NAMES:
        trainer.run(recipe, parquet, folder)
    return {recipe: result(folder, recipe) for recipe in NAMES}


def kill_again_and_again(trainer, parquet, whole, folder, kills, seed):
    """Kill -9 at random moments, each run resuming in place of the last; a finished run begins anew elsewhere."""
    rng, done, number, longest = random.Random(seed), 0, 0, 3.0
    while done < kills:
        number += 1
        place = folder / str(number)
        recipe = NAMES[number % 3]
        while True:
            start = time.monotonic()
            child = trainer.start(recipe, parquet, place)
            moment = rng.uniform(0, longest)
            while time.monotonic() - start < moment:
                time.sleep(0.002)
                if done >= kills:
                    break
            before = max(steps_saved(place, recipe), default=0)
            if done < kills:
                with contextlib.suppress(ProcessLookupError):  # it was faster
                    os.killpg(child, signal.SIGKILL)
            code = trainer.wait()
            if code == 0:
                break
            assert code == -signal.SIGKILL, trainer.log.read_text()
            done += 1
            saved, damaged = checkpoint.newest(place / "checkpoints" / recipe)
            after = saved.state["stage"]["steps_done"] if saved else 0
            assert after >= before and not damaged, "a checkpoint that was there is lost"
        assert result(place, recipe) == whole[recipe], f"other weights after kills, in {place}"


@pytest.mark.slow
def test_killed_at_any_moment_it_ends_in_the_same_weights(trainer, parquet, whole, tmp_path):
    kill_again_and_again(trainer, parquet, whole, tmp_path, kills=20, seed=1)


@pytest.mark.nightly
def test_killed_two_hundred_times(trainer, parquet, whole, tmp_path):
    kill_again_and_again(trainer, parquet, whole, tmp_path, kills=200, seed=int(time.time()))


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, CAN_RESUME), (signal.SIGINT, INTERRUPTED)])
def test_told_to_stop_it_saves_says_how_to_go_on_and_does(trainer, parquet, whole, tmp_path, number, code):
    stopped = attempt = 0
    while stopped < 10:
        attempt += 1
        recipe, place = NAMES[attempt % 3], tmp_path / str(attempt)
        child = trainer.start(recipe, parquet, place, "--checkpointing-steps", 1000)
        while not trainer.log.exists() or "0/24" not in trainer.log.read_text():
            time.sleep(0.002)
        time.sleep(0.02 * (attempt % 10))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, number)
        ended = trainer.wait()
        text = trainer.log.read_text()
        assert attempt < 40, "the runs are over before they can be stopped"
        if not steps_saved(place, recipe):  # it was told before its first step, when there is nothing to save
            assert ended in (-number, code), text
            continue
        (step,) = steps_saved(place, recipe)
        assert "Traceback" not in text and (ended == code or step == STEPS), text
        if step < STEPS:
            stopped += 1
            assert f"stopped and saved at step {step} of {recipe}; the same command resumes" in text
            trainer.run(recipe, parquet, place, "--checkpointing-steps", 1000)
            assert f"{recipe}: resumes at step {step}, from" in trainer.log.read_text()
        assert result(place, recipe) == whole[recipe]
