"""The three models by name, and the one way to load one: from the package, a folder or the Hub."""

import json
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import constants, hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from safetensors import SafetensorError

from colorization.colorizer import Colorizer
from colorization.models import CWGAN, Pix2Pix, UNet

EMBEDDED = Path(__file__).parent / "checkpoints"


@dataclass(frozen=True)
class Entry:
    """One model: what people call it, its class, and the end of its repository's name."""

    title: str
    cls: type[Colorizer]
    repo_name: str


ZOO: dict[str, Entry] = {
    "pix2pix": Entry("pix2pix", Pix2Pix, "landscape-colorization-pix2pix"),
    "cwgan": Entry("CWGAN", CWGAN, "landscape-colorization-cwgan"),
    "unet": Entry("U-Net", UNet, "landscape-colorization-unet"),
}


class LoadError(ValueError):
    """A model could not be loaded; the message says what came and what to do."""


def load(source: str | Path, *, revision: str | None = None, device: str = "cpu") -> Colorizer:
    """Load a trained model, ready to use.

    Args:
        source: A name in `ZOO` (the checkpoint inside this package), a folder with `config.json` and
            `model.safetensors`, or a Hub repository id ("namespace/name").
        revision: Branch, tag or commit of a Hub repository.
        device: Where the weights go, "cpu" or "cuda".

    Returns:
        The colorizer in evaluation mode.

    Raises:
        LoadError: If there is no such model, or its files are not what they should be.
    """
    folder = EMBEDDED / str(source) if str(source) in ZOO else Path(source)
    location = str(folder) if folder.is_dir() else str(source)
    try:
        if folder.is_dir():
            config_file = folder / constants.CONFIG_NAME
        else:
            config_file = Path(hf_hub_download(location, constants.CONFIG_NAME, revision=revision))
        entry = _entry(json.loads(config_file.read_text(encoding="utf-8")), location)
        return entry.cls.from_pretrained(location, revision=revision, map_location=device, strict=True)
    except HFValidationError as error:
        raise LoadError(
            f"{source!s} is neither a model name ({', '.join(ZOO)}), nor a folder, nor a Hub repository id"
        ) from error
    except HfHubHTTPError as error:
        raise LoadError(f"the Hub did not give {location}: {str(error).strip().splitlines()[0]}") from error
    except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
        if isinstance(error, LoadError):
            raise
        raise LoadError(f"{location} does not hold a usable model: {error}") from error


def _entry(config: object, location: str) -> Entry:
    """Find the class that a config.json names."""
    name = config.get("model") if isinstance(config, dict) else None
    if name not in ZOO:
        raise LoadError(
            f'{location}/config.json says "model": {json.dumps(name)}, expected one of {", ".join(ZOO)}: '
            "was it saved by this project's trainer?"
        )
    return ZOO[str(name)]
