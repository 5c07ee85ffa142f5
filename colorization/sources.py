"""Sources of models: the names inside this package, folders, and repositories of the Hub."""

import os
from collections.abc import Sequence
from pathlib import Path

NAMES = ("pix2pix", "cwgan", "unet")  # of the models inside this package
EMBEDDED = Path(__file__).parent / "checkpoints"
FILES = ("config.json", "model.safetensors")
RECORDS = ("metrics.json", "training.json", "curves.png")  # beside them, what the Models tab tells


class LoadError(ValueError):
    """A model could not be loaded; the message says what came and what to do."""


def locate(
    source: str | Path, revision: str | None = None, files: Sequence[str] = FILES, wanted: Sequence[str] = RECORDS
) -> Path:
    """Find the folder of a model's files; those of the Hub are brought into its cache.

    Args:
        source: One of `NAMES`, a folder, or a Hub repository id ("namespace/name").
        revision: Branch, tag or commit of a Hub repository.
        files: What a Hub repository must have; of a folder they are not looked for.
        wanted: What is brought from the Hub if it is there.

    Raises:
        LoadError: If there is no such model, or the Hub does not give it.
    """
    folder = EMBEDDED / str(source) if str(source) in NAMES else Path(source)
    if os.path.isdir(folder):  # noqa: PTH112  # Path's raises for a name that is too long
        return folder
    from huggingface_hub.errors import HFValidationError

    from colorization import hub

    try:
        return hub.fetch(str(source), revision, files, wanted)
    except HFValidationError as error:
        raise LoadError(
            f"{source!s} is neither a model name ({', '.join(NAMES)}), nor a folder, nor a Hub repository id"
        ) from error
    except hub.ERRORS as error:
        name = f"{source!s}@{revision}" if revision else str(source)
        raise LoadError(f"the Hub did not give {name}: {hub.explain(error)}") from error
