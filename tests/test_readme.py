"""What README and docs say is so: front matter, tree, links, and every command's program and options."""

import functools
import json
import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import version

import pytest
import yaml
from conftest import NAMES, ROOT

from colorization.sources import EMBEDDED
from dev import code_tree
from train.tables import GRAY, TRUTH, means_table

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in PAGES}
PROGRAMS = {"colorize": ("-m", "colorization")}
NOT_OURS = ("bash", "call", "curl", "data", "file", "hf", "make", "pip", "pre-commit", "pytest", "source")


def test_front_matter_is_a_spaces():
    front = yaml.safe_load(TEXTS["README.md"].split("---")[1])
    assert front["sdk"] == "gradio" and front["app_file"] == "app.py" and front["license"] == "apache-2.0"
    assert str(front["sdk_version"]) == version("gradio")  # which test_package.py compares with the pin
    assert len(front["short_description"]) <= 60
    assert {"title", "emoji", "colorFrom", "colorTo", "tags"} <= front.keys()
    assert front["suggested_hardware"] == "zero-a10g"
    assert front["python_version"] in ("3.12.12", "3.10.13"), "ZeroGPU has no other Python"


def test_the_results_are_those_of_the_embedded_weights():
    metrics = {name: json.loads((EMBEDDED / name / "metrics.json").read_text(encoding="utf-8")) for name in NAMES}
    rows = {GRAY: metrics["unet"][GRAY]} | {name: metrics[name]["model"] for name in NAMES}
    expected = means_table({"rows": rows | {TRUTH: metrics["unet"][TRUTH]}})
    assert expected in TEXTS["README.md"], f"the README's table should be\n{expected}"


def test_the_tree_of_the_code_is_true():
    text = TEXTS["docs/CODE.md"]
    assert code_tree.rendered(text) == text, "`make docs` writes it anew"
    assert not re.findall(r"^ *- `[^`]+\.\w+`: *$", text, flags=re.M), "these files do not say what they are for"


def anchors(text):
    """What GitHub and the Hub make of headings."""
    return {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, re.M)}


def test_the_files_of_the_architecture_are_there():
    files = [f"/{file.relative_to(ROOT).as_posix()}" for file in ROOT.rglob("*.py")]
    named = set(re.findall(r"[\w/]*\w\.py\b", TEXTS["docs/ARCHITECTURE.md"])) - {"train/recipes/NAME.py"}
    assert len(named) > 30 and not [name for name in named if not any(file.endswith(f"/{name}") for file in files)]


@pytest.mark.parametrize("page", TEXTS)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXTS[page]):
        if not target.startswith(("http://", "https://")):
            path, _, anchor = target.partition("#")
            file = (ROOT / page).parent / path if path else ROOT / page
            assert file.exists(), f"{page} links to {target}"
            assert not anchor or anchor in anchors(file.read_text(encoding="utf-8")), f"{page} links to {target}"


def test_the_lines_of_the_api_run(server, photograph, tmp_path):
    photograph.resize((160, 107)).save(tmp_path / "old.jpg")
    text = TEXTS["docs/PAGE.md"].replace("http://127.0.0.1:7860", server.rstrip("/"))
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S)
    code = next(block for block in blocks if "gradio_client" in block) + "\nprint(unet)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip().endswith(".png"), done.stderr
    for block in re.findall(r"^```sh\n(file=.*?)^```", text, flags=re.M | re.S):
        done = subprocess.run(["bash", "-ec", block], cwd=tmp_path, capture_output=True, text=True)
        assert "event: complete" in done.stdout and "unet" in done.stdout, done.stdout + done.stderr


def commands(text):
    """The commands of a page: lines of its shell blocks, and what begins as one in running text."""
    for block in re.findall(r"^```sh\n(.*?)^```", text, flags=re.M | re.S):
        for line in block.replace("\\\n", " ").splitlines():
            yield from filter(None, re.split(r" && |^#.*", line))
    for span in re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)):
        if re.match(r"(\w+=\S+ )*(python -m|python app\.py|accelerate launch|colorize) ", span):
            yield re.sub(r"\s+", " ", span)


def split(command):
    """A command of ours as the arguments of Python that start the same program, and its options; None for others."""
    words = [word for word in shlex.split(command, comments=True) if not re.match(r"[A-Z_]+=", word)]
    if (
        not words
        or words[0].split("=")[0] in NOT_OURS
        or "/bin/" in words[0]
        or words[:3] in (["python", "-m", "venv"], ["python", "-m", "pip"])
    ):
        return None
    if words[0] == "sbatch":
        program, rest = ("-m", "train"), words[words.index("recipes/slurm.sbatch") + 1 :]
    elif words[:2] == ["accelerate", "launch"] and "train" in words:
        program, rest = ("-m", "train"), words[words.index("train") + 1 :]
    elif words[0] == "python" and words[1] == "-m":
        program, rest = ("-m", words[2]), words[3:]
    elif words[0] == "python":
        program, rest = (words[1],), words[2:]
    else:
        program, rest = PROGRAMS.get(words[0]), words[1:]
    return program, {word.split("=")[0] for word in rest if word.startswith("--")}


@functools.cache
def known(program):
    """The options that a program's help names."""
    env = os.environ | {"COLUMNS": "200", "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
    done = subprocess.run([sys.executable, *program, "--help"], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {option.replace("_", "-") for option in re.findall(r"(?<![\w-])--[\w.-]+\w", done.stdout)}


# The page of measurements names every benchmark, each of which is started.
@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.slow) if "EVALUATION" in page else page for page in TEXTS]
)
def test_commands_are_of_programs_and_options_that_exist(page):
    for command in commands(TEXTS[page]):
        if parts := split(command):
            program, options = parts
            assert program, f"{page}: {command!r} starts nothing that is known"
            missing = {option for option in options if option.replace("_", "-") not in known(program)}
            assert not missing, f"{page}: {command!r} has no {', '.join(missing)}"


@pytest.mark.parametrize("page", TEXTS)
def test_options_in_running_text_exist(page):
    """Of one of the programs that a page may name; accelerate's launcher is one."""
    text = re.sub(r"^```.*?^```", "", TEXTS[page], flags=re.M | re.S)
    given = {word.split("=")[0] for span in re.findall(r"`(--[^`]+)`", text) for word in span.split()}
    given = {option.replace("_", "-") for option in given if option.startswith("--")}
    modules = (
        "train",
        "accelerate.commands.launch",
        "colorization",
        "colorization.export",
        "train.evaluate",
        "benchmarks.overlap",
        "train.prepare",
        "train.publish",
    )
    for program in [("app.py",), *(("-m", module) for module in modules)]:
        given -= known(program) if given else set()
    assert not sorted(given)
