"""Stages of a training in words: what each run began with, and what it learned from, out of the record."""

from typing import Any

from colorization.models import efficientnet_lite
from colorization.zoo import ZOO

Stage = dict[str, Any]  # as `train.record.Stage` is stored

_LOSSES = {  # as the curves of a record name them
    "l1": "L1 on ab",
    "color": "L1 on ab weighted by chroma",
    "perceptual": "a perceptual loss on VGG features",
    "gan": "a PatchGAN discriminator",
    "wasserstein": "a Wasserstein critic with gradient penalty",
    "adversarial": "a projected discriminator on ImageNet features",
    "features": "feature distillation from ImageNet's EfficientNet-Lite0",
}


def start(stages: list[Stage], number: int) -> str:
    """What a run began with, in words."""
    options = stages[number]["options"]
    if source := options.get("init_from"):
        began = f"the weights of {_model_name(source, stages[number], number, 'an unpublished model')}"
        kept = f" ({_mixed_in(stages, number)})" if options.get("init_share") else ""
        trained = ", of which it trained only those of points and moods" if options.get("guidance_only") else ""
        return f"{began}{kept}{trained}"
    if has_imagenet_encoder(stages[number]):
        hub_id, rate = efficientnet_lite.HUB_ID, options.get("pretrained_rate", 0)
        learned = f"learned at {rate:g} of the learning rate" if rate else "stayed frozen"
        return (
            "random weights, but for ImageNet's in its encoder "
            f"([{hub_id}](https://huggingface.co/{hub_id})), which {learned}"
        )
    return "random weights"


def losses(stage: Stage, number: int) -> str:
    """What a run learned from, in words: what its curves hold and its options did not weigh with 0."""
    options = stage["options"]
    logged = set().union(*stage["curve"])
    words = [text for name, text in _LOSSES.items() if name in logged and options.get(f"{name}_weight", 1)]
    if (steps := options.get("l1_steps", 0)) and logged & {"gan", "wasserstein"}:
        words[-1] += f" (after step {steps})"
    if is_distilled(stage):
        teachers = options["teacher"] if isinstance(options["teacher"], list) else [options["teacher"]]
        names = ", ".join(dict.fromkeys(_model_name(name, stage, number, "not published") for name in teachers))
        several = f"the mean output of {len(teachers)} trained models"
        words.append(f"L1 to {several if len(teachers) > 1 else 'the output of a trained model'} ({names})")
    return ", ".join(words) or "what its options below weigh"


def is_distilled(stage: Stage) -> bool:
    """Whether a run learned from other models' outputs."""
    return bool(stage["options"].get("teacher") and stage["options"].get("teacher_weight"))


def has_imagenet_encoder(stage: Stage) -> bool:
    """Whether a run began with the published encoder: it asked for it, and its width is the published one."""
    options = stage["options"]
    fits = options.get("width") == efficientnet_lite.WIDTH
    return bool(options.get("pretrained")) and fits and not options.get("init_from")


def _mixed_in(stages: list[Stage], number: int) -> str:
    """What was mixed into the weights that a run saved, in words."""
    options = stages[number]["options"]
    share, source = f"{options['init_share']:.0%}", options.get("init_share_of")
    if not source:
        return f"which are {share} of the weights that were saved"
    # Not what this run began with: a record names folders by their last part, which both may share.
    begun_with = [n for n in range(1, number) if stages[n]["options"].get("init_from") == source]
    name = f"run {begun_with[-1]}" if begun_with else _model_name(source, stages[number], 0, "an unpublished model")
    return f"{share} of the weights that were saved are those of {name}"


def _model_name(source: str, stage: Stage, number: int, other: str) -> str:
    """A model that others can have, as code; the run before, by its number; a folder here, as `other`.

    A run continues the record of what it began with, and a name of the zoo may stand for other weights by now.
    """
    on_hub = source in stage.get("hub_ids", ())
    if number and source == stage["options"].get("init_from") and not on_hub:
        return f"run {number}"
    return f"`{source}`" if source in ZOO or on_hub else other
