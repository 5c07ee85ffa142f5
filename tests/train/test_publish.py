"""Cards, models and the Space on their way to the Hub."""

import io
import json
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from conftest import NAMES, ROOT
from huggingface_hub import ModelCard, RepoCard
from PIL import Image
from support import training

from colorization.zoo import EMBEDDED, load
from train.config import parse
from train.publish.__main__ import _jobs
from train.publish.model import PublishOptions, publish_model
from train.publish.push import PushError
from train.publish.space import publish_space
from train.push_to_hub import check_trained, publish_trained

REPO = "tester/landscape-colorization-unet"
FILES = {
    ".gitattributes", "README.md", "config.json", "curves.png", "metrics.json", "model.safetensors", "samples.png",
    "training.json",
}  # fmt: skip


def options(**given):
    return PublishOptions(**{"folders": [], "namespace": "tester"} | given)


@pytest.fixture
def run(tmp_path):
    """A finished run of one's own."""
    return shutil.copytree(EMBEDDED / "unet", tmp_path / "runs/unet")


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_published_with_all_that_belongs_to_it(hub, name):
    answer = publish_model(EMBEDDED / name, options(space="tester/demo"))
    repo_id = f"tester/landscape-colorization-{name}"
    commit = hub.repos["models", repo_id].branches["main"]
    assert answer == f"{repo_id}@{commit}"
    files = hub.files("models", repo_id)
    assert set(files) == FILES
    assert files["model.safetensors"] == (EMBEDDED / name / "model.safetensors").read_bytes()
    assert load(repo_id, revision=commit).name == name
    for picture in ("curves.png", "samples.png"):
        image = Image.open(io.BytesIO(files[picture]))
        assert min(image.size) > 300 and not image.info.get("Software")


@pytest.mark.parametrize("name", NAMES)
def test_the_card_holds_what_others_look_for(hub, name):
    publish_model(EMBEDDED / name, options(space="tester/demo"))
    repo_id = f"tester/landscape-colorization-{name}"
    files = hub.files("models", repo_id)
    card = ModelCard(files["README.md"].decode())
    card.validate()
    data, metrics = card.data, json.loads(files["metrics.json"])
    assert (data.library_name, data.pipeline_tag, data.license) == (
        "landscape-colorization",
        "image-to-image",
        "apache-2.0",
    )
    assert data.model_name == f"landscape-colorization-{name}"
    results = {result.metric_name: result.metric_value for result in data.eval_results}
    assert results["PSNR (dB)"] == metrics["model"]["psnr_mean"]
    assert results["PSNR (dB), gray copy of the input"] == metrics["gray"]["psnr_mean"]
    text = card.text
    assert f'colorization.load("{repo_id}")' in text and f"--model {repo_id}" in text
    assert f"hf download {repo_id}" in text and "hf download tester/demo --repo-type space" in text
    stages = json.loads(files["training.json"])["stages"]
    assert all(stage["command"] in text and f"seed {stage['seed']};" in text for stage in stages)
    assert "cannot be known" in text
    assert "(samples.png)" in text and "(curves.png)" in text and "{{" not in text and "{%" not in text
    assert "| gray |" in text


def test_the_cards_lines_are_lines_that_run(hub, hub_env, photograph, tmp_path):
    """The library, the command line and a plain download, taken out of the card as a reader would."""
    publish_model(EMBEDDED / "unet", options(space="tester/demo"))
    publish_space("tester/demo", None, "landscape-colorization", private=False)
    card = hub.files("models", REPO)["README.md"].decode()
    python = re.search(r"```python\n(.*?)```", card, flags=re.S)[1]
    line, download = re.search(r"```sh\n(python -m.*?)\n(hf .*?)\n```", card, flags=re.S).groups()
    get_code = re.search(r"`(hf download \S+ --repo-type space --local-dir code)`", card)[1]
    env = hub_env | {"PYTHONPATH": ""}
    subprocess.run(get_code.split(), cwd=tmp_path, env=env, check=True, capture_output=True, timeout=120)
    code = tmp_path / "code"
    photograph.save(code / "old.jpg")
    for words in ([sys.executable, "-c", python], line.split(), download.partition("#")[0].split()):
        subprocess.run(words, cwd=code, env=env, check=True, capture_output=True, timeout=120)
    assert Image.open(code / "colored.png").size == Image.open(code / "out/unet/old.png").size == photograph.size
    offline = env | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "fresh-home")}
    again = [sys.executable, "-m", "colorization", "old.jpg", "--model", "unet/", "--output", "offline"]
    (code / "unet/.cache").exists() and shutil.rmtree(code / "unet/.cache")
    subprocess.run(again, cwd=code, env=offline, check=True, capture_output=True, timeout=120)
    assert (code / "offline/unet/old.png").read_bytes() == (code / "out/unet/old.png").read_bytes()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda run: (run / "metrics.json").unlink(), "was not measured: run `python -m train.evaluate --model"),
        (lambda run: (run / "training.json").unlink(), "training.json"),
        (
            lambda run: shutil.copy(EMBEDDED / "cwgan/metrics.json", run),
            "other weights than those that were measured: evaluate it again",
        ),
        (lambda run: (run / "model.safetensors").write_bytes(b"half"), "does not hold a usable model"),
    ],
)
def test_what_is_not_finished_or_not_measured_is_not_published(hub, run, spoil, reason):
    spoil(run)
    with pytest.raises((ValueError, OSError), match=reason):
        publish_model(run, options())
    assert not hub.repos


def test_no_users_folder_is_named_in_public(hub, run, monkeypatch):
    record = json.loads((run / "training.json").read_text())
    record["stages"][0]["command"] += " --vgg-weights /home/somebody/vgg.safetensors"
    record["stages"][0]["dataset"] = "/home/somebody/photographs"
    (run / "training.json").write_text(json.dumps(record))
    monkeypatch.setenv("HOME", "/home/somebody")
    publish_model(run, options())
    files = hub.files("models", REPO)
    for file in ("README.md", "metrics.json", "training.json"):
        assert b"somebody" not in files[file], file


def test_the_space_is_the_page_and_nothing_else(hub):
    answer = publish_space("tester/demo", "tester", "landscape-colorization", private=False)
    files = hub.files("spaces", "tester/demo")
    assert answer == f"tester/demo@{hub.repos['spaces', 'tester/demo'].branches['main']}"
    assert {path.partition("/")[0] for path in files} == {
        ".gitattributes", "app.py", "requirements.txt", "README.md", "LICENSE", "colorization", "page",
    }  # fmt: skip
    assert not [path for path in files if "__pycache__" in path or path.endswith(".pyc")]
    assert max(len(data) for data in files.values()) < 10_000_000
    front = yaml.safe_load(files["README.md"].decode().split("---")[1])
    assert front["sdk"] == "gradio" and front["app_file"] == "app.py"
    assert front["models"] == [f"tester/landscape-colorization-{name}" for name in NAMES]
    assert hub.repos["spaces", "tester/demo"].variables["COLORIZATION_HUB_NAMESPACE"] == "tester"


def test_the_space_starts_from_its_own_files(hub, tmp_path, subprocess_env):
    publish_space("tester/demo", None, "landscape-colorization", private=False)
    files = hub.files("spaces", "tester/demo")
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    assert "models" not in RepoCard.load(tmp_path / "README.md").data
    code = "import app; demo = app.build_demo(app.Models()); print(len(demo.fns) > 0)"
    env = subprocess_env | {"PYTHONPATH": "", "GRADIO_TEMP_DIR": str(tmp_path / "files")}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.stdout.strip() == "True", done.stderr


def test_a_variable_that_cannot_be_set_is_said(hub):
    hub.fault = lambda method, path, _: 403 if path.endswith("/variables") else None
    with pytest.raises(PushError, match="tester/demo is there, but its variable COLORIZATION_HUB_NAMESPACE"):
        publish_space("tester/demo", "tester", "landscape-colorization", private=False)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "nothing to publish"),
        ({"folders": [EMBEDDED / "unet"], "namespace": None}, "--namespace is missing"),
        ({"folders": [EMBEDDED / "unet", EMBEDDED / "unet/"]}, None),
        ({"folders": [ROOT / "docs"]}, "does not hold a usable model"),
        ({"folders": [EMBEDDED / "unet"], "namespace": "club"}, "tester may not write to club"),
        ({"space": "club/demo"}, "tester may not write to club"),
    ],
)
def test_mistakes_are_known_before_anything_is_pushed(hub, given, reason):
    if reason is None:
        assert len(_jobs(options(**given))) == 1, "the same folder twice is one job"
        return
    with pytest.raises((ValueError, PushError), match=reason):
        _jobs(options(**given))
    assert not hub.repos


def test_the_command_line_says_what_it_did_and_what_it_could_not(hub_env, live_hub):
    live_hub.reset()
    words = [sys.executable, "-m", "train.publish", str(EMBEDDED / "unet"), "--namespace", "tester"]
    done = subprocess.run(words, cwd=ROOT, env=hub_env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and re.search(rf"published {REPO}@[0-9a-f]{{40}}", done.stdout), done.stderr
    refused = subprocess.run(
        words, cwd=ROOT, env=hub_env | {"HF_TOKEN": "hf_reader"}, capture_output=True, text=True, timeout=120
    )
    assert refused.returncode == 1 and "Traceback" not in refused.stderr and "hf_reader" not in refused.stderr
    assert "train.publish: cannot push to" in refused.stderr and "settings/tokens" in refused.stderr


def options_of_a_run(dataset, folder, **given):
    options = {"recipe": "unet", "dataset": dataset, "output_dir": folder, "push_to_hub": True}
    return parse(training.words(**options | {"hub_namespace": "tester"} | given))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, None),
        ({"hub_namespace": "club"}, "tester may not write to club"),
        ({"validation_split": "test"}, "it must be measured: cannot open the split 'test'"),
        ({"validation_dataset": "/no/such/folder"}, "it must be measured: cannot open /no/such/folder"),
    ],
)
def test_a_training_that_could_not_be_published_does_not_begin(hub, parquet, tmp_path, given, reason):
    if reason is None:
        check_trained(options_of_a_run(parquet, tmp_path))
        return
    with pytest.raises((ValueError, PushError), match=reason):
        check_trained(options_of_a_run(parquet, tmp_path, **given))


def test_one_refused_model_does_not_keep_the_others_and_says_how_to_go_on(hub, parquet, tmp_path, capsys):
    folders = [shutil.copytree(EMBEDDED / name, tmp_path / name) for name in ("pix2pix", "unet")]
    hub.fault = lambda method, path, _: 403 if "pix2pix/commit/" in path else None
    with pytest.raises(PushError, match=r"to push again: python -m train.publish .* --namespace tester --evaluation"):
        publish_trained(options_of_a_run(parquet, tmp_path), folders)
    assert f"published {REPO}@" in capsys.readouterr().out
    hub.fault = lambda *_: None
    publish_trained(options_of_a_run(parquet, tmp_path), folders)
    assert set(hub.files("models", "tester/landscape-colorization-pix2pix")) == FILES
