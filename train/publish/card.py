"""Model cards: rendered from the record that training left and from an evaluation.

`python -m train.publish.card DIR... --evaluation evaluation.json --training-data FILE.md`
"""

import inspect
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from colorization.models import efficientnet_lite
from colorization.zoo import ZOO, load
from train.publish.metrics import metrics_of
from train.publish.public import ROOT, code_url, is_repo_id, public_stage
from train.publish.stages import has_imagenet_encoder, is_distilled, losses, start
from train.record import CURVES, RECORD, SHEET, earlier_stages, weights_hash
from train.tables import GRAY, TRUTH, difference_table, means_table

TEMPLATE = ROOT / "hub_card.md"
_METRICS = {
    "psnr_mean": ("psnr", "PSNR (dB)"),
    "ssim_mean": ("ssim", "SSIM"),
    "delta_e": ("delta_e_2000", "delta E 2000"),
    "lpips": ("lpips", "LPIPS (AlexNet)"),
}


@dataclass(frozen=True)
class CardOptions:
    """Write README.md and metrics.json into trained models' folders."""

    folders: tyro.conf.Positional[list[Path]]
    """Folders with config.json, model.safetensors and training.json."""
    evaluation: tuple[Path, ...]
    """JSON files of `python -m train.evaluate` in which these models were measured, one for each data set."""
    training_data: Path | None = None
    """Markdown that says truthfully what the training photographs are, and under which licenses."""
    code: str | None = None
    """Where the cards say that the code is: a Space (NAMESPACE/NAME) or the https:// URL of a git repository."""
    license: str | None = None
    """License of the weights, as the Hub calls it (apache-2.0, cc-by-4.0, ...); without it the cards state none."""


def write_card(
    folder: Path,
    metrics: dict[str, Any],
    *,
    training_data: str | None = None,
    repo_id: str | None = None,
    code: str | None = None,
    license: str | None = None,
) -> ModelCard:
    """Render a model's card and its metrics, and take paths of this machine out of its record.

    Args:
        folder: A trained model, or a copy of one; `README.md` and `metrics.json` are written into it, and
            `training.json` is rewritten as it may be published.
        metrics: From `metrics_of`.
        training_data: Markdown about the training photographs; without it the card says what the record says.
        repo_id: Hub repository that the card is for; without it the card calls the model by its name.
        code: Where the code is, see `code_url`; a card for the Hub must say so, one in this repository need not.
        license: Of the weights; without it the card states none, and says what is known of the data's.

    Returns:
        The card, as written.

    Raises:
        ValueError: If the folder holds no trained model, or not the weights that were measured, or a card for the Hub
            cannot say where the code is.
    """
    model = load(folder)
    stages = earlier_stages(folder)
    if not stages:
        raise ValueError(
            f"{folder} has no {RECORD}: a card tells how a model was trained, so train it with this trainer"
        )
    if metrics["weights_sha256"] != weights_hash(folder):
        raise ValueError(f"{folder} holds other weights than those that were measured: evaluate it again")
    url = code_url(code) if code or repo_id else None
    public_stages = [public_stage(stage) for stage in stages]
    shares = [share for stage in stages if (share := stage["options"].get("degraded_share"))]
    card = ModelCard.from_template(
        _card_data(model.name, public_stages, metrics, license),
        template_path=str(TEMPLATE),
        title=ZOO[model.name].title,
        titles=[entry.title for entry in ZOO.values()],
        name=model.name,
        summary=(inspect.getdoc(type(model)) or "").partition("\n")[0],
        distilled=any(map(is_distilled, stages)),
        working_size=model.working_size,
        parameters=f"{sum(p.numel() for p in model.parameters()):,}",
        source=repo_id or model.name,
        repo_id=repo_id,
        install=f"git+{url}" if url else ".   # in the root of the repository that this file is in",
        space=code if code and is_repo_id(code) else None,
        space_url=url,
        results=[_result(model.name, measured) for measured in (metrics, *metrics.get("further", ()))],
        protocol=metrics["protocol"],
        stages=[
            public
            | {"start": start(stages, number), "losses": losses(stages[number], number)}
            | {"options": {name: value for name, value in public["options"].items() if value not in (None, [], ())}}
            for number, public in enumerate(public_stages)
        ],
        datasets=sorted({stage["dataset"] for stage in public_stages}),
        training_data=training_data.strip() if training_data else None,
        license=license,
        data_licenses=data_licenses(public_stages),
        has_samples=(folder / SHEET).is_file(),
        has_curves=(folder / CURVES).is_file(),
        degraded=f"{shares[-1]:.0%}" if shares else None,
    )
    (folder / RECORD).write_text(json.dumps({"stages": public_stages}, indent=1) + "\n", encoding="utf-8")
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    card.save(folder / "README.md")
    return card


def _result(name: str, metrics: dict[str, Any]) -> dict[str, Any]:
    """The tables of one evaluation, and what they are of."""
    above_gray = {f"{name} - {GRAY}": metrics["above_gray"]} if "above_gray" in metrics else None
    return {key: metrics[key] for key in ("photographs", "dataset", "split", "less_colorful")} | {
        "held_out": bool(metrics.get("validation_share")),
        "table": means_table({"rows": {GRAY: metrics[GRAY], name: metrics["model"], TRUTH: metrics[TRUTH]}}),
        "differences": difference_table({"differences": above_gray}) if above_gray else None,
    }


def _card_data(name: str, stages: list[dict[str, Any]], metrics: dict[str, Any], license: str | None) -> ModelCardData:
    """The front matter; its results are this model's alone."""
    results = [
        EvalResult(
            task_type="image-to-image",
            dataset_type=measured["dataset"],
            dataset_name=measured["dataset"],
            dataset_config=measured.get("dataset_config"),
            dataset_revision=measured.get("dataset_revision"),
            dataset_split=measured["split"],
            metric_type=metric,
            metric_name=title,
            metric_value=measured["model"][key],
        )
        for measured in (metrics, *metrics.get("further", ()))
        for key, (metric, title) in _METRICS.items()
        if key in measured["model"]
    ]
    base_models = [efficientnet_lite.HUB_ID] if any(map(has_imagenet_encoder, stages)) else []
    begun_with = ("init_from", "init_share_of")
    base_models += [
        source for stage in stages for key in begun_with if (source := stage["options"].get(key)) in _on_hub(stage)
    ]
    return ModelCardData(
        library_name="landscape-colorization",
        pipeline_tag="image-to-image",
        license=license,
        tags=["image-colorization", "landscape", "model_hub_mixin", "pytorch_model_hub_mixin"],
        base_model=[*dict.fromkeys(base_models)] or None,
        datasets=sorted({stage["dataset"] for stage in stages if stage["dataset"] in _on_hub(stage)}) or None,
        metrics=[metric for key, (metric, _) in _METRICS.items() if key in metrics["model"]],
        model_name=f"landscape-colorization-{name}",
        eval_results=results,
    )


def _on_hub(stage: dict[str, Any]) -> list[str]:
    """The names in a stage that were Hub repositories when it began."""
    return stage.get("hub_ids", [])


def data_licenses(stages: list[dict[str, Any]]) -> dict[str, str | None]:
    """For each data set that was learned from, the license that it states itself."""
    return {stage["dataset"]: stage.get("data_license") for stage in stages}


def license_warning(folder: Path) -> str:
    """What to tell somebody who publishes weights without a license."""
    known = data_licenses([public_stage(stage) for stage in earlier_stages(folder)])
    stated = ", ".join(f"{name} states {license or 'no license'}" for name, license in known.items())
    return f"{folder}: the card states no license for the weights (--license), and of the data: {stated}"


def main() -> None:
    """Write the cards that the command line asks for."""
    options = tyro.cli(CardOptions, prog="python -m train.publish.card")
    try:
        training_data = options.training_data.read_text(encoding="utf-8") if options.training_data else None
        for folder in options.folders:
            metrics = metrics_of(folder, options.evaluation)
            write_card(folder, metrics, training_data=training_data, code=options.code, license=options.license)
            if not options.license:
                print(f"train.publish.card: {license_warning(folder)}", file=sys.stderr)
            print(f"{folder}/README.md and {folder}/metrics.json written")
    except (ValueError, OSError) as error:
        sys.exit(f"train.publish.card: {error}")


if __name__ == "__main__":
    main()
