"""The Space on its way to the Hub."""

import io
import re
import subprocess
import sys

import pytest
import yaml
from conftest import ROOT
from PIL import Image
from support.publishing import REPO, options, write_record

from train.publish.__main__ import main
from train.publish.push import PushError
from train.publish.space import publish_space


def front_matter(files):
    return yaml.safe_load(files["README.md"].decode().split("---")[1])


def test_the_space_is_the_whole_project(hub):
    answer = publish_space(options(space="tester/demo", namespace=None))
    space, files = hub.repos["spaces", "tester/demo"], hub.files("spaces", "tester/demo")
    assert answer == f"tester/demo@{space.branches['main']}" and space.hardware == "zero-a10g"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0:  # a copy of the published project is no git repository
        tracked = {path for path in listed.stdout.split("\0") if path and not re.search(r"(^|/)\.", path)}
        assert not {path for path in tracked if (ROOT / path).exists()} - files.keys()
    assert not [path for path in files if "__pycache__" in path or path.endswith(".pyc")]
    links = re.findall(r"\]\(([^)#:]+)[)#]", files["README.md"].decode())
    assert links and not [link for link in links if link not in files], "the README links to files that are not there"
    front = front_matter(files)
    assert front["sdk"] == "gradio" and front["app_file"] == "app.py"
    assert not front.keys() & {"models", "datasets", "preload_from_hub"} and not space.variables
    address = f"{hub.url}/spaces/tester/demo/resolve/main/"
    assert front["thumbnail"].startswith(address)
    thumbnail = files[front["thumbnail"].removeprefix(address)]
    assert Image.open(io.BytesIO(thumbnail)).size == (1200, 630) and len(thumbnail) < 200_000


def publish(monkeypatch, *words):
    """The command line, in this process: its exit code, or its last words."""
    monkeypatch.setattr(sys, "argv", ["train.publish", *map(str, words)])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code


def test_the_space_is_there_before_a_card_names_it_and_then_names_the_models(hub, run, monkeypatch):
    write_record(run, {"dataset": "tester/landscapes", "hub_ids": ["tester/landscapes"]})
    there = []

    def look(method, path, _):
        if "/commit/" in path:
            there.append((path.split("/")[2], front_matter(hub.files("spaces", "tester/demo")) if there else None))

    hub.fault = look
    assert publish(monkeypatch, run, "--namespace", "tester", "--space", "tester/demo") == 0
    (first, _), (second, front), (third, _) = there
    assert (first, second, third) == ("spaces", "models", "spaces")
    assert front["app_file"] == "app.py" and "preload_from_hub" not in front, "what is not there cannot be preloaded"
    front = front_matter(hub.files("spaces", "tester/demo"))
    assert front["models"] == front["preload_from_hub"] == [REPO] and front["datasets"] == ["tester/landscapes"]
    assert hub.repos["spaces", "tester/demo"].variables["COLORIZATION_HUB_NAMESPACE"] == "tester"
    hub.repos["models", REPO].private = True
    publish_space(options(space="tester/demo"))
    front = front_matter(hub.files("spaces", "tester/demo"))
    assert front["models"] == [REPO] and "preload_from_hub" not in front, "the Hub preloads public models only"


@pytest.mark.parametrize("hardware", ["cpu-basic", "zero-a10g"])
def test_a_space_that_the_plan_does_not_cover_is_a_sentence_and_no_card_names_it(
    hub, run, monkeypatch, capsys, hardware
):
    if hardware == "zero-a10g":  # the third one
        hub.fault = lambda method, path, _: 402 if path == "/api/repos/create" else None
    words = ("--namespace", "tester", "--space", "tester/demo", "--hardware", hardware)
    assert "not published, as their cards would name" in publish(monkeypatch, run, *words)
    said = capsys.readouterr().err
    assert re.search(r"tester/demo was not pushed: the Hub answered 402 .*two Spaces, with --hardware zero-a10g;", said)
    assert "https://huggingface.co/pro" in said and "Traceback" not in said and not hub.repos


def test_a_space_that_is_there_is_updated_whatever_the_plan(hub):
    publish_space(options(space="tester/demo", namespace=None))
    hub.fault = lambda method, path, _: 402 if path == "/api/repos/create" else None
    publish_space(options(space="tester/demo", namespace=None, hardware="cpu-basic"))
    assert hub.repos["spaces", "tester/demo"].hardware == "zero-a10g"


def test_a_variable_that_cannot_be_set_is_said(hub):
    hub.fault = lambda method, path, _: 403 if path.endswith("/variables") else None
    with pytest.raises(PushError, match="tester/demo is there, but its variable COLORIZATION_HUB_NAMESPACE"):
        publish_space(options(space="tester/demo"))
