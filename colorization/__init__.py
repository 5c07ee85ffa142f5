"""Color for black-and-white landscape photographs."""

from colorization.inference import colorize
from colorization.zoo import ZOO, load

__all__ = ["ZOO", "colorize", "load"]
