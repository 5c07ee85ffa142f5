"""Color for black-and-white landscape photographs."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from colorization.inference import colorize
    from colorization.zoo import ZOO, load

__version__ = "0.2.0"
__all__ = ["ZOO", "colorize", "load"]
_MODULES = {"ZOO": "zoo", "colorize": "inference", "load": "zoo"}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is: torch takes seconds, and `colorization.decode` does without."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
