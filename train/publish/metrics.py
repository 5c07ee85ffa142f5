"""Metrics of a model for its card: out of evaluations, or its own metrics.json."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from train.publish.public import public_name
from train.record import weights_hash
from train.tables import GRAY, TRUTH

_FACTS = ("protocol", "split", "photographs", "less_colorful")
_OPTIONAL = ("dataset_config", "dataset_revision", "dataset_on_hub", "validation_share")


def metrics_of(folder: Path, evaluations: Sequence[Path] = ()) -> dict[str, Any]:
    """What was measured of one model: out of evaluations, or else its own metrics.json.

    Args:
        folder: The model.
        evaluations: Files of `train.evaluate`. The first is the model's own; what others say is under "further".

    Raises:
        ValueError: If it was not measured.
    """
    if not evaluations:
        file = folder / "metrics.json"
        if not file.is_file():
            raise ValueError(
                f"{folder} was not measured: run `python -m train.evaluate --model {folder} --dataset SPEC --output "
                "evaluation.json`, then give --evaluation evaluation.json"
            )
        metrics = json.loads(file.read_text(encoding="utf-8"))
        return metrics | {"dataset": _public_dataset(metrics)}
    metrics, *further = (_measured(folder, evaluation) for evaluation in evaluations)
    return metrics | ({"further": further} if further else {})


def _measured(folder: Path, evaluation: Path) -> dict[str, Any]:
    """What one evaluation says of a model, and of the gray copies beside it."""
    result = _read_evaluation(evaluation)
    rows, hashes = result["rows"], result["weights_sha256"]
    own = weights_hash(folder)
    row = next((row for row, measured in hashes.items() if measured == own), None)
    if row is None:
        raise ValueError(
            f"{evaluation} measured {', '.join(hashes)}, but not the weights in {folder}: evaluate it first"
        )
    if result.get("strengths", {}).get(row, 1) != 1:
        raise ValueError(
            f"{evaluation} measured {row} with its colors times {result['strengths'][row]:g}, and a card is about them "
            "as they are: evaluate it without --strength and --at-colorfulness"
        )
    return (
        {key: result[key] for key in _FACTS}
        | {"dataset": _public_dataset(result), "weights_sha256": own}
        | {key: result[key] for key in _OPTIONAL if result.get(key)}
        | {GRAY: rows[GRAY], "model": rows[row], TRUTH: rows[TRUTH]}
        | {"above_gray": result["differences"][f"{row} - {GRAY}"]}
    )


def _public_dataset(result: dict[str, Any]) -> str:
    """The name of the data set that was measured on, as others may know it."""
    return public_name(result["dataset"], [result["dataset"]] if result.get("dataset_on_hub") else [])


def _read_evaluation(file: Path) -> dict[str, Any]:
    """What `train.evaluate` wrote.

    Raises:
        ValueError: If the file is not of that kind, or was written before there were differences.
    """
    try:
        result = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file} is no JSON: {error}") from error
    needed = {*_FACTS, "dataset", "weights_sha256", "rows", "differences"}
    if missing := sorted(needed - set(result if isinstance(result, dict) else ())):
        raise ValueError(f"{file} lacks {', '.join(missing)}: write it anew with `python -m train.evaluate`")
    return result
