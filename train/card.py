"""A model's card and metrics, rendered from the files that training and evaluation left.

`python -m train.card DIR... --evaluation evaluation.json --training-data FILE.md`
"""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from colorization.zoo import EMBEDDED, ZOO, load
from train.evaluate import GRAY, TRUTH, table
from train.record import RECORD, SHEET, earlier_stages

TEMPLATE = Path(__file__).resolve().parent.parent / "hub_card.md"
_METRICS = {
    "psnr_mean": ("psnr", "PSNR (dB)"),
    "ssim_mean": ("ssim", "SSIM"),
    "delta_e": ("delta_e_2000", "delta E 2000"),
}
_SUMMARIES = {
    "pix2pix": "Round 1: a U-Net of plain convolutions and transposed convolutions, against a PatchGAN, with L1.",
    "cwgan": "Round 2: a U-Net of residual blocks, trained against a Wasserstein critic with gradient penalty, and L1.",
    "unet": "Round 3: a U-Net with 5x5 convolutions on the way down, trained with L1 and a VGG19 perceptual loss.",
}


@dataclass(frozen=True)
class Options:
    """Write README.md and metrics.json into trained models' folders."""

    folders: tyro.conf.Positional[list[Path]]
    """Folders with config.json, model.safetensors and training.json."""
    evaluation: Path
    """The JSON file of `python -m train.evaluate` in which these models were measured."""
    training_data: Path
    """Markdown that says truthfully what the training photographs are, and under which licences."""
    repo_id: str | None = None
    """Hub repository that the card is for; without it the card speaks of the model by its name."""


def write_card(folder: Path, options: Options) -> ModelCard:
    """Render one card and its metrics.

    Args:
        folder: A trained model.
        options: The command line.

    Returns:
        The card, as written to `folder/README.md`.

    Raises:
        ValueError: If the folder holds no trained model, or the evaluation did not measure it.
    """
    model = load(folder)
    stages = earlier_stages(folder)
    if not stages:
        raise ValueError(
            f"{folder} has no {RECORD}: a card tells how a model was trained, so train it with this trainer"
        )
    metrics = _metrics(folder, json.loads(options.evaluation.read_text(encoding="utf-8")))
    card = ModelCard.from_template(
        _card_data(model.name, stages, metrics),
        template_path=str(TEMPLATE),
        title=ZOO[model.name].title,
        name=model.name,
        summary=_SUMMARIES[model.name],
        working_size=model.working_size,
        parameters=f"{sum(p.numel() for p in model.parameters()):,}",
        source=options.repo_id or model.name,
        repo_id=options.repo_id,
        results_table=table({"rows": {GRAY: metrics[GRAY], model.name: metrics["model"], TRUTH: metrics[TRUTH]}}),
        photographs=metrics["photographs"],
        less_colourful=metrics["less_colourful"],
        evaluation_dataset=metrics["dataset"],
        evaluation_split=metrics["split"],
        protocol=metrics["protocol"],
        stages=stages,
        training_data=options.training_data.read_text(encoding="utf-8").strip(),
        has_samples=(folder / SHEET).is_file(),
    )
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    card.save(folder / "README.md")
    return card


def _metrics(folder: Path, evaluation: dict[str, Any]) -> dict[str, Any]:
    """The part of an evaluation that is about one model."""
    rows = evaluation["rows"]
    for source in rows:
        place = EMBEDDED / source if source in ZOO else Path(source)
        if source not in (GRAY, TRUTH) and place.resolve() == folder.resolve():
            facts = ("protocol", "dataset", "split", "photographs", "less_colourful")
            return {k: evaluation[k] for k in facts} | {GRAY: rows[GRAY], "model": rows[source], TRUTH: rows[TRUTH]}
    raise ValueError(f"the evaluation measured {', '.join(rows)}, but not {folder}: evaluate it first")


def _card_data(name: str, stages: list[dict[str, Any]], metrics: dict[str, Any]) -> ModelCardData:
    """The front matter, with the gray row beside every result."""
    results = []
    for row, label in (("model", ""), (GRAY, ", gray copy of the input")):
        results += [
            EvalResult(
                task_type="image-to-image",
                dataset_type=Path(metrics["dataset"]).name,
                dataset_name=Path(metrics["dataset"]).name,
                dataset_split=metrics["split"],
                metric_type=metric,
                metric_name=title + label,
                metric_value=metrics[row][key],
            )
            for key, (metric, title) in _METRICS.items()
        ]
    hub_ids = sorted({s["dataset"] for s in stages if re.fullmatch(r"[\w-]+/[\w.-]+", s["dataset"])})
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
    options = tyro.cli(Options, prog="python -m train.card")
    try:
        for folder in options.folders:
            write_card(folder, options)
            print(f"{folder}/README.md and {folder}/metrics.json written")
    except (ValueError, OSError) as error:
        sys.exit(f"train.card: {error}")


if __name__ == "__main__":
    main()
