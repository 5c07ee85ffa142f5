"""Color for black-and-white landscape photographs."""

from colorization.inference import colorize
from colorization.zoo import ZOO, load

__version__ = "0.2.0"
__all__ = ["ZOO", "colorize", "load"]
