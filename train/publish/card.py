"""Model cards: rendered from the record that training left and from an evaluation.

`python -m train.publish.card DIR... --evaluation evaluation.json --training-data FILE.md`
"""

import inspect
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from colorization.models import efficientnet_lite
from colorization.zoo import ZOO, load
from train.publish.public import ROOT, code_url, is_hub_id, public_name, public_stage
from train.record import CURVES, RECORD, SHEET, earlier_stages, weights_hash
from train.tables import GRAY, TRUTH, difference_table, table

TEMPLATE = ROOT / "hub_card.md"
_FACTS = ("protocol", "split", "photographs", "less_colorful")
_METRICS = {
    "psnr_mean": ("psnr", "PSNR (dB)"),
    "ssim_mean": ("ssim", "SSIM"),
    "delta_e": ("delta_e_2000", "delta E 2000"),
    "lpips": ("lpips", "LPIPS (AlexNet)"),
}
_LOSSES = {  # as the curves of a record name them
    "l1": "L1 on ab",
    "color": "L1 on ab weighted by chroma",
    "perceptual": "a perceptual loss on VGG features",
    "gan": "a PatchGAN discriminator",
    "wasserstein": "a Wasserstein critic with gradient penalty",
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


def write_card(
    folder: Path,
    metrics: dict[str, Any],
    *,
    training_data: str | None = None,
    repo_id: str | None = None,
    code: str | None = None,
) -> ModelCard:
    """Render a model's card and its metrics, and take paths of this machine out of its record.

    Args:
        folder: A trained model, or a copy of one; `README.md` and `metrics.json` are written into it, and
            `training.json` is rewritten as it may be published.
        metrics: From `metrics_of`.
        training_data: Markdown about the training photographs; without it the card says what the record says.
        repo_id: Hub repository that the card is for; without it the card speaks of the model by its name.
        code: Where the code is, see `code_url`; a card for the Hub must say so, one in this repository need not.

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
    shares = [share for stage in stages if (share := _degraded_share(stage))]
    card = ModelCard.from_template(
        _card_data(model.name, public_stages, metrics),
        template_path=str(TEMPLATE),
        title=ZOO[model.name].title,
        titles=[entry.title for entry in ZOO.values()],
        name=model.name,
        summary=(inspect.getdoc(type(model)) or "").partition("\n")[0],
        distilled=any(_is_distilled(stage) for stage in stages),
        working_size=model.working_size,
        parameters=f"{sum(p.numel() for p in model.parameters()):,}",
        source=repo_id or model.name,
        repo_id=repo_id,
        install=f"git+{url}" if url else ".   # in the root of the repository that this file is in",
        space=code if code and is_hub_id(code) else None,
        space_url=url,
        results=[_result(model.name, measured) for measured in (metrics, *metrics.get("further", ()))],
        protocol=metrics["protocol"],
        stages=[
            public | {"start": _start(stages, number), "losses": _losses(stages[number], number)}
            for number, public in enumerate(public_stages)
        ],
        datasets=sorted({stage["dataset"] for stage in public_stages}),
        training_data=training_data.strip() if training_data else None,
        has_samples=(folder / SHEET).is_file(),
        has_curves=(folder / CURVES).is_file(),
        degraded=f"{shares[-1]:.0%}" if shares else None,
    )
    (folder / RECORD).write_text(json.dumps({"stages": public_stages}, indent=1) + "\n", encoding="utf-8")
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    card.save(folder / "README.md")
    return card


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
        return metrics | {"dataset": public_name(metrics["dataset"])}
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
        | {"dataset": public_name(result["dataset"]), "weights_sha256": own}
        | {key: result[key] for key in ("dataset_config", "dataset_revision") if result.get(key)}
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


def _result(name: str, metrics: dict[str, Any]) -> dict[str, Any]:
    """The tables of one evaluation, and what they are of."""
    above_gray = {f"{name} - {GRAY}": metrics["above_gray"]} if "above_gray" in metrics else None
    return {key: metrics[key] for key in ("photographs", "dataset", "split", "less_colorful")} | {
        "table": table({"rows": {GRAY: metrics[GRAY], name: metrics["model"], TRUTH: metrics[TRUTH]}}),
        "differences": difference_table({"differences": above_gray}) if above_gray else None,
    }


def _card_data(name: str, stages: list[dict[str, Any]], metrics: dict[str, Any]) -> ModelCardData:
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
    begun_with = [str(stage["options"].get("init_from")) for stage in stages]
    base_models = [efficientnet_lite.HUB_ID] if any(_has_imagenet_encoder(stage) for stage in stages) else []
    return ModelCardData(
        library_name="landscape-colorization",
        pipeline_tag="image-to-image",
        license="apache-2.0",
        tags=["image-colorization", "landscape", "model_hub_mixin", "pytorch_model_hub_mixin"],
        base_model=[*base_models, *filter(is_hub_id, dict.fromkeys(begun_with))] or None,
        datasets=sorted({stage["dataset"] for stage in stages if is_hub_id(stage["dataset"])}) or None,
        metrics=[metric for key, (metric, _) in _METRICS.items() if key in metrics["model"]],
        model_name=f"landscape-colorization-{name}",
        eval_results=results,
    )


def _start(stages: list[dict[str, Any]], number: int) -> str:
    """What a run began with, in words."""
    options = stages[number]["options"]
    if options.get("init_from"):
        share = options.get("init_share", 0)
        kept = f" (which are {share:.0%} of the weights that were saved)" if share else ""
        return f"the weights of {_model_name(options['init_from'], options, number, 'an unpublished model')}{kept}"
    if _has_imagenet_encoder(stages[number]):
        hub_id, rate = efficientnet_lite.HUB_ID, options.get("pretrained_rate", 0)
        learned = f"learned at {rate:g} of the learning rate" if rate else "stayed frozen"
        return (
            "random weights, but for ImageNet's in its encoder "
            f"([{hub_id}](https://huggingface.co/{hub_id})), which {learned}"
        )
    return "random weights"


def _losses(stage: dict[str, Any], number: int) -> str:
    """What a run learned from, in words: what its curves hold and its options did not weigh with 0."""
    options = stage["options"]
    logged = set().union(*stage["curve"])
    words = [text for name, text in _LOSSES.items() if name in logged and options.get(f"{name}_weight", 1)]
    if (steps := options.get("l1_steps", 0)) and logged & {"gan", "wasserstein"}:
        words[-1] += f" (after step {steps})"
    if _is_distilled(stage):
        teachers = options["teacher"] if isinstance(options["teacher"], list) else [options["teacher"]]
        names = ", ".join(dict.fromkeys(_model_name(name, options, number, "not published") for name in teachers))
        several = f"the mean output of {len(teachers)} trained models"
        words.append(f"L1 to {several if len(teachers) > 1 else 'the output of a trained model'} ({names})")
    return ", ".join(words) or "what its options below weigh"


def _model_name(source: str, options: dict[str, Any], number: int, other: str) -> str:
    """A model that others can have, as code; the run before, by its number; a folder here, as `other`.

    A run continues the record of what it began with, and a name of the zoo may stand for other weights by now.
    """
    if number and source == options.get("init_from") and not is_hub_id(source):
        return f"run {number}"
    return f"`{source}`" if source in ZOO or is_hub_id(source) else other


def _is_distilled(stage: dict[str, Any]) -> bool:
    return bool(stage["options"].get("teacher") and stage["options"].get("teacher_weight"))


def _has_imagenet_encoder(stage: dict[str, Any]) -> bool:
    """Whether a run began with the published encoder: it asked for it, and its width is the published one."""
    options = stage["options"]
    fits = options.get("width") == efficientnet_lite.WIDTH
    return bool(options.get("pretrained")) and fits and not options.get("init_from")


def _degraded_share(stage: dict[str, Any]) -> float:
    """The share of a run's pictures that were degraded; the option has its second name since version 0.2."""
    return stage["options"].get("degraded_share", stage["options"].get("old_share", 0.0))


def main() -> None:
    """Write the cards that the command line asks for."""
    options = tyro.cli(CardOptions, prog="python -m train.publish.card")
    try:
        training_data = options.training_data.read_text(encoding="utf-8") if options.training_data else None
        for folder in options.folders:
            metrics = metrics_of(folder, options.evaluation)
            write_card(folder, metrics, training_data=training_data, code=options.code)
            print(f"{folder}/README.md and {folder}/metrics.json written")
    except (ValueError, OSError) as error:
        sys.exit(f"train.publish.card: {error}")


if __name__ == "__main__":
    main()
