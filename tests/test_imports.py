"""Imports only go down, and users pay only for what they use."""

import ast
import subprocess
import sys

from conftest import ROOT

FLOORS = {
    "lab": 0, "decode": 0, "metrics": 0, "contact_sheet": 0, "hub": 0, "examples": 0,
    "colorizer": 1,
    "models": 2,
    "zoo": 3, "inference": 3,
    "compare": 4, "serve": 4,
    "describe": 5,
    "__main__": 6,
}  # fmt: skip


def imported(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            yield node.module


def test_imports_of_the_package_only_go_down():
    for file in (ROOT / "colorization").rglob("*.py"):
        own = file.relative_to(ROOT / "colorization").with_suffix("").parts[0]
        for module in imported(file):
            assert not module.startswith(("train", "app", "page", "gradio", "accelerate", "datasets")), (file, module)
            below = module.split(".")[1] if module.startswith("colorization.") else None
            if below and own not in ("__init__", below):
                assert FLOORS[below] < FLOORS[own], f"{file} imports {module} from its own floor or above"


def test_models_do_not_import_each_other():
    for file in (ROOT / "colorization/models").glob("[!_]*.py"):
        others = [
            m
            for m in imported(file)
            if m.startswith("colorization.models.") and not m.endswith((".blocks", ".efficientnet_lite"))
        ]
        assert not others, (file, others)


def test_the_app_and_the_trainer_do_not_know_each_other():
    for file in (ROOT / "app.py", *(ROOT / "page").glob("*.py")):
        assert not [m for m in imported(file) if m.startswith("train")], file
    for file in (ROOT / "train").rglob("*.py"):
        modules = list(imported(file))
        assert not [m for m in modules if m.split(".")[0] in ("app", "page", "gradio")], file
        assert file.name in ("data.py", "stream.py") or "datasets" not in modules, file


def test_importing_the_package_loads_no_page_no_trainer_and_no_scikit_image():
    code = "import sys, colorization; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"gradio", "accelerate", "datasets", "skimage", "train"} & set(loaded)


def test_every_file_is_one_room():
    for folder in ("colorization", "train", "page"):
        for file in (ROOT / folder).rglob("*.py"):
            assert len(file.read_text().splitlines()) <= 250, file
