"""A model's card and metrics, rendered from the files that training and evaluation left.

`python -m train.publish.card DIR... --evaluation evaluation.json --training-data FILE.md`
"""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from colorization.zoo import ZOO, load
from train.record import CURVES, RECORD, SHEET, earlier_stages, weights_hash
from train.tables import GRAY, TRUTH, difference_table, table

TEMPLATE = Path(__file__).resolve().parents[2] / "hub_card.md"
HUB_ID = r"[\w.-]+/[\w.-]+"
_FACTS = ("protocol", "split", "photographs", "less_colorful")
_METRICS = {
    "psnr_mean": ("psnr", "PSNR (dB)"),
    "ssim_mean": ("ssim", "SSIM"),
    "delta_e": ("delta_e_2000", "delta E 2000"),
}
_SUMMARIES = {
    "pix2pix": "Round 1: a U-Net of plain convolutions and transposed convolutions, against a PatchGAN, with L1.",
    "cwgan": "Round 2: a U-Net of residual blocks, trained against a Wasserstein critic with gradient penalty, and L1.",
    "unet": "Round 3: a U-Net whose encoder is EfficientNet-Lite0 (3x3 and 5x5 convolutions, begun with ImageNet's "
    "weights), trained with L1 and a VGG19 perceptual loss.",
}


@dataclass(frozen=True)
class CardOptions:
    """Write README.md and metrics.json into trained models' folders."""

    folders: tyro.conf.Positional[list[Path]]
    """Folders with config.json, model.safetensors and training.json."""
    evaluation: Path
    """The JSON file of `python -m train.evaluate` in which these models were measured."""
    training_data: Path | None = None
    """Markdown that says truthfully what the training photographs are, and under which licenses."""


def write_card(
    folder: Path,
    metrics: dict[str, Any],
    *,
    training_data: str | None = None,
    repo_id: str | None = None,
    space: str | None = None,
) -> ModelCard:
    """Render a model's card and its metrics.

    Args:
        folder: A trained model; `README.md` and `metrics.json` are written into it.
        metrics: From `metrics_of`.
        training_data: Markdown about the training photographs; without it the card says what the record says.
        repo_id: Hub repository that the card is for; without it the card speaks of the model by its name.
        space: Hub Space ("namespace/name") that holds the code.

    Returns:
        The card, as written.

    Raises:
        ValueError: If the folder holds no trained model, or not the weights that were measured.
    """
    model = load(folder)
    stages = earlier_stages(folder)
    if not stages:
        raise ValueError(
            f"{folder} has no {RECORD}: a card tells how a model was trained, so train it with this trainer"
        )
    if metrics["weights_sha256"] != weights_hash(folder):
        raise ValueError(f"{folder} holds other weights than those that were measured: evaluate it again")
    card = ModelCard.from_template(
        _card_data(model.name, stages, metrics),
        template_path=str(TEMPLATE),
        title=ZOO[model.name].title,
        name=model.name,
        summary=_SUMMARIES[model.name],
        working_size=model.working_size,
        parameters=f"{sum(p.numel() for p in model.parameters()):,}",
        source=repo_id or model.name,
        repo_id=repo_id,
        space=space,
        results_table=table({"rows": {GRAY: metrics[GRAY], model.name: metrics["model"], TRUTH: metrics[TRUTH]}}),
        differences_table=difference_table({"differences": {f"{model.name} - {GRAY}": metrics["above_gray"]}})
        if "above_gray" in metrics
        else None,
        metrics=metrics,
        stages=stages,
        datasets=sorted({_public_name(stage["dataset"]) for stage in stages}),
        training_data=training_data.strip() if training_data else None,
        has_samples=(folder / SHEET).is_file(),
        has_curves=(folder / CURVES).is_file(),
    )
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    card.save(folder / "README.md")
    return card


def metrics_of(folder: Path, evaluation: Path | None = None) -> dict[str, Any]:
    """What was measured of one model: out of an evaluation, or else its own metrics.json.

    Raises:
        ValueError: If it was not measured.
    """
    if evaluation is None:
        file = folder / "metrics.json"
        if not file.is_file():
            raise ValueError(
                f"{folder} was not measured: run `python -m train.evaluate --model {folder} --dataset SPEC --output "
                "evaluation.json`, then give --evaluation evaluation.json"
            )
        metrics = json.loads(file.read_text(encoding="utf-8"))
        return metrics | {"dataset": _public_name(metrics["dataset"])}
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
        | {"dataset": _public_name(result["dataset"]), "weights_sha256": own}
        | {GRAY: rows[GRAY], "model": rows[row], TRUTH: rows[TRUTH]}
        | {"above_gray": result["differences"][f"{row} - {GRAY}"]}
    )


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


def _public_name(dataset: str) -> str:
    """A data set's Hub id; of a local one only the folder's or file's name."""
    return dataset if re.fullmatch(HUB_ID, dataset) and not Path(dataset).exists() else Path(dataset).name


def _card_data(name: str, stages: list[dict[str, Any]], metrics: dict[str, Any]) -> ModelCardData:
    """The front matter, with the gray row beside every result."""
    results = []
    for row, label in (("model", ""), (GRAY, ", gray copy of the input")):
        results += [
            EvalResult(
                task_type="image-to-image",
                dataset_type=metrics["dataset"],
                dataset_name=metrics["dataset"],
                dataset_split=metrics["split"],
                metric_type=metric,
                metric_name=title + label,
                metric_value=metrics[row][key],
            )
            for key, (metric, title) in _METRICS.items()
        ]
    hub_ids = sorted({dataset for dataset in (_public_name(stage["dataset"]) for stage in stages) if "/" in dataset})
    return ModelCardData(
        library_name="landscape-colorization",
        pipeline_tag="image-to-image",
        license="apache-2.0",
        tags=["image-colorization", "landscape", "model_hub_mixin", "pytorch_model_hub_mixin"],
        datasets=hub_ids or None,
        metrics=["psnr", "ssim"],
        model_name=f"landscape-colorization-{name}",
        eval_results=results,
    )


def main() -> None:
    """Write the cards that the command line asks for."""
    options = tyro.cli(CardOptions, prog="python -m train.publish.card")
    try:
        training_data = options.training_data.read_text(encoding="utf-8") if options.training_data else None
        for folder in options.folders:
            write_card(folder, metrics_of(folder, options.evaluation), training_data=training_data)
            print(f"{folder}/README.md and {folder}/metrics.json written")
    except (ValueError, OSError) as error:
        sys.exit(f"train.publish.card: {error}")


if __name__ == "__main__":
    main()
