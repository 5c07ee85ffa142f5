"""Two processes are one with half the batch each: real `accelerate launch`, on processors."""

import json
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import datasets
import pytest
import torch
from conftest import NAMES, ROOT, encoded
from safetensors.torch import load_file

from train import checkpoint

pytestmark = pytest.mark.slow

LAUNCH = "accelerate launch {} --num_machines 1 --mixed_precision no --dynamo_backend no train"
ONE, TWO, THREE = (LAUNCH.format(f"{'--multi_gpu ' * (n > 1)}--num_processes {n}") for n in (1, 2, 3))
# Width 16: at 8 each group of the normalization is one channel, and the bias before it does nothing but drift.
SIZES = [word for name in NAMES for word in (f"--{name}.width", "16", f"--{name}.depth", "3")]
SIZES += ["--unet.width", "32"]  # ImageNet's, so that the encoder is frozen


@pytest.fixture(scope="module")
def launch(subprocess_env):
    def launch(command, dataset, folder, batch, *more, fails=False):
        words = [
            "--recipe",
            "all",
            "--dataset",
            dataset,
            "--output-dir",
            folder,
            "--resolution",
            32,
            "--train-batch-size",
            batch,
        ]
        words += [
            "--max-train-steps",
            20,
            "--checkpointing-steps",
            10,
            "--dataloader-num-workers",
            0,
            "--report-to",
            "none",
            "--max-broken",
            0.2,
            *SIZES,
        ]
        # Chance that is not the sample's own (dropout, tones, grain) is drawn by each process for itself.
        words += ["--unet.perceptual-weight", 0, "--unet.learning-rate", 2e-4, "--cwgan.dropout", 0]
        words += ["--no-vary-lightness", "--degraded-share", "0", *more]
        env = subprocess_env | {"ACCELERATE_USE_CPU": "true"}
        done = subprocess.run(
            [*command.split(), *map(str, words)], cwd=ROOT, env=env, capture_output=True, text=True, timeout=300
        )
        assert bool(done.returncode) == fails, done.stderr
        return done

    return launch


@pytest.fixture(scope="module")
def textured(crops, tmp_path_factory):
    """Pictures of cats and coffee, some gray and broken. In a flat night sky the normalization divides rounding by a
    variance of nearly nothing, and no two sums come to the same."""
    features = datasets.Features({"image": datasets.Image()})
    good = [encoded(crop) for number, crop in enumerate(crops) if number % 3]
    cells = [*good[:20], encoded(crops[1].convert("L")), {"bytes": b"no picture", "path": "broken.jpg"}]
    folder = tmp_path_factory.mktemp("textured")
    for shard in range(2):
        part = datasets.Dataset.from_dict({"image": cells[shard::2]}, features=features)
        part.to_parquet(str(folder / f"train-{shard:05d}-of-00002.parquet"))
    return folder


@pytest.fixture(scope="module")
def runs(launch, textured, tmp_path_factory):
    """The same global batch of eight, by one process and by two."""
    folder = tmp_path_factory.mktemp("processes")
    launch(ONE, textured, folder / "one", 8)
    launch(TWO, textured, folder / "two", 4)
    return folder


def state(folder, name):
    saved, _ = checkpoint.newest(folder / "checkpoints" / name)
    return saved.state["stage"], saved.tensors()


def worst(weights, others):
    """The largest difference of a weight."""
    learned = [key for key in weights if key.startswith(("network.", "average."))]
    return max(float((weights[key].double() - others[key].double()).abs().max()) for key in learned)


def test_two_processes_have_the_gradients_of_one(launch, textured, tmp_path):
    """What can be promised: later steps let rounding grow, an activation that is zero within it goes either way."""
    trainer = str(ROOT / "tests/support/one_step.py")
    gradients = {}
    for command, batch in ((ONE, 8), (TWO, 4)):
        words = ["--resolution", 64, "--cwgan.n-critic", 1, "--validation-pictures", 0]
        launch(command.removesuffix("train") + trainer, textured, tmp_path / str(batch), batch, *words)
        gradients[batch] = load_file(tmp_path / str(batch) / "gradients.safetensors")
    assert gradients[8].keys() == gradients[4].keys()
    networks = {key.rsplit(".", key.count(".") - 1)[0] for key in gradients[8]}
    assert {"pix2pix.colorizer", "pix2pix.discriminator", "cwgan.critic", "unet.colorizer"} <= networks
    for network in sorted(networks):
        keys = [key for key in gradients[8] if key.startswith(f"{network}.")]
        largest = max(float(gradients[8][key].abs().max()) for key in keys)
        difference = max(float((gradients[8][key] - gradients[4][key]).abs().max()) for key in keys)
        print(f"{network}: gradients up to {largest:.1e} differ by {difference:.1e} at most")
        assert largest > 0 and difference <= 1e-5 * max(1.0, largest)


@pytest.mark.parametrize("name", NAMES)
def test_two_processes_see_what_one_sees(runs, name):
    (stage_one, one_process), (stage_two, two_processes) = state(runs / "one", name), state(runs / "two", name)
    assert (stage_one["processes"], stage_two["processes"]) == (1, 2)
    assert stage_one["pictures_seen"] == stage_two["pictures_seen"] == 160
    assert stage_one["gray_skipped"] == stage_two["gray_skipped"] > 0, "the other process's are counted too"
    assert stage_one["broken_skipped"] == stage_two["broken_skipped"] > 0
    difference = worst(one_process, two_processes)
    print(f"{name}: largest difference of a weight after 20 steps {difference:.1e}")
    assert difference < 1e-2, "more than any rounding"


def test_two_machines_of_one_process_are_one_machine_of_two(runs, launch, textured, tmp_path):
    """Two launches, which find each other at an address: the same weights, to the bit."""
    with socket.socket() as free:
        free.bind(("127.0.0.2", 0))
        port = free.getsockname()[1]
    command = LAUNCH.format("--multi_gpu --num_processes 2").replace("--num_machines 1", "--num_machines 2")
    meeting = f"--main_process_ip 127.0.0.2 --main_process_port {port}"
    with ThreadPoolExecutor(2) as pool:
        commands = [command.replace(" train", f" --machine_rank {rank} {meeting} train") for rank in range(2)]
        list(pool.map(lambda command: launch(command, textured, tmp_path, 4, "--recipe", "pix2pix"), commands))
    (stage, weights), (_, others) = state(tmp_path, "pix2pix"), state(runs / "two", "pix2pix")
    assert stage["processes"] == 2 and worst(weights, others) == 0


def test_a_run_of_one_process_goes_on_with_two(runs, launch, textured, tmp_path):
    """Two processes take over half way; the sample set is the same, so the weights are, within rounding."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    subprocess.run(["cp", "-r", *map(str, (runs / "one").iterdir()), str(folder)], check=True)
    for name in NAMES:
        subprocess.run(["rm", "-r", str(folder / "checkpoints" / name / "step-000000020")], check=True)
    done = launch(TWO, textured, folder, 4)
    for name in NAMES:
        assert f"{name}: resumes at step 10" in done.stdout
        (_, alone), (_, mixed) = state(runs / "one", name), state(folder, name)
        assert worst(alone, mixed) < 1e-2
    assert json.loads((folder / "unet/training.json").read_text())["stages"][0]["steps_done"] == 20


@pytest.mark.skipif(torch.cuda.is_available(), reason="without a GPU")
def test_torchrun_without_a_gpu_says_what_to_do(subprocess_env, parquet, tmp_path):
    """accelerate then sees one process, and both would train the same."""
    words = ["torchrun", "--nproc_per_node", 2, "train/__main__.py", "--recipe", "unet", "--dataset", parquet]
    words = [*map(str, [*words, "--output-dir", tmp_path / "runs"])]
    done = subprocess.run(words, cwd=ROOT, env=subprocess_env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1 and "2 processes were started" in done.stderr
    assert "set ACCELERATE_USE_CPU=true" in done.stderr and "another run" not in done.stderr


def test_a_number_that_does_not_fit_is_refused_with_a_reason(launch, parquet, tmp_path):
    done = launch(THREE, parquet, tmp_path, 2, fails=True)
    assert "3 processes cannot share 8 lanes evenly: give --lanes a multiple of 3" in done.stderr


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads as Linux does")
@pytest.mark.parametrize("rate", [2e-4, 1e30])
def test_no_thread_of_gloo_outlives_the_training(launch, textured, tmp_path, rate):
    """One that does may abort the interpreter at its end, once in some hundred runs: finished, and exited with 1."""
    trainer = TWO.removesuffix("train") + str(ROOT / "tests/support/leaving_trainer.py")
    broken = rate > 1
    done = launch(trainer, textured, tmp_path, 4, "--pix2pix.learning-rate", rate, fails=broken)
    assert {line for line in done.stdout.splitlines() if line.startswith("left: ")} == {"left: []"}
    assert ("losses are NaN or infinite" in done.stderr) == broken
