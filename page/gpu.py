"""ZeroGPU: a GPU lent to each call of a function, on Spaces that have it. Import this before torch."""

import os
from collections.abc import Callable
from typing import Any

ZERO_GPU = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
if ZERO_GPU:
    import spaces  # only there, and before torch: it stands between torch and the GPU


def with_gpu(function: Callable[..., Any]) -> Callable[..., Any]:
    """On a ZeroGPU Space, lend a GPU to each call of a function; elsewhere leave it as it is."""
    return spaces.GPU(duration=30)(function) if ZERO_GPU else function
