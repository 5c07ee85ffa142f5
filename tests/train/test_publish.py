"""Models and their cards on their way to the Hub."""

import io
import json
import re
import shlex
import shutil
import subprocess
import sys

import pytest
from conftest import NAMES, ROOT
from huggingface_hub import ModelCard
from PIL import Image
from support.fresh import fresh_environment, within
from support.publishing import REPO, options, write_record

from colorization.sources import EMBEDDED
from colorization.zoo import load
from train.publish.__main__ import _jobs
from train.publish.card import write_card
from train.publish.metrics import metrics_of
from train.publish.model import publish_model
from train.publish.push import PushError
from train.publish.space import publish_space

FILES = {
    ".gitattributes", "README.md", "config.json", "curves.png", "metrics.json", "model.safetensors", "samples.png",
    "training.json",
}  # fmt: skip


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
    check_card(files, repo_id, name, hub.url)


def check_card(files, repo_id, name, url):
    """The card holds what others look for, and its front matter is what the Hub reads."""
    card = ModelCard(files["README.md"].decode())
    card.validate()
    data, metrics = card.data, json.loads(files["metrics.json"])
    assert (data.library_name, data.pipeline_tag, data.license) == (
        "landscape-colorization",
        "image-to-image",
        "apache-2.0",
    )
    assert data.model_name == f"landscape-colorization-{name}"
    for measured in (metrics, *metrics.get("further", [])):
        own = [result for result in data.eval_results if result.dataset_name == measured["dataset"]]
        assert {result.metric_name: result.metric_value for result in own}["PSNR (dB)"] == measured["model"][
            "psnr_mean"
        ]
        values = {result.metric_value for result in own}
        assert values <= set(measured["model"].values()), "results of something else than this model"
    text = card.text
    assert f'colorization.load("{repo_id}")' in text and f"--model {repo_id}" in text
    assert f"hf download {repo_id}" in text and f"pip install git+{url}/spaces/tester/demo\n" in text
    assert text.index("pip install git+") < text.index("import colorization") < text.index("colorize old.jpg")
    stages = json.loads(files["training.json"])["stages"]
    assert all(stage["command"] in text and f"seed {stage['seed']}." in text for stage in stages)
    assert "cannot be known" in text
    assert "(samples.png)" in text and "(curves.png)" in text and "{{" not in text and "{%" not in text
    assert "| gray |" in text


def repository(files, folder):
    """A git repository with one commit of some files, as the Hub serves a Space's."""
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init", "-q"], ["add", "-A", "-f"], [*who, "commit", "-q", "-m", "The page"]):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.slow
def test_the_cards_lines_are_lines_that_run(hub, hub_env, photograph, tmp_path):
    """pip, the library, the command line and a plain download, taken out of the card as a reader would.

    git fetches the Space from a folder in place of the address that the card names.
    """
    publish_model(EMBEDDED / "unet", options(space="tester/demo"))
    publish_space(options(space="tester/demo", namespace=None))
    space = repository(hub.files("spaces", "tester/demo"), tmp_path / "space")
    card = hub.files("models", REPO)["README.md"].decode()
    install, python, line, download = re.search(
        r"```sh\n(pip .*?)\n```.*?```python\n(.*?)```.*?```sh\n(colorize .*?)\n(hf .*?)\n```", card, flags=re.S
    ).groups()
    programs = fresh_environment(tmp_path / "environment")
    env = within(programs, hub_env) | {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{space.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": f"{hub.url}/spaces/tester/demo",
    }
    here = tmp_path / "elsewhere"
    here.mkdir()
    photograph.save(here / "old.jpg")

    def run(*words, **more):
        done = subprocess.run(words, cwd=here, env=env | more, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr

    run(*install.split())
    run("python", "-c", python)
    run(*line.split())
    run(*download.partition("#")[0].split())
    assert Image.open(here / "colored.png").size == Image.open(here / "out/unet/old.jpg").size == photograph.size
    shutil.rmtree(here / "unet/.cache", ignore_errors=True)
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "fresh-home")}
    run("colorize", "old.jpg", "--model", "unet/", "--output", "offline", **offline)
    assert (here / "offline/unet/old.jpg").read_bytes() == (here / "out/unet/old.jpg").read_bytes()
    (packages,) = programs.parent.glob("lib/python*/site-packages/colorization")
    assert packages.is_dir(), "it was this checkout that ran"


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
        publish_model(run, options(code="tester/demo"))
    assert not hub.repos


def test_no_path_of_this_machine_is_named_in_public(hub, run):
    folders = ["/home/somebody/work", "../somebody", "/srv/somebody", "C:\\somebody", "~/somebody/x"]
    write_record(
        run,
        *(
            {
                "command": shlex.join(["accelerate", "launch", "train", "--output-dir", f"{folder}/runs"])
                + f" --lanes 8 {shlex.quote(f'--vgg-weights={folder}/vgg.safetensors')}",
                "dataset": f"{folder}/photographs",
                "hub_ids": ["tester/second"],
                "options": {
                    "teacher": [f"{folder}/first", "tester/second"],
                    "teacher_weight": 1.0,
                    "init_from": folder,
                },
            }
            for folder in folders
        ),
    )
    publish_model(run, options(code="tester/demo"))
    files = hub.files("models", REPO)
    for file in ("README.md", "metrics.json", "training.json"):
        assert b"somebody/" not in files[file] and b"somebody\\" not in files[file], file
    for stage in json.loads(files["training.json"])["stages"]:
        assert stage["dataset"] == "photographs" and stage["options"]["teacher"] == ["first", "tester/second"]
        assert stage["command"].endswith("--output-dir runs --lanes 8 --vgg-weights=vgg.safetensors")


def test_sentences_come_from_the_record(run):
    def card():
        return write_card(run, metrics_of(run), repo_id=REPO, code="tester/demo")

    plain = {"width": 32, "pretrained": False, "l1_weight": 1.0, "perceptual_weight": 0.0, "init_from": None}
    write_record(run, {"options": plain, "curve": [{"step": 20, "l1": 0.1}], "command": "accelerate launch train"})
    poor = card()
    assert "It began with random weights, and learned from L1 on ab." in poor.text
    prose = re.sub(r"^\|.*$", "", poor.text, flags=re.M)
    assert not re.search("ImageNet|VGG|perceptual|distilled|degraded to look old", prose)
    assert "base_model" not in poor.data.to_dict()
    rich = plain | {"pretrained": True, "pretrained_rate": 0.1, "perceptual_weight": 1.0, "degraded_share": 0.25}
    teachers = ["a/b", "unet", "../runs/one", "../runs/two"]
    taught = rich | {"init_from": "../runs/first/unet", "teacher": teachers, "teacher_weight": 2.0}
    curve = [{"step": 20, "l1": 0.1, "perceptual": 0.3}]
    own = rich | {"init_from": "unet", "init_share": 0.5, "teacher": ["unet"], "teacher_weight": 2.0}
    own |= {"guidance_only": True}
    mean = rich | {"init_from": "../runs/third/unet", "init_share": 0.4, "init_share_of": "unet"}
    write_record(
        run, *({"options": options, "curve": curve, "hub_ids": ["a/b"]} for options in (rich, taught, own, mean))
    )
    text = card().text.replace("\n", " ")
    assert card().data.base_model == ["timm/tf_efficientnet_lite0.in1k"]
    assert "but for ImageNet's in its encoder" in text and "learned at 0.1 of the learning rate" in text
    assert "the weights of run 1, and learned from L1 on ab, a perceptual loss on VGG features, L1 to the mean" in text
    assert "It is distilled" in text and "4 trained models (`a/b`, `unet`, not published)" in text and "25% of" in text
    # Not `unet`: that name has meant other weights since this run became the embedded one.
    assert "the weights of run 2 (which are 50% of the weights that were saved), of which it trained only those" in text
    assert "L1 to the output of a trained model (run 2)" in text
    for written in (text, card().text.replace("\n", " ")):  # again, of a record without the folders' paths
        assert "the weights of run 3 (40% of the weights that were saved are those of run 2), and" in written


def test_a_card_says_what_is_known_of_licenses_and_of_what_was_held_out(run):
    given = {"options": {"width": 32, "dataset_config": None, "teacher": [], "vary_lightness": False}}
    hub = {"dataset": "tester/hills", "hub_ids": ["tester/hills"], "data_license": "cc-by-4.0", "pictures": 636}
    write_record(run, given | hub | {"held_out": 64, "toned_skipped": 3}, given | {"dataset": "/home/me/hills/"})
    metrics = metrics_of(run) | {"validation_share": 0.01, "split": "train"}
    card = write_card(run, metrics, repo_id=REPO, code="tester/demo")
    assert "license" not in card.data.to_dict() and card.data.datasets == ["tester/hills"]
    assert "No license is stated for these weights." in card.text
    assert "`tester/hills` states the license `cc-by-4.0`; `hills` states no license." in card.text.replace("\n", " ")
    assert "636 pictures to learn from,\nand 64 more that were held out" in card.text and "3 toned" in card.text
    assert "held out of the split `train` in training" in card.text
    assert "| vary_lightness | False |" in card.text
    assert "dataset_config" not in card.text and "| teacher |" not in card.text
    card = write_card(run, metrics, repo_id=REPO, code="tester/demo", license="cc-by-sa-4.0")
    assert card.data.license == "cc-by-sa-4.0" and "published under `cc-by-sa-4.0`" in card.text


def test_a_folder_that_has_moved_does_not_become_a_repository(run):
    """Its name had the form of one, and nothing is there any more when it is published."""
    write_record(run, {"dataset": "photos/alps", "options": {"init_from": "runs/unet", "width": 32}, "hub_ids": []})
    card = write_card(run, metrics_of(run), repo_id=REPO, code="tester/demo")
    assert not card.data.to_dict().keys() & {"datasets", "base_model"} and "photos/alps" not in card.content


def test_a_card_has_the_results_of_every_data_set(run):
    first = metrics_of(run)
    second = first | {"dataset": "ordinary", "model": first["model"] | {"psnr_mean": 23.45}}
    card = write_card(run, first | {"further": [second]}, repo_id=REPO, code="tester/demo")
    assert f"photographs of `{first['dataset']}`" in card.text and "photographs of `ordinary`" in card.text
    assert "| unet | 23.45 /" in card.text and card.text.count("| gray |") == 2
    psnr = {r.dataset_name: r.metric_value for r in card.data.eval_results if r.metric_type == "psnr"}
    assert psnr == {first["dataset"]: first["model"]["psnr_mean"], "ordinary": 23.45}
    assert metrics_of(run)["further"] == [second], "it is lost when the run is published"


def test_a_card_without_a_place_for_the_code_is_not_published(hub, run):
    with pytest.raises(ValueError, match=r"says where its code is.* with --code"):
        publish_model(EMBEDDED / "unet", options())
    with pytest.raises(ValueError, match="expected a Space"):
        publish_model(EMBEDDED / "unet", options(code="git@example.org:me/code.git"))
    assert not hub.repos
    card = write_card(run, metrics_of(run), repo_id=REPO, code="https://example.org/me/code")
    assert "pip install git+https://example.org/me/code\n" in card.text


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "nothing to publish"),
        ({"folders": [EMBEDDED / "unet"], "namespace": None}, "--namespace is missing"),
        ({"folders": [EMBEDDED / "unet", EMBEDDED / "unet/"], "code": "tester/demo"}, None),
        ({"folders": [ROOT / "docs"]}, "does not hold a usable model"),
        ({"folders": [EMBEDDED / "unet"]}, "says where its code is"),
        ({"folders": [EMBEDDED / "unet"], "code": "demo"}, "--code is demo, expected a Space"),
        ({"folders": [EMBEDDED / "unet"], "namespace": "club", "code": "a/b"}, "tester may not write to club"),
        ({"space": "club/demo"}, "tester may not write to club"),
        ({"space": "tester/demo", "hardware": "cpu"}, "--hardware is cpu, expected one of .*zero-a10g"),
    ],
)
def test_mistakes_are_known_before_anything_is_pushed(hub, given, reason):
    if reason is None:
        assert len(_jobs(options(**given))) == 1, "the same folder twice is one job"
        return
    with pytest.raises((ValueError, PushError), match=reason):
        _jobs(options(**given))
    assert not hub.repos


@pytest.mark.slow
def test_the_command_line_says_what_it_did_and_what_it_could_not(hub_env, live_hub):
    """Two models, of which the Hub refuses one."""
    live_hub.reset()
    live_hub.fault = lambda method, path, _: 403 if "pix2pix/commit/" in path else None
    folders = [str(EMBEDDED / name) for name in ("pix2pix", "unet")]
    words = [sys.executable, "-m", "train.publish", *folders, "--namespace", "tester", "--code", "a/b"]
    done = subprocess.run(words, cwd=ROOT, env=hub_env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 1 and re.search(rf"published {REPO}@[0-9a-f]{{40}}", done.stdout), done.stderr
    assert "train.publish: tester/landscape-colorization-pix2pix was not pushed:" in done.stderr
    assert "settings/tokens" in done.stderr and "Traceback" not in done.stderr and "hf_writer" not in done.stderr
