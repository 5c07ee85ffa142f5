"""Fixtures: real photographs, small data sets made of them, and what lies beside the project."""

import contextlib
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import types
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

os.environ["HF_HUB_OFFLINE"] = "1"  # the Hub's clients read it when they are first imported

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
NAMES = ("pix2pix", "cwgan", "unet")
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

signal.signal(signal.SIGINT, signal.default_int_handler)  # xdist's workers ignore it, and so would their children
torch.set_num_threads(1)  # small tensors, and other processes beside them


@pytest.fixture(scope="session")
def shared():
    """The folder of data beside the project."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED.name}/ is not beside the project")
    return SHARED


@pytest.fixture(scope="session")
def photograph():
    """A real color photograph that comes with scikit-image, 640x427."""
    from skimage import data

    return Image.fromarray(data.rocket())


@pytest.fixture
def old(photograph, tmp_path):
    """A file with a black-and-white photograph."""
    from colorization.inference import gray

    gray(photograph).save(tmp_path / "old.png")
    return tmp_path / "old.png"


@pytest.fixture
def run(tmp_path):
    """A finished run of one's own."""
    from colorization.sources import EMBEDDED

    return shutil.copytree(EMBEDDED / "unet", tmp_path / "runs/unet")


@pytest.fixture(scope="session")
def subprocess_env():
    """Environment of child processes: this project, one thread, no network."""
    return os.environ | {
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "GRADIO_ANALYTICS_ENABLED": "False",
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


@pytest.fixture
def colorization(capfd, monkeypatch):
    """The command line within this process, which does not wait for imports; gives what a process would."""
    from colorization.__main__ import main

    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)  # which it sets
    threads = torch.get_num_threads()

    def run(*arguments):
        capfd.readouterr()
        try:
            code = main([*map(str, arguments)])
        except SystemExit as error:
            code = error.code
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(arguments, code, out, err)

    yield run
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def crops(photograph):
    """Forty colorful 96x96 pieces of real photographs."""
    from skimage import data

    from colorization.metrics import is_toned

    rng = np.random.default_rng(0)
    sources = [np.asarray(photograph), data.coffee(), data.chelsea()]
    pieces = []
    for number in range(40):
        source = sources[number % len(sources)]
        top, left = rng.integers(source.shape[0] - 96), rng.integers(source.shape[1] - 96)
        if is_toned(source[top : top + 96, left : left + 96]):  # the night sky beside the rocket
            source = sources[1]
        pieces.append(Image.fromarray(source[top : top + 96, left : left + 96]))
    return pieces


@pytest.fixture(scope="session")
def parquet(crops, tmp_path_factory):
    """A data set in two training shards and a validation shard, with 4 gray and 2 broken pictures in the first."""
    import datasets

    folder = tmp_path_factory.mktemp("parquet")
    features = datasets.Features({"image": datasets.Image()})

    def write(name, cells):
        dataset = datasets.Dataset.from_dict({"image": cells}, features=features)
        dataset.to_parquet(str(folder / name))

    color = [encoded(crop) for crop in crops]
    gray = [encoded(crop.convert("L")) for crop in crops[:4]]
    broken = [{"bytes": b"no picture", "path": "broken.jpg"}, {"bytes": color[0]["bytes"][:200], "path": "cut.png"}]
    write("train-00000-of-00002.parquet", color[:16] + gray + broken)
    write("train-00001-of-00002.parquet", color[16:32])
    write("validation-00000-of-00001.parquet", color[32:] + gray[:1] + broken[:1])
    return folder


def encoded(picture, kind="png"):
    """One cell of a `datasets.Image` column."""
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return {"bytes": buffer.getvalue(), "path": f"picture.{kind}"}


@pytest.fixture(scope="session")
def live_hub():
    """A Hub on loopback, see hub.py for what it is not."""
    from support.hub import LiveHub

    with LiveHub() as hub:
        yield hub


@pytest.fixture
def hub(live_hub, monkeypatch, tmp_path):
    """An empty Hub that this process's own clients talk to, as a user with a token that may write."""
    from huggingface_hub import constants

    live_hub.reset()
    monkeypatch.setattr(constants, "ENDPOINT", live_hub.url)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", live_hub.url + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_TOKEN", "hf_writer")
    # The client waits between tries; the tries are what is tested.
    for module in ("utils._http", "file_download"):
        patient = types.SimpleNamespace(sleep=lambda _: None, time=time.time, monotonic=time.monotonic)
        monkeypatch.setattr(f"huggingface_hub.{module}.time", patient)
    return live_hub


@pytest.fixture(scope="session")
def hub_env(live_hub, subprocess_env, tmp_path_factory):
    """Environment of child processes that talk to the loopback Hub, with a home of their own."""
    env = {key: value for key, value in subprocess_env.items() if key != "HF_HUB_OFFLINE"}
    return env | {
        "HF_ENDPOINT": live_hub.url,
        "HF_HOME": str(tmp_path_factory.mktemp("hf-home")),
        "HF_HUB_DISABLE_XET": "1",
        "HF_TOKEN": "hf_writer",
    }


@contextlib.contextmanager
def page(env, folder, root=ROOT, python=sys.executable):
    """`python app.py`, as the README starts it, on a free port; gives its address and its log."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = env | {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(folder / "files")}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([python, "app.py"], cwd=root, env=env, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(720):
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.25)
        yield url, folder / "log"
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="session")
def server(subprocess_env, tmp_path_factory):
    """The address of a page on the embedded models; one for all tests that do not need settings of their own."""
    before = {*ROOT.iterdir(), ROOT / "__pycache__", ROOT / ".pytest_cache"}
    with page(subprocess_env, tmp_path_factory.mktemp("page")) as (url, log):
        yield url
    assert not {*ROOT.iterdir()} - before, "the page wrote into the folder it was started in"
    assert "Traceback" not in log.read_text()


@pytest.fixture(scope="session")
def client(server):
    """A client of that page."""
    from gradio_client import Client

    return Client(server, verbose=False)


@pytest.fixture(scope="session")
def browser():
    """A real browser."""
    if not CHROMIUM.is_file():
        pytest.skip("Debian's chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pan(tmp_path_factory):
    """Two seconds of a moving camera, with sound, 96x64."""
    from support.clips import clip, panning

    return clip(tmp_path_factory.mktemp("clips") / "pan.mp4", panning(96, 64, 50))
