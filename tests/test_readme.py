"""What the README says is so."""

import re
from importlib.metadata import version

import yaml
from conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_front_matter_is_a_spaces():
    front = yaml.safe_load(README.split("---")[1])
    assert front["sdk"] == "gradio" and front["app_file"] == "app.py" and front["license"] == "apache-2.0"
    assert str(front["sdk_version"]) == version("gradio")  # which test_package.py compares with the pin
    assert len(front["short_description"]) <= 60
    assert {"title", "emoji", "colorFrom", "colorTo", "python_version", "tags"} <= front.keys()


def test_the_tree_of_the_code_is_true():
    text = (ROOT / "docs/CODE.md").read_text(encoding="utf-8")
    tree = re.search(r"```\n(app\.py.*?)```", text, flags=re.S).group(1)
    named, folders = set(), []
    for line in tree.splitlines():
        indent, entry, _clause = re.match(r"( *)(\S+) +(\S.*)", line).groups()
        folders = folders[: len(indent) // 2]
        named.add("/".join([*folders, entry.rstrip("/")]))
        if entry.endswith("/"):
            folders.append(entry.rstrip("/"))
    files = [
        str(file.relative_to(ROOT))
        for folder in ("colorization", "page", "train", "recipes", "benchmarks")
        for file in (ROOT / folder).rglob("*")
        if file.suffix in (".py", ".sh") and file.name != "__init__.py"
    ]
    assert not sorted(set(files) - named), "in the project, but not in docs/CODE.md: add each with a clause"
    assert not sorted(path for path in named if not (ROOT / path).exists()), "in docs/CODE.md, but not in the project"


def test_commands_in_the_readme_name_real_options():
    from train.config import TrainOptions

    options = {f"--{name.replace('_', '-')}" for name in TrainOptions.__dataclass_fields__}
    for command in re.findall(r"^accelerate launch.* train (.*?)(?<!\\)$", README, flags=re.M | re.S):
        given = {word for word in re.findall(r"--[\w-]+", command)}
        assert given <= options, given - options
