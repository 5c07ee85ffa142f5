"""The page while the Hub misbehaves, and on ZeroGPU."""

import subprocess
import sys
import time

import pytest
from conftest import NAMES, ROOT, page
from gradio_client import Client, handle_file

from page.models import HubModels, hub_models

SPACES = """
import os, sys
assert "torch" not in sys.modules and "gradio" not in sys.modules, "spaces must come before torch"
import torch
torch.cuda.is_available = lambda: True
registered = []
def GPU(duration):
    def register(function):
        registered.append(function)
        def refuse(*arguments):
            raise RuntimeError("You have exceeded your ZeroGPU quota")
        return refuse
    return register
"""


def colorize(url, photograph, folder):
    photograph.save(folder / "old.png")
    return Client(url, verbose=False).predict(handle_file(folder / "old.png"), api_name="/colorize")


@pytest.mark.slow
def test_a_silent_hub_delays_neither_the_page_nor_an_answer(hub_env, live_hub, photograph, tmp_path):
    live_hub.reset()
    live_hub.fault = lambda *_: "silent"
    start = time.monotonic()
    with page(hub_env | {"COLORIZATION_HUB_NAMESPACE": "tester"}, tmp_path) as (url, log):
        results = colorize(url, photograph, tmp_path)
        took = time.monotonic() - start
        assert live_hub.requests, "the Hub was not asked"
        assert "stays as it is" not in log.read_text(), f"the Hub was given up after {took:.0f} s: nothing was waiting"
    assert [caption.rpartition(", ")[2] for caption in results[5:8]] == ["embedded"] * 3


@pytest.mark.slow
def test_what_went_wrong_is_in_the_models_tab_and_once_in_the_log(hub_env, live_hub, browser, tmp_path):
    live_hub.reset()
    with page(hub_env | {"COLORIZATION_HUB_NAMESPACE": "tester"}, tmp_path) as (url, log):
        for _ in range(100):
            if log.read_text().count("stays as it is") == len(NAMES):
                break
            time.sleep(0.1)
        for _ in range(2):
            opened = browser.new_page(viewport={"width": 1400, "height": 1100})
            opened.goto(url)
            opened.get_by_role("tab", name="Models").click()
            for name in NAMES:
                opened.get_by_text(
                    f"the Hub did not give tester/landscape-colorization-{name}: it is not there"
                ).wait_for()
            opened.close()
        assert log.read_text().count("stays as it is") == len(NAMES)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, None),
        ({"COLORIZATION_HUB_NAMESPACE": " "}, None),
        ({"COLORIZATION_HUB_NAMESPACE": "me"}, HubModels("me")),
        (
            {
                "COLORIZATION_HUB_NAMESPACE": "me",
                "COLORIZATION_HUB_PREFIX": "mine",
                "COLORIZATION_HUB_REVISIONS": "unet=v2, cwgan=0123abc",
            },
            HubModels("me", "mine", {"unet": "v2", "cwgan": "0123abc"}),
        ),
    ],
)
def test_the_environment_says_which_models(settings, expected):
    assert hub_models(settings) == expected


@pytest.mark.parametrize("revisions", ["v2", "resnet=v2", "unet="])
def test_a_slip_in_the_revisions_is_a_sentence(revisions):
    with pytest.raises(ValueError, match="expected model=revision of pix2pix, cwgan, unet"):
        hub_models({"COLORIZATION_HUB_NAMESPACE": "me", "COLORIZATION_HUB_REVISIONS": revisions})


@pytest.mark.slow
@pytest.mark.parametrize("zero_gpu", [True, False])
def test_on_zerogpu_the_networks_run_on_the_processor_and_no_quota_is_used(
    subprocess_env, photograph, tmp_path, zero_gpu
):
    """With a stand-in for `spaces`, which refuses torch without CUDA; docs/HUB.md says where the real one ran."""
    (tmp_path / "spaces.py").write_text(SPACES if zero_gpu else "raise AssertionError('not wanted')")
    uploads = tmp_path / "files"
    uploads.mkdir()
    photograph.save(uploads / "old.png")
    code = f"""
import sys
import page.gpu
from page.demo import build_demo
from page.models import Models
demo = build_demo(Models())
function = next(f for f in demo.fns.values() if f.api_name == "colorize").fn
answer = function({str(uploads / "old.png")!r}, 1, None, None)
print(len(answer), len(sys.modules["spaces"].registered) if "spaces" in sys.modules else "no spaces")
"""
    env = subprocess_env | {"PYTHONPATH": f"{tmp_path}:{ROOT}", "GRADIO_TEMP_DIR": str(uploads)}
    env |= {"SPACES_ZERO_GPU": "true"} if zero_gpu else {}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.stdout.split("\n")[-2] == f"10 {1 if zero_gpu else 'no spaces'}", done.stderr
