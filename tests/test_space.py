"""What is published as a Space, copied out of the Hub into an empty folder, with a fresh environment.

It starts as the Hub starts it, and trains a model by the command that docs/SCALING.md gives for Hugging Face Jobs.
"""

import json
import re
import shlex
import subprocess

import pytest
from conftest import ROOT, page
from gradio_client import Client, handle_file
from huggingface_hub import HfApi
from support.children import wait_for
from support.fresh import fresh_environment, within
from support.training import SMALL, words

from train.publish.model import PublishOptions
from train.publish.space import publish_space

pytestmark = pytest.mark.slow

SPACE = {
    "SYSTEM": "spaces",
    "SPACE_ID": "tester/demo",
    "SPACE_HOST": "tester-demo.hf.space",
    "GRADIO_SERVER_NAME": "0.0.0.0",
}


@pytest.fixture
def space(hub, tmp_path):
    """A folder with the published files and nothing else."""
    publish_space(PublishOptions(folders=[], space="tester/demo"))
    for path, data in hub.files("spaces", "tester/demo").items():
        file = tmp_path / "space" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return tmp_path / "space"


@pytest.fixture
def env(hub_env, tmp_path):
    """The fresh environment, as variables of child processes."""
    return within(fresh_environment(tmp_path / "environment"), hub_env)


def test_the_published_folder_starts_as_a_space(space, env, photograph, tmp_path):
    photograph.save(tmp_path / "old.png")
    python = str(tmp_path / "environment/bin/python")
    with page(env | SPACE, tmp_path, space, python) as (url, log):
        results = Client(url, verbose=False).predict(handle_file(tmp_path / "old.png"), api_name="/colorize")
        assert [caption.rpartition(", ")[2] for caption in results[5:8]] == ["embedded"] * 3
        assert "Traceback" not in log.read_text()


def job(hub_env):
    """The configuration of the job in docs/SCALING.md, as the Hub's own command line reads it."""
    text = (ROOT / "docs/SCALING.md").read_text(encoding="utf-8")
    command = re.search(r"^hf jobs run (?:.*\\\n)*.*$", text, flags=re.M)[0]
    for name, own in (("NAMESPACE/SPACE", "tester/demo"), ("NAMESPACE/DATASET", "tester/photographs")):
        command = command.replace(name, own)
    command = command.replace("NAMESPACE", "tester").replace("hf jobs run", "hf jobs run --dry-run --format human")
    done = subprocess.run(["bash", "-c", command], env=hub_env | {"COLUMNS": "1000"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_documented_job_trains_resumes_and_publishes(hub, space, env, hub_env, parquet, tmp_path):
    HfApi().create_repo("tester/photographs", repo_type="dataset")
    HfApi().upload_folder(repo_id="tester/photographs", repo_type="dataset", folder_path=parquet)
    configuration = job(hub_env)
    for line in (
        "image    python:3.12",
        "secrets  HF_TOKEN=",
        "hf://spaces/tester/demo:/code",
        "hf://buckets/tester/runs:/runs",
    ):
        assert line in configuration
    command = configuration.partition("command  ")[2].partition("\n  flavor")[0]
    shell, option, script = shlex.split(command)
    # What a test is made of, beside the documented command: the mounts, and a small model and few steps.
    script = script.replace("/code", str(space)).replace(" /runs", f" {tmp_path / 'runs'}")
    small = {**SMALL, "dataloader_num_workers": 1, "unet.pretrained": False}
    script += " " + shlex.join(words(**small, max_train_steps=40, checkpointing_steps=4))
    env = env | {"ACCELERATE_USE_CPU": "true"}
    before = {path for path in space.rglob("*") if path.is_file()}

    def start():
        return subprocess.Popen(
            [shell, option, script], cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    stopped = start()
    wait_for(lambda: any((tmp_path / "runs/checkpoints/unet").glob("step-00000000[48]")), 240)
    stopped.terminate()
    text, _ = stopped.communicate(timeout=60)
    assert stopped.returncode, text
    resumed = start()
    text, _ = resumed.communicate(timeout=300)
    assert resumed.returncode == 0 and "unet: resumes at step" in text, text
    files = hub.files("models", "tester/landscape-colorization-unet")
    (stage,) = json.loads(files["training.json"])["stages"]
    assert stage["steps_done"] == 40 and stage["dataset"] == "tester/photographs" and stage["precision"] == "bf16"
    assert f"{hub.url}/spaces/tester/demo".encode() in files["README.md"], "the card names the Space"
    assert {path for path in space.rglob("*") if path.is_file()} == before, "a mounted Space cannot be written"
