"""Runs of version 0.1 under today's names, so that they resume and their records are read. To be removed in 0.3."""

from typing import Any

from torch import Tensor

from colorization.colorizer import renamed

_OPTIONS = {"split": "train_split", "steps": "max_train_steps", "size": "resolution", "old_share": "degraded_share"}


def renamed_stage(stage: dict[str, Any]) -> dict[str, Any]:
    """A stage of a run's record."""
    return {key.replace("_left_out", "_skipped"): value for key, value in stage.items()}


def renamed_state(state: dict[str, Any]) -> dict[str, Any]:
    """What a checkpoint holds beside its tensors."""
    if "places" not in state:
        return state
    return {
        "identity": {_OPTIONS.get(key, key): value for key, value in state["identity"].items()},
        "stage": renamed_stage(state["stage"]),
        "lane_states": state["places"],
    }


def renamed_tensors(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """A checkpoint's tensors: only generators have changed their names."""
    generator = {key: value for key, value in tensors.items() if key.startswith(("network.colorizer.", "average."))}
    return {key: value for key, value in tensors.items() if key not in generator} | renamed(generator)
