"""`--push-to-hub` of the trainer: the check before the first step, measuring and publishing after the last."""

import shlex
from pathlib import Path

from colorization.hub import repo_id
from train.config import TrainOptions
from train.evaluate.options import EvaluateOptions
from train.evaluate.protocol import evaluate
from train.publish.model import PublishOptions, publish_model
from train.publish.public import code_url
from train.publish.push import PushError, check_push
from train.tables import means_table
from train.training_data import ValidationSource, training_data, validation_source


def check_trained(options: TrainOptions) -> None:
    """Before the first step: may the models be pushed, and is there something to measure them on?

    Raises:
        PushError: If the push cannot work.
        ValueError: If the photographs to measure on cannot be opened, or the cards could not say where the code is.
    """
    hub = options.hub
    try:
        code_url(hub.hub_code)
    except ValueError as error:
        raise ValueError(str(error).replace("--code", "--hub-code")) from error
    check_push([repo_id(str(hub.hub_namespace), name, hub.hub_prefix) for name in options.recipes])
    try:
        next(iter(_photographs(options).rows()))
    except ValueError as error:
        raise ValueError(
            f"a published model says how good it is, so it must be measured: {error}. Choose photographs with "
            "--validation-dataset and --validation-split, or train without --push-to-hub"
        ) from error


def publish_trained(options: TrainOptions, folders: list[Path]) -> None:
    """Measure the finished runs on photographs that they were not trained on, and push them.

    Raises:
        PushError: If one could not be pushed; the others were.
    """
    evaluation = options.output_dir / "evaluation.json"
    photographs = _photographs(options)
    result = evaluate(
        EvaluateOptions(
            model=[str(folder) for folder in folders],
            dataset=photographs.dataset,
            dataset_config=photographs.config,
            dataset_revision=photographs.revision,
            output=evaluation,
            split=photographs.split,
            image_column=photographs.column,
            validation_share=photographs.share,
        )
    )
    print(means_table(result))
    target = PublishOptions(
        folders=folders,
        namespace=options.hub.hub_namespace,
        prefix=options.hub.hub_prefix,
        code=options.hub.hub_code,
        license=options.hub.hub_license,
        evaluation=(evaluation,),
        private=options.hub.hub_private_repo,
    )
    failed = []
    for folder in folders:
        try:
            print(f"published {publish_model(folder, target)}", flush=True)
        except (ValueError, PushError) as error:
            failed.append(str(error))
    if failed:
        words = ["python", "-m", "train.publish", *map(str, folders), "--namespace", str(options.hub.hub_namespace)]
        words += ["--prefix", options.hub.hub_prefix, "--evaluation", str(evaluation)]
        words += ["--code", options.hub.hub_code] if options.hub.hub_code else []
        words += ["--license", options.hub.hub_license] if options.hub.hub_license else []
        words += ["--private"] if options.hub.hub_private_repo else []
        raise PushError("\n".join([*failed, f"the models are trained and safe; to push again: {shlex.join(words)}"]))


def _photographs(options: TrainOptions) -> ValidationSource:
    """What the models are measured on."""
    data = training_data(options.data, options.validation)
    return validation_source(data, options.data, options.validation)
