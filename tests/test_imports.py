"""Imports only go down, and users pay only for what they use."""

import ast
import graphlib
import subprocess
import sys

import pytest
from conftest import NAMES, ROOT

# What each part of the project may import of the others. `train/data` is below the other parts of the trainer: the
# evaluation and the preparation read through it. `publish.push` is the only Hub writing, so preparation uses it too.
MAY_IMPORT = {
    "colorization": (),
    "colorization.__main__": ("colorization",),
    "page": ("colorization", "page"),
    "page.language": ("colorization.sentence",),
    "page.workers": ("colorization",),  # processes of their own, which know nothing of the page
    "page.guard": ("colorization", "page.gradio_internals", "page.language", "page.options"),
    "page.viewer": (
        *("colorization", "page.coloring", "page.component", "page.gradio_internals", "page.language"),
        *("page.photograph", "page.pictures"),
    ),
    "page.player": ("page.component", "page.pictures"),
    "page.results": ("colorization", "page.coloring", "page.component", "page.photograph", "page.pictures"),
    "page.tabs": ("colorization", "page"),
    "app": ("colorization", "page"),
    "train.data": ("colorization", "train.parent"),
    "train.recipes": ("colorization", "train.batch", "train.bounds"),
    "train.prepare": ("colorization", "train.data", "train.publish.push"),
    "train.evaluate": ("colorization", "train.data", "train.record", "train.tables"),
    "train.publish": ("colorization", "train.record", "train.tables", "train.curves"),
    "train": ("colorization", "train"),
    "benchmarks": ("colorization", "train", "page"),
}
ONLY_IN = {  # heavy packages, and the parts that may import them
    "gradio": ("app", "page"),
    "accelerate": ("train", "benchmarks", "colorization.__main__"),
    "datasets": ("train.data", "train.prepare"),
}
OURS = ("app", "page", "train", "colorization", "benchmarks")
FILES = [
    file
    for folder in OURS
    for file in ([ROOT / "app.py"] if folder == "app" else sorted((ROOT / folder).rglob("*.py")))
]


def module_of(file):
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


MODULES = set(map(module_of, FILES))


def part_of(module):
    """The longest name in MAY_IMPORT that a module lies in."""
    return max((part for part in MAY_IMPORT if module == part or module.startswith(f"{part}.")), key=len)


def imported(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            for name in (f"{node.module}.{alias.name}" for alias in node.names):
                yield name if name in MODULES else node.module


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_imports_only_go_down(file):
    part = part_of(module_of(file))
    for module in imported(file):
        if module.split(".")[0] in OURS:
            own = module == part or module.startswith(f"{part}.")
            allowed = any(module == other or module.startswith(f"{other}.") for other in MAY_IMPORT[part])
            assert own or allowed, f"{module_of(file)} imports {module}"
        if parts := ONLY_IN.get(module.split(".")[0]):
            assert part.startswith(parts), f"{module_of(file)} imports {module}, which belongs in {', '.join(parts)}"


@pytest.mark.parametrize("whole", [True, False], ids=["folders", "modules"])
def test_there_are_no_import_circles(whole):
    """Neither among modules, nor among the parts of a package: its modules and its folders as wholes."""
    graph = {}
    for file in FILES:
        for module in imported(file):
            if module.split(".")[0] in OURS and module != module_of(file):
                parts = [".".join(name.split(".")[:2]) if whole else name for name in (module_of(file), module)]
                if parts[0] != parts[1]:
                    graph.setdefault(parts[0], set()).add(parts[1])
    graphlib.TopologicalSorter(graph).prepare()


def test_models_do_not_import_each_other():
    models = {f"colorization.models.{name}" for name in NAMES}
    for name in models:
        others = models & set(imported(ROOT / f"{name.replace('.', '/')}.py")) - {name}
        assert not others, (name, others)


def test_importing_the_package_loads_no_page_no_trainer_and_no_scikit_image():
    code = "import sys, colorization; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"gradio", "accelerate", "datasets", "skimage", "train"} & set(loaded)
