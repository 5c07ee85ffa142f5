"""Public names: a record as it may be published, without paths of the machine that it was made on."""

import re
import shlex
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from huggingface_hub import constants

ROOT = Path(__file__).resolve().parents[2]
_REPO_ID = r"[\w.-]+/[\w.-]+"
_URLS = ("Source", "Repository", "Homepage")  # of pyproject.toml, the best first


def public_name(name: str, hub_ids: Collection[str]) -> str:
    """A model, data set or file as others may know it: a Hub id or URL as it is, of a path only its last part.

    Args:
        name: Any name in a record.
        hub_ids: Those of the names that are Hub repositories, as the record says.
    """
    if name in hub_ids or "://" in name or not re.search(r"[/\\]", name):
        return name
    return re.split(r"[/\\]", name.rstrip("/\\"))[-1] or "..."


def public_command(command: str, hub_ids: Collection[str]) -> str:
    """A command line with its paths shortened, also those in `--option=PATH`; see `public_name`."""
    words = []
    for word in shlex.split(command):
        option, equals, value = word.partition("=") if word.startswith("-") else ("", "", word)
        words.append(option + equals + public_name(value, hub_ids))
    return shlex.join(words)


def public_stage(stage: dict[str, Any]) -> dict[str, Any]:
    """One stage of a record with its paths shortened."""
    hub_ids = stage.get("hub_ids", ())

    def shortened(value: Any) -> Any:
        if isinstance(value, str):
            return public_name(value, hub_ids)
        if isinstance(value, list | tuple):
            return [shortened(item) for item in value]
        if isinstance(value, dict):
            return {key: shortened(item) for key, item in value.items()}
        return value

    return shortened(stage) | {"command": public_command(stage["command"], hub_ids)}


def is_repo_id(name: str) -> bool:
    """Whether a name has the form "namespace/name"."""
    return bool(re.fullmatch(_REPO_ID, name))


def code_url(code: str | None) -> str:
    """Where `pip install git+...` finds this project's code.

    Args:
        code: A Space ("namespace/name") or the URL of a git repository; None takes the project's own URL.

    Raises:
        ValueError: If it is neither, or nothing is given and the project states no URL.
    """
    if code is None:
        with (ROOT / "pyproject.toml").open("rb") as file:
            urls = tomllib.load(file)["project"].get("urls", {})
        code = next((urls[key] for key in _URLS if key in urls), None)
    if code is None:
        raise ValueError(
            "a model's card says where its code is, and pyproject.toml states no URL: name a Space (NAMESPACE/NAME) or "
            "the https:// URL of a git repository with --code"
        )
    if re.fullmatch(r"https?://[^\s@]+", code):
        return code
    if is_repo_id(code):
        return f"{constants.ENDPOINT}/spaces/{code}"
    raise ValueError(f"--code is {code}, expected a Space (NAMESPACE/NAME) or the https:// URL of a git repository")
