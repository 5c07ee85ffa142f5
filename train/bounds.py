"""Bounds of numeric options: stated beside each option, checked in one place."""

import math
from dataclasses import field, fields
from typing import Any

_BOUNDS = "bounds"


def bounded(default: Any, low: float = -math.inf, high: float = math.inf) -> Any:
    """A dataclass field for a number from `low` to `high`, both allowed; a default of None stands for no number."""
    return field(default=default, metadata={_BOUNDS: (low, high)})


def check_bounds(options: Any, prefix: str = "") -> None:
    """Refuse numbers outside their bounds.

    Args:
        options: A dataclass, some of whose fields are `bounded`.
        prefix: What stands before the names on the command line, as "unet.".

    Raises:
        ValueError: If a number is NaN or out of its bounds; the message names the option and what is expected.
    """
    for option in fields(options):
        value = getattr(options, option.name)
        if _BOUNDS not in option.metadata or value is None:
            continue
        low, high = option.metadata[_BOUNDS]
        if not low <= value <= high or math.isinf(value):
            expected = f"{low:g} or more" if math.isinf(high) else f"{low:g} to {high:g}"
            raise ValueError(f"--{prefix}{option.name.replace('_', '-')} is {value}, expected {expected}")
