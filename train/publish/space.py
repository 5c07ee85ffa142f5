"""The page as a Hugging Face Space: this repository's page and library, nothing else."""

import shutil
import tempfile
from pathlib import Path

from huggingface_hub import HfApi, RepoCard

from colorization.hub import ERRORS, explain, repo_id
from colorization.zoo import ZOO
from train.publish.public import ROOT
from train.publish.push import PushError, push

FILES = ("app.py", "requirements.txt", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md")
FOLDERS = ("colorization", "page", "docs", "dev")  # the last two, as the README links to them
MAX_PLAIN_BYTES = 10_000_000  # what a Space takes as a plain file


def publish_space(space: str, namespace: str | None, prefix: str, private: bool) -> str:
    """Push the page as it stands, with only the files that it needs.

    Args:
        space: "namespace/name" of the Space.
        namespace: Where the models are that it pulls; without it, it keeps the embedded ones.
        prefix: First part of their repositories' names.
        private: Make a new Space private.

    Returns:
        "namespace/name@commit".

    Raises:
        ValueError: If a file is too large for a Space.
        PushError: If the Hub does not take it.
    """
    with tempfile.TemporaryDirectory() as temporary:
        stage = Path(temporary)
        for file in FILES:
            shutil.copy(ROOT / file, stage)
        for name in FOLDERS:
            shutil.copytree(ROOT / name, stage / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        if namespace:
            card = RepoCard.load(stage / "README.md")
            card.data["models"] = [repo_id(namespace, name, prefix) for name in ZOO]
            card.save(stage / "README.md")
        large = [file.name for file in stage.rglob("*") if file.stat().st_size > MAX_PLAIN_BYTES]
        if large:
            raise ValueError(f"{', '.join(large)}: over 10 MB, which a Space does not take; embed smaller checkpoints")
        commit = push(space, stage, message="The page", repo_type="space", private=private)
    if namespace:
        settings = {"COLORIZATION_HUB_NAMESPACE": namespace, "COLORIZATION_HUB_PREFIX": prefix}
        try:
            for key, value in settings.items():
                HfApi().add_space_variable(space, key, value)
        except ERRORS as error:
            raise PushError(
                f"{space} is there, but its variable {key} could not be set to {value}: {explain(error)}; "
                "set it in its settings, or publish again"
            ) from error
    return f"{space}@{commit}"
