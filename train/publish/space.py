"""The page as a Hugging Face Space, with the trainer beside it: whoever has the Space has the whole project."""

import shutil
import tempfile
from pathlib import Path

from huggingface_hub import HfApi, ModelCard, RepoCard, SpaceHardware, constants
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError

from colorization.hub import ERRORS, explain, repo_id
from colorization.zoo import ZOO
from train.publish.model import PublishOptions
from train.publish.public import ROOT
from train.publish.push import PushError, push

FILES = (
    *("app.py", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "hub_card.md", "pyproject.toml"),
    *("requirements.txt", "requirements-train.txt", "requirements-dev.txt", "requirements-onnx.txt"),
)
FOLDERS = ("benchmarks", "colorization", "dev", "docs", "page", "recipes", "tests", "train")
_THUMBNAIL = "docs/thumbnail.jpg"


def publish_space(target: PublishOptions) -> str:
    """Push this repository, without hidden files, as a Space.

    Args:
        target: Which Space, its hardware if it is new, and where the models are that it fetches; without a namespace
            it keeps the embedded ones.

    Returns:
        "namespace/name@commit".

    Raises:
        PushError: If the Hub does not take it.
    """
    assert target.space
    with tempfile.TemporaryDirectory() as temporary:
        stage = Path(temporary)
        for file in FILES:
            shutil.copy(ROOT / file, stage)
        for name in FOLDERS:
            shutil.copytree(ROOT / name, stage / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        _describe(stage / "README.md", target)
        pushed = push(
            target.space,
            stage,
            message="The page",
            repo_type="space",
            private=target.private,
            hardware=SpaceHardware(target.hardware),
            is_ours=lambda path: path.partition("/")[0] in FOLDERS,
        )
    if target.namespace:
        settings = {"COLORIZATION_HUB_NAMESPACE": target.namespace, "COLORIZATION_HUB_PREFIX": target.prefix}
        try:
            for key, value in settings.items():
                HfApi().add_space_variable(target.space, key, value)
        except ERRORS as error:
            raise PushError(
                f"{target.space} is there, but its variable {key} could not be set to {value}: {explain(error)}; "
                "set it in its settings, or publish again"
            ) from error
    return f"{target.space}@{pushed.commit}{pushed.others()}"


def _describe(readme: Path, target: PublishOptions) -> None:
    """Add to the front matter what only a published Space has: its picture, its models and their data sets."""
    card = RepoCard.load(readme)
    card.data["thumbnail"] = f"{constants.ENDPOINT}/spaces/{target.space}/resolve/main/{_THUMBNAIL}"
    models, public, datasets = _published(target.namespace, target.prefix) if target.namespace else ([], [], [])
    for key, names in (("models", models), ("datasets", datasets), ("preload_from_hub", public)):
        if names:
            card.data[key] = names
    card.save(readme)


def _published(namespace: str, prefix: str) -> tuple[list[str], list[str], list[str]]:
    """The models of a namespace that the Hub has, the public ones among them, and the data sets that their cards name.

    A Space may preload public models only.
    """
    models, public, datasets = [], [], set()
    for name in ZOO:
        model = repo_id(namespace, name, prefix)
        try:
            private = HfApi().model_info(model).private
            datasets |= set(ModelCard.load(model).data.datasets or ())
        except (RepositoryNotFoundError, EntryNotFoundError):
            continue
        except ERRORS as error:
            raise PushError(f"the Hub could not be asked for {model}: {explain(error)}; publish again") from error
        models.append(model)
        if not private:
            public.append(model)
    return models, public, sorted(datasets)
