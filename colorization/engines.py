"""Engines that run the models: torch, or ONNX Runtime, which does without torch."""

import contextlib
import hashlib
from pathlib import Path

from colorization.atomic import written
from colorization.inference import Network
from colorization.onnx.model import FILE, OnnxColorizer, read, require
from colorization.sources import FILES, NAMES, LoadError, locate

_ELSE = "or give --engine onnx a folder or a Hub repository with a model.onnx"


def load(source: str, engine: str = "torch", device: str = "cpu") -> Network:
    """Load a model for an engine.

    Args:
        source: A name in this package, a folder, or a Hub repository id.
        engine: "torch" or "onnx". For "onnx", folders and repositories have a `model.onnx`. The models of this package
            are converted, which takes torch and half a minute, and kept in the Hub client's cache for the next time.
        device: Of torch, "cpu" or "cuda".

    Raises:
        LoadError: If there is no such model, its files are not what they should be, or a library is not installed.
    """
    if engine == "onnx":
        require()
        if source in NAMES:
            return _embedded(source)
        return read(locate(source, files=(FILE,), wanted=()), source)
    try:
        from colorization import zoo
    except ModuleNotFoundError as error:
        raise LoadError(f"{error.name} is not installed: `pip install {error.name}`, {_ELSE}") from error
    return zoo.load(source, device=device)


def _embedded(name: str) -> OnnxColorizer:
    """A model of this package, converted unless an earlier call did so."""
    from huggingface_hub import cached_assets_path

    digest = hashlib.sha256(b"".join((locate(name) / file).read_bytes() for file in FILES)).hexdigest()
    folder = None
    with contextlib.suppress(LoadError, OSError, ValueError):  # missing or damaged, or no place for it
        folder = Path(cached_assets_path("landscape-colorization", "onnx", f"{name}-{digest[:16]}"))
        return read(folder, str(folder))
    try:
        from colorization import zoo
        from colorization.onnx.convert import convert
    except ModuleNotFoundError as error:
        raise LoadError(
            f"{name} is yet to be converted, and {error.name} is not installed: `pip install {error.name}`, {_ELSE}"
        ) from error
    data = convert(zoo.load(name))[0]
    if folder:
        # A cache that cannot be written costs the time of the next call.
        with contextlib.suppress(OSError), written(folder / FILE) as file:
            file.write_bytes(data)
    return OnnxColorizer(data, name)
