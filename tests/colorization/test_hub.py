"""Reading from the Hub, with the real client: what comes, what is refused, and what a page does meanwhile."""

import logging
import socket
import time

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file

from colorization import hub as reading
from colorization.sources import EMBEDDED, LoadError, locate
from colorization.zoo import ZOO, load
from page.models import HubModels, Models

UNET = "tester/landscape-colorization-unet"


def put(hub, repo_id, folder, private=False, **changes):
    """Place a model on the Hub; returns the commit."""
    from support.hub_store import Repo

    repo = hub.repos.setdefault(("models", repo_id), Repo(private))
    files = {file.name: file.read_bytes() for file in folder.iterdir()} | changes
    return repo.commit("main", {name: data for name, data in files.items() if data is not None}, "a model")


@pytest.fixture
def all_three(hub):
    """The embedded models, as a namespace on the Hub; the names of their commits."""
    return {name: put(hub, reading.repo_id("tester", name), EMBEDDED / name) for name in ZOO}


def same(model, other):
    return all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), other.state_dict().values(), strict=True))


def test_a_model_comes_from_the_hub_and_then_from_the_cache(hub, monkeypatch):
    put(hub, UNET, EMBEDDED / "unet")
    assert same(load(UNET), load("unet"))
    hub.fault = lambda *_: 503
    assert same(load(UNET), load("unet")), "a Hub in trouble takes nothing away"
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    requests = len(hub.requests)
    assert same(load(UNET), load("unet")) and len(hub.requests) == requests


def test_a_revision_is_what_comes(hub):
    first = put(hub, UNET, EMBEDDED / "unet")
    put(hub, UNET, EMBEDDED / "cwgan")
    assert load(UNET).name == "cwgan"
    assert load(UNET, revision=first).name == "unet"
    with pytest.raises(LoadError, match="it has no such branch, tag or commit"):
        load(UNET, revision="v9")


def test_files_come_out_of_one_commit_though_somebody_pushes_in_between(hub):
    first = put(hub, UNET, EMBEDDED / "unet")

    def push_after_the_config(method, path, _):
        if method == "HEAD" and path.endswith("safetensors"):
            put(hub, UNET, EMBEDDED / "cwgan")

    hub.fault = push_after_the_config
    assert locate(UNET).name == first and load(UNET, revision=first).name == "unet"


@pytest.mark.parametrize("cached", [False, True])
def test_a_silent_hub_costs_seconds_not_minutes(hub, monkeypatch, cached):
    put(hub, UNET, EMBEDDED / "unet")
    if cached:
        load(UNET)
    hub.fault = lambda *_: "silent"
    monkeypatch.setattr(reading, "PATIENCE", 0.5)
    start = time.monotonic()
    if cached:
        assert load(UNET).name == "unet"
    else:
        with pytest.raises(LoadError, match=r"no answer from http://127.0.0.1:\d+ in 0.5 s"):
            load(UNET)
    assert time.monotonic() - start < 5


def nan_weights():
    weights = load_file(EMBEDDED / "unet/model.safetensors")
    weights[min(weights)].fill_(float("nan"))
    return weights


def overflowing_weights():
    weights = load_file(EMBEDDED / "unet/model.safetensors")
    return weights | {"decoder.0.0.weight": weights["decoder.0.0.weight"].float().fill_(1e38)}


def few_weights():
    weights = load_file(EMBEDDED / "unet/model.safetensors")
    weights.pop(min(weights))
    return weights


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda hub, file: {"config.json": None}, "it has no config.json"),
        (lambda hub, file: {"model.safetensors": None}, "it has no model.safetensors"),
        (lambda hub, file: {"config.json": b"{"}, "does not hold a usable model"),
        (
            lambda hub, file: {"config.json": b'{"model_type": "resnet"}'},
            'says "model_type": "resnet", expected one of',
        ),
        (
            lambda hub, file: {"config.json": b'{"model_type": "unet", "width": 100000}'},
            r"holds [\d,]+ numbers, expected [\d,]+ by config.json",
        ),
        (
            lambda hub, file: {"config.json": b'{"model_type": "unet", "depth": 1000000}'},
            "expected a width of 1 or more",
        ),
        (lambda hub, file: {"model.safetensors": b"\x80\x04 pickle"}, "does not hold a usable model"),
        (
            lambda hub, file: {"model.safetensors": save_file(nan_weights(), file) or file.read_bytes()},
            "NaN or infinite weights in",
        ),
        (
            lambda hub, file: {"model.safetensors": save_file(overflowing_weights(), file) or file.read_bytes()},
            "does not hold a usable model: unet predicted colors that are not finite",
        ),
        (
            lambda hub, file: {"model.safetensors": save_file(few_weights(), file) or file.read_bytes()},
            r'Missing key\(s\) in state_dict: "\S+.bias"',
        ),
    ],
)
def test_what_is_no_model_is_refused_in_a_sentence(hub, tmp_path, spoil, reason):
    put(hub, UNET, EMBEDDED / "unet", **spoil(hub, tmp_path / "spoiled.safetensors"))
    with pytest.raises(LoadError, match=reason) as raised:
        load(UNET)
    assert UNET in str(raised.value) and str(tmp_path) not in str(raised.value)


def test_bytes_that_changed_on_the_way_are_noticed_and_not_kept(hub):
    put(hub, UNET, EMBEDDED / "unet")
    hub.fault = lambda method, path, _: "corrupt" if method == "GET" and path.endswith("safetensors") else None
    with pytest.raises(LoadError, match=r"model.safetensors arrived damaged"):
        load(UNET)
    hub.fault = lambda *_: None
    assert same(load(UNET), load("unet"))


def test_a_private_model_needs_the_token(hub, monkeypatch):
    put(hub, UNET, EMBEDDED / "unet", private=True)
    assert load(UNET).name == "unet"
    monkeypatch.setenv("HF_TOKEN", "hf_nobody")
    put(hub, UNET, EMBEDDED / "unet")
    with pytest.raises(LoadError, match=r"it is private and the token cannot see it \(`hf auth login`") as raised:
        load(UNET, revision="main")
    assert "hf_nobody" not in str(raised.value)


def test_the_page_swaps_each_model_when_it_is_ready(hub, all_three, caplog):
    models = Models()
    before = models.current()
    with caplog.at_level(logging.INFO, "colorization"):
        models.pull(HubModels("tester")).join(60)
    assert {served.origin for served in before.values()} == {"embedded"}, "a request in flight lost its models"
    after = models.current()
    assert {name: served.origin for name, served in after.items()} == {
        name: f"tester/landscape-colorization-{name}@{commit[:7]}" for name, commit in all_three.items()
    }
    assert all(same(after[name].model, before[name].model) for name in ZOO) and not models.problems
    assert [record.levelname for record in caplog.records] == ["INFO"] * 3


def test_pinned_revisions_and_another_prefix(hub):
    commits = {name: put(hub, f"tester/mine-{name}", EMBEDDED / name) for name in ZOO}
    put(hub, "tester/mine-unet", EMBEDDED / "cwgan")
    models = Models()
    models.pull(HubModels("tester", "mine", {"unet": commits["unet"]})).join(60)
    assert not models.problems
    assert models.current()["unet"].origin == f"tester/mine-unet@{commits['unet'][:7]}"


def refused_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def weights(method, path):
    return method == "GET" and path.endswith("safetensors")


FAULTS = {  # what the Hub does: what the page says
    "refused": ("refused", "no connection to http://127.0.0.1"),
    "silent": (lambda *_: "silent", "no answer from http://127.0.0.1"),
    "silent later": (lambda m, p, _: "silent" if weights(m, p) else None, "no answer from http://127.0.0.1"),
    "401": (lambda *_: 401, "the Hub answered 401 Unauthorized"),
    "403": (lambda *_: 403, "the Hub answered 403"),
    "404": (lambda *_: 404, "it is not there, or it is private"),
    "429": (lambda *_: 429, "the Hub answered 429"),
    "500": (lambda *_: 500, "the Hub answered 500"),
    "dropped": (lambda *_: "drop", "no connection to http://127.0.0.1"),
    "dropped later": (lambda m, p, _: "drop" if weights(m, p) else None, "no connection to http://127.0.0.1"),
    "corrupt": (lambda m, p, _: "corrupt" if weights(m, p) else None, "model.safetensors arrived damaged"),
}


@pytest.mark.parametrize(
    "fault", [pytest.param(fault, marks=pytest.mark.slow) if fault == "silent later" else fault for fault in FAULTS]
)
def test_whatever_the_hub_does_the_page_keeps_its_models_and_says_so_once(hub, all_three, monkeypatch, caplog, fault):
    what, sentence = FAULTS[fault]
    if what == "refused":
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{refused_port()}")
    else:
        hub.fault = what
    monkeypatch.setattr(reading, "PATIENCE", 0.5)
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.5)
    models = Models()
    models.pull(HubModels("tester")).join(60)
    assert {served.origin for served in models.current().values()} == {"embedded"}
    assert set(models.problems) == set(ZOO)
    assert [problem for problem in models.problems.values() if sentence not in problem] == []
    assert [record.levelname for record in caplog.records if record.name.startswith("colorization")] == ["WARNING"] * 3


def test_one_bad_model_does_not_keep_the_others_away(hub, all_three):
    put(hub, UNET, EMBEDDED / "cwgan")
    models = Models()
    models.pull(HubModels("tester")).join(60)
    assert models.problems == {"unet": f"{UNET} holds a cwgan, expected unet"}
    assert [served.origin == "embedded" for served in models.current().values()] == [False, False, True]
