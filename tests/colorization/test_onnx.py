"""Models in ONNX: what the export writes and refuses, and the command line with ONNX Runtime, without torch too."""

import json
import os
import re
import shutil
import subprocess
import sys
import venv

import numpy as np
import onnxruntime
import pytest
import torch
from conftest import ROOT
from PIL import Image

from colorization import colorize, load
from colorization.colorizer import Colorizer
from colorization.guidance import Guidance, Point
from colorization.inference import encode, lightness, ranked_moods
from colorization.onnx.convert import convert
from colorization.onnx.model import OnnxColorizer, read
from colorization.sources import LoadError

WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "{missing}":
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
sys.argv = ["colorize", *sys.argv[1:]]
from colorization.__main__ import main

sys.exit(main())
"""


@pytest.fixture(scope="session")
def exported(subprocess_env, tmp_path_factory):
    """Folders as the command writes them, by model."""
    folders = {}

    def export(name):
        if name not in folders:
            folder = tmp_path_factory.mktemp("exported") / name
            command = [sys.executable, "-m", "colorization.export", "--model", name, "--output", str(folder)]
            done = subprocess.run(command, cwd=ROOT, env=subprocess_env, capture_output=True, text=True, timeout=300)
            assert done.returncode == 0 and not done.stderr, done.stderr
            (difference,) = re.findall(r"within (\S+) of torch", done.stdout)
            assert float(difference) < 1e-4
            folders[name] = folder
        return folders[name]

    return export


@pytest.fixture
def run(subprocess_env):
    """The command line, without a library if one is named."""

    def run(*arguments, missing=None, **env):
        program = ["-c", WITHOUT.format(missing=missing)] if missing else ["-m", "colorization"]
        command = [sys.executable, *program, *map(str, arguments)]
        env = subprocess_env | {key: str(value) for key, value in env.items()}
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300)

    return run


ALL = [
    "pix2pix",
    pytest.param("cwgan", marks=pytest.mark.slow),
    pytest.param("unet", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("name", ALL)
def test_an_exported_model_is_the_same_function_at_any_size(exported, name):
    folder, model = exported(name), load(name)
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()
    guidance = ["places", "colors", "valid", "mood"] if model.takes_guidance else []
    assert [i.name for i in inputs] == ["L", *guidance]
    assert [o.name for o in session.get_outputs()] == ["ab", "moods"][: 1 + model.takes_guidance]
    for batch, height, width in ((1, 64, 64), (2, 256, 384), (1, 384, 256), (3, 128, 1024)):
        L = torch.rand(batch, 1, height, width) * 2 - 1
        with torch.inference_mode():
            expected = model(L).numpy()
        nothing = {i.name: np.zeros((batch, *i.shape[1:]), np.float32) for i in inputs[1:]}
        (ab,) = session.run(["ab"], {"L": L.numpy()} | nothing)
        assert ab.shape == expected.shape and np.abs(ab - expected).max() < 1e-3


def test_an_exported_file_says_what_it_is_and_nothing_of_this_machine(exported):
    folder, model = exported("pix2pix"), load("pix2pix")
    assert json.loads((folder / "config.json").read_text()) == model.config
    data = (folder / "model.onnx").read_bytes()
    assert len(data) < 1.1 * sum(2 * parameter.numel() for parameter in model.parameters()), "two bytes for each weight"
    result = OnnxColorizer(data, "model.onnx")
    assert (result.name, result.working_size, result.stride) == (model.name, model.working_size, model.stride)
    for path in (str(ROOT), sys.prefix, ".py"):
        assert path.encode() not in data


@pytest.mark.parametrize("name", ALL)
def test_pictures_are_those_of_torch(exported, name, shared, photograph):
    by_torch, by_onnx = load(name), read(exported(name), name)
    files = [*sorted((shared / "data/historic").glob("*.jpg"))[:3], *sorted((shared / "data/people").glob("*.jpg"))[:3]]
    pictures = [*map(Image.open, files), photograph, photograph.resize((37, 500)), photograph.resize((1500, 90))]
    for picture in pictures:
        difference = levels_apart(colorize(by_torch, picture), colorize(by_onnx, picture))
        # Color is enlarged with 8 bits: where its last bit differs, a saturated pixel may be two levels off.
        assert (difference > 1).mean() < 1e-4 and difference.max() <= 2


def levels_apart(picture, other):
    return np.abs(np.asarray(picture).astype(int) - np.asarray(other))


POINTS = (Point(0.31, 0.62, "#7a8b4f"), Point(0.9, 0.1, "#5588ee"))


@pytest.mark.slow
def test_guidance_steers_as_with_torch(exported, colorization, photograph, tmp_path):
    by_torch, by_onnx = load("unet"), read(exported("unet"), "unet")
    assert by_onnx.takes_guidance
    for guidance in (
        Guidance(POINTS, "sunset"),
        Guidance(tuple(Point(i / 64, 0.5, "#446688") for i in range(64))),
    ):
        pictures = [colorize(model, photograph, guidance=guidance) for model in (by_torch, by_onnx)]
        assert levels_apart(*pictures).max() <= 1
    ranked = [ranked_moods(model, encode(model, lightness(photograph)))[:3] for model in (by_torch, by_onnx)]
    assert ranked[0] == ranked[1]
    photograph.resize((240, 160)).save(tmp_path / "old.png")
    options = [word for p in POINTS for word in ("--hint", f"{p.x},{p.y},{p.color}")] + ["--mood", "sunset"]
    for engine, model in (("torch", "unet"), ("onnx", exported("unet"))):
        done = colorization(
            tmp_path / "old.png", "--engine", engine, "--model", model, "--output", tmp_path / engine, *options
        )
        assert done.returncode == 0, done.stderr
    steered = [Image.open(tmp_path / engine / "unet/old.png") for engine in ("torch", "onnx")]
    assert levels_apart(*steered).max() <= 1


class Random(Colorizer):
    """A model that never gives the same twice, which no export can be equal to."""

    name = "random"

    def __init__(self):
        super().__init__(8, 1, 32)
        self.factor = torch.nn.Parameter(torch.ones(1))

    def encode(self, L):
        return [L]

    def decode(self, features, condition=None):
        return self.factor * torch.rand_like(features[0]).expand(-1, 2, -1, -1)


def test_a_model_that_differs_after_the_export_is_refused():
    with pytest.raises(LoadError, match=r"differs from torch by 0\.\d+ at 32x32, at most 0\.001 is allowed"):
        convert(Random())


def test_an_export_that_cannot_be_written_or_read_is_one_line(subprocess_env, tmp_path):
    (tmp_path / "file").write_text("")
    for arguments, reason in (
        (("--model", "pix2pix", "--output", tmp_path / "file/below"), "cannot be written: Not a directory"),
        (("--model", tmp_path, "--output", tmp_path / "out"), "does not hold a usable model"),
    ):
        command = [sys.executable, "-m", "colorization.export", *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, env=subprocess_env, capture_output=True, text=True)
        assert done.returncode == 1 and reason in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_the_command_line_colors_without_torch(exported, run, tmp_path, photograph):
    photograph.save(tmp_path / "old.jpg")
    options = ("--output", tmp_path / "out", "--format", "png")
    done = run(tmp_path / "old.jpg", "--engine", "onnx", "--model", exported("pix2pix"), *options, missing="torch")
    assert done.returncode == 0 and not done.stderr, done.stderr
    expected = colorize(load("pix2pix"), Image.open(tmp_path / "old.jpg"))
    assert levels_apart(expected, Image.open(tmp_path / "out/pix2pix/old.png")).max() <= 1


@pytest.mark.parametrize(
    ("arguments", "missing", "reason"),
    [
        ((), "torch", "torch is not installed: `pip install torch`, or give --engine onnx a folder"),
        (("--engine", "onnx"), "onnxruntime", "ONNX Runtime is not installed: `pip install onnxruntime`"),
        (("--engine", "onnx"), "torch", "unet is yet to be converted, and torch is not installed"),
        (("--engine", "onnx"), "onnxscript", "onnxscript is not installed: `pip install onnx onnxscript`"),
        (("--engine", "onnx", "--model", "."), None, ". has no model.onnx: write one with `python -m"),
        (("--engine", "onnx", "--model", "nowhere"), None, "the Hub did not give nowhere: "),
    ],
)
def test_what_is_missing_is_said_in_one_line(run, tmp_path, photograph, arguments, missing, reason):
    photograph.save(tmp_path / "old.jpg")
    command = (tmp_path / "old.jpg", "--output", tmp_path / "out", *arguments)
    done = run(*command, missing=missing, HF_HOME=tmp_path / "home")
    assert done.returncode == 1 and done.stderr.startswith(f"colorization: {reason}"), done.stderr
    assert done.stderr.count("\n") == 1


def test_videos_are_not_for_this_engine_and_pictures_beside_them_are(exported, run, tmp_path, photograph):
    photograph.save(tmp_path / "old.jpg")
    (tmp_path / "clip.mp4").write_bytes(b"")
    done = run(tmp_path, "--engine", "onnx", "--model", exported("pix2pix"), "--output", tmp_path / "out")
    assert done.returncode == 1 and "they need --engine torch" in done.stderr
    assert (tmp_path / "out/pix2pix/old.jpg").exists()


def test_a_model_comes_from_the_hub(exported, run, live_hub, hub_env, tmp_path, photograph):
    from support.hub_store import Repo

    live_hub.reset()
    files = {file.name: file.read_bytes() for file in exported("pix2pix").iterdir()}
    live_hub.repos["models", "tester/small"] = Repo(False)
    live_hub.repos["models", "tester/small"].commit("main", files, "a model")
    live_hub.repos["models", "tester/torch"] = Repo(False)
    live_hub.repos["models", "tester/torch"].commit("main", {"config.json": files["config.json"]}, "a model")
    photograph.save(tmp_path / "old.jpg")
    command = (tmp_path / "old.jpg", "--engine", "onnx", "--output", tmp_path / "out", "--model")
    online = hub_env | {"HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path / "home")}
    assert run(*command, "tester/small", missing="torch", **online).returncode == 0
    assert (tmp_path / "out/pix2pix/old.jpg").exists()
    assert "the Hub did not give tester/torch: it has no model.onnx" in run(*command, "tester/torch", **online).stderr


@pytest.mark.slow
def test_a_model_of_the_package_is_converted_once(run, tmp_path, photograph):
    photograph.save(tmp_path / "old.jpg")
    command = (
        tmp_path / "old.jpg",
        "--engine",
        "onnx",
        "--model",
        "pix2pix",
        "--output",
        tmp_path / "out",
        "--overwrite",
    )
    assert run(*command, HF_HOME=tmp_path / "home").returncode == 0
    (kept,) = (tmp_path / "home").rglob("model.onnx")
    first = kept.stat().st_mtime_ns
    assert run(*command, missing="torch", HF_HOME=tmp_path / "home").returncode == 0
    assert kept.stat().st_mtime_ns == first
    kept.write_bytes(kept.read_bytes()[:1000])
    assert run(*command, HF_HOME=tmp_path / "home").returncode == 0, "a damaged one is made again"
    assert kept.stat().st_mtime_ns > first
    (tmp_path / "no folder").write_text("")
    assert run(*command, HF_HOME=tmp_path / "no folder").returncode == 0, "nor is a place to keep it needed"


@pytest.mark.slow
def test_an_environment_without_torch_colors_a_photograph(exported, tmp_path, photograph):
    """Installed as docs/ONNX.md says, in a fresh environment, from a copy of the checkout."""
    checkout, environment = tmp_path / "project", tmp_path / "environment"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "tests", "runs", "out", "*.egg-info", "build")
    shutil.copytree(ROOT, checkout, ignore=ignored)
    venv.create(environment, with_pip=True)
    pip = [environment / "bin/pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, "-r", "requirements-onnx.txt"], cwd=checkout, capture_output=True, text=True)
    if done.returncode and "No matching distribution" in done.stderr:
        pytest.skip("no package index")
    assert done.returncode == 0, done.stderr
    subprocess.run([*pip, "--no-deps", "."], cwd=checkout, check=True)
    megabytes = sum(file.lstat().st_size for file in environment.rglob("*") if file.is_file()) / 1e6
    print(f"the environment has {megabytes:.0f} MB")
    assert megabytes < 550
    assert subprocess.run([environment / "bin/python", "-c", "import torch"], capture_output=True).returncode
    photograph.save(tmp_path / "old.jpg")
    options = ("--engine", "onnx", "--model", exported("pix2pix"), "--output", "out", "--format", "png")
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    subprocess.run([environment / "bin/colorize", "old.jpg", *options], cwd=tmp_path, env=env, check=True)
    expected = colorize(load("pix2pix"), Image.open(tmp_path / "old.jpg"))
    assert levels_apart(expected, Image.open(tmp_path / "out/pix2pix/old.png")).max() <= 1
