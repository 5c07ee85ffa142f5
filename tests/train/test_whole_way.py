"""The whole way, each step a command that a user types, over a Hub on loopback (see hub.py for what that is not)."""

import json
import subprocess
import sys
import time

import pytest
from conftest import NAMES, ROOT, page
from gradio_client import Client, handle_file
from PIL import Image

from colorization.inference import gray

pytestmark = pytest.mark.slow

SMALL = [word for name in NAMES for word in (f"--{name}.width", "8", f"--{name}.depth", "3")]
TWO = "accelerate launch --multi_gpu --num_processes 2 --num_machines 1 --mixed_precision no --dynamo_backend no train"


@pytest.fixture(scope="module")
def command(hub_env, live_hub):
    live_hub.reset()

    def command(*words, **env):
        words = [sys.executable if word == "python" else str(word) for word in words]
        done = subprocess.run(words, cwd=ROOT, env=hub_env | env, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done

    return command


@pytest.fixture(scope="module")
def published(command, live_hub, crops, tmp_path_factory):
    """A data set prepared and pushed, three models trained on it by two processes and pushed; their commits."""
    folder = tmp_path_factory.mktemp("way")
    for number, crop in enumerate(crops):
        place = folder / "photographs" / ("coast", "forest", "hills")[number % 3]
        place.mkdir(parents=True, exist_ok=True)
        crop.save(place / f"{number}.jpg", quality=95)
    command("python", "-m", "train.prepare", folder / "photographs", "--push", "tester/places", "--validation", "hills")
    command(
        *TWO.split(), "--recipe", "all", "--dataset", "tester/places", "--output-dir", folder / "runs",
        "--max-train-steps", 6, "--resolution", 32, "--train-batch-size", 2, "--dataloader-num-workers", 0, *SMALL,
        "--unet.perceptual-weight", 0, "--push-to-hub", "--hub-namespace", "tester",
        "--hub-code", "tester/demo", ACCELERATE_USE_CPU="true",
    )  # fmt: skip
    repos = {name: live_hub.repos["models", f"tester/landscape-colorization-{name}"] for name in NAMES}
    return {name: repo.branches["main"] for name, repo in repos.items()}


def test_the_data_set_is_on_the_hub(published, live_hub):
    files = live_hub.files("datasets", "tester/places")
    for split in ("train", "validation"):
        assert [path for path in files if path.startswith(split)] == [f"{split}-00000-of-00001.parquet"]
    assert b"photographs" in files["README.md"] and b"hills" in files["README.md"]


@pytest.mark.parametrize("name", NAMES)
def test_two_processes_trained_and_one_wrote(published, live_hub, name):
    repo_id = f"tester/landscape-colorization-{name}"
    files = live_hub.files("models", repo_id)
    (stage,) = json.loads(files["training.json"])["stages"]
    assert stage["processes"] == 2 and stage["pictures_seen"] == 6 * 2 * 2 and stage["dataset"] == "tester/places"
    assert b"- tester/places" in files["README.md"], "the data set is in the card's front matter"
    assert len(live_hub.repos["models", repo_id].commits) == 2, "more than one commit on top of the Hub's own"
    assert json.loads(files["metrics.json"])["photographs"] > 0


def test_the_page_pulls_the_models_and_the_answer_names_their_commits(published, hub_env, photograph, tmp_path):
    gray(photograph).save(tmp_path / "old.png")
    with page(hub_env | {"COLORIZATION_HUB_NAMESPACE": "tester"}, tmp_path) as (url, log):
        client = Client(url, verbose=False)
        for _ in range(60):
            _, _, *results = client.predict(handle_file(tmp_path / "old.png"), api_name="/colorize")
            origins = [caption.rpartition(", ")[2] for caption in results[3:6]]
            if "embedded" not in origins:
                break
            time.sleep(0.5)
        assert [Image.open(file).size for file in results[:3]] == [photograph.size] * 3
    assert origins == [f"tester/landscape-colorization-{name}@{commit[:7]}" for name, commit in published.items()]
    lines = log.read_text()
    assert all(lines.count(f"now comes from {origin}") == 1 for origin in origins) and "Traceback" not in lines


def test_what_hf_downloads_works_in_a_fresh_home_without_a_network(published, command, photograph, tmp_path):
    repo_id, home = "tester/landscape-colorization-unet", str(tmp_path / "home")
    photograph.save(tmp_path / "old.png")
    command("hf", "download", repo_id, "--local-dir", tmp_path / "unet")
    command("hf", "download", repo_id, HF_HOME=home)
    for source, where in ((tmp_path / "unet", "folder"), (repo_id, "cache")):
        command(
            "python", "-m", "colorization", tmp_path / "old.png", "--model", source, "--output", tmp_path / where,
            HF_HOME=home, HF_HUB_OFFLINE="1", HF_ENDPOINT="http://127.0.0.1:9",
        )  # fmt: skip
    pictures = [(tmp_path / where / "unet/old.png").read_bytes() for where in ("folder", "cache")]
    assert pictures[0] == pictures[1]
