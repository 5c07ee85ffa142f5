"""Finished models, or the whole page, to the Hub: a card and one commit each.

`python -m train.publish DIR... --namespace NAMESPACE` and `python -m train.publish --space NAMESPACE/NAME`
"""

import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import tyro
from PIL import Image

from colorization.colorizer import Colorizer
from colorization.compare import COLOR_THRESHOLD
from colorization.contact_sheet import contact_sheet
from colorization.decode import decode
from colorization.examples import examples
from colorization.hub import repo_id
from colorization.inference import colorize, gray
from colorization.metrics import colorfulness
from colorization.zoo import FILES, load
from train.card import metrics_of, write_card
from train.config import Options as TrainOptions
from train.curves import save_curves
from train.data import open_stream
from train.evaluate import Options as EvaluationOptions
from train.evaluate import evaluate
from train.hub import PushError, check_push, push
from train.record import CURVES, RECORD, SHEET, earlier_stages
from train.space import publish_space
from train.tables import table

_SHEET_SIDE = 320


@dataclass(frozen=True)
class Options:
    """Publish trained models, or the page as a Space, or both."""

    folders: tyro.conf.Positional[list[Path]]
    """Folders of finished runs."""
    namespace: str | None = None
    """Hub user or organization; a model becomes <namespace>/<prefix>-<model>. With --space, where its models are."""
    prefix: str = "landscape-colorization"
    """First part of the repositories' names."""
    evaluation: Path | None = None
    """JSON of `python -m train.evaluate`; without it each folder's own metrics.json."""
    training_data: Path | None = None
    """Markdown that says truthfully what the training photographs are, and under which licences."""
    samples: Path | None = None
    """Folder of photographs for the sample sheet, to be seen by everybody; else some that packages bring along."""
    space: str | None = None
    """Publish the page as this Space, "namespace/name"; the models' cards then say that the code is there."""
    private: bool = False
    """Make new repositories private."""
    revision: str | None = None
    """Commit the models to this branch; made if it is not there."""


def publish_model(folder: Path, target: Options) -> str:
    """Push one finished run as one commit, and load it back from the Hub.

    Args:
        folder: config.json, model.safetensors and training.json, as the trainer leaves them.
        target: Where to, and what the card needs.

    Returns:
        "namespace/name@commit".

    Raises:
        ValueError: If the run is not finished or not measured, or its weights are not fit to be published.
        PushError: If the Hub does not take it.
    """
    assert target.namespace
    model = load(folder)
    name = repo_id(target.namespace, model.name, target.prefix)
    metrics = metrics_of(folder, target.evaluation)
    training_data = target.training_data.read_text(encoding="utf-8") if target.training_data else None
    with tempfile.TemporaryDirectory() as temporary:
        stage = Path(temporary)
        for file in FILES:
            shutil.copy(folder / file, stage)
        record = (folder / RECORD).read_text(encoding="utf-8")
        if len(Path.home().parts) > 1:
            record = record.replace(str(Path.home()), "~")  # no user's name in public
        (stage / RECORD).write_text(record, encoding="utf-8")
        save_curves(earlier_stages(folder), stage / CURVES)
        photographs = sorted(target.samples.iterdir()) if target.samples else examples()
        sample_sheet(model, photographs).save(stage / SHEET)
        write_card(stage, metrics, training_data=training_data, repo_id=name, space=target.space)
        gain = metrics["model"]["psnr_mean"] - metrics["gray"]["psnr_mean"]
        message = f"{model.name}: PSNR {gain:+.2f} dB against a gray copy"
        commit = push(name, stage, message=message, private=target.private, revision=target.revision)
    load(name, revision=commit)  # what others will do
    return f"{name}@{commit}"


def sample_sheet(model: Colorizer, photographs: list[Path]) -> Image.Image:
    """Gray, coloured and, where the photograph is in colour, as it was: a row for each of some photographs."""
    rows = []
    for file in photographs:
        picture = decode(file.read_bytes()).picture
        picture.thumbnail((_SHEET_SIDE, _SHEET_SIDE), Image.Resampling.LANCZOS)
        light = gray(picture)
        in_color = colorfulness(np.asarray(picture)) > COLOR_THRESHOLD
        rows.append([light, colorize(model, light), picture if in_color else light])
    return contact_sheet(rows, ("gray", model.name, "original"))


def check_trained(options: TrainOptions, names: list[str]) -> None:
    """Before the first step: may the models be pushed, and is there something to measure them on?

    Raises:
        PushError: If the push cannot work.
        ValueError: If the photographs to measure on cannot be opened.
    """
    check_push([repo_id(str(options.push_to_hub), name, options.hub_prefix) for name in names])
    try:
        dataset = options.evaluation_dataset or options.dataset
        next(iter(open_stream(dataset, options.evaluation_split, options.image_column)))
    except ValueError as error:
        raise ValueError(
            f"a published model says how good it is, so it must be measured: {error}. Choose photographs with "
            "--evaluation-dataset and --evaluation-split, or train without --push-to-hub"
        ) from error


def publish_trained(options: TrainOptions, folders: list[Path]) -> None:
    """Measure the finished runs on photographs that they were not trained on, and push them.

    Raises:
        PushError: If one could not be pushed; the others were.
    """
    evaluation = options.output_dir / "evaluation.json"
    result = evaluate(
        EvaluationOptions(
            model=[str(folder) for folder in folders],
            dataset=options.evaluation_dataset or options.dataset,
            output=evaluation,
            split=options.evaluation_split,
            image_column=options.image_column,
        )
    )
    print(table(result))
    target = Options(
        folders=folders,
        namespace=options.push_to_hub,
        prefix=options.hub_prefix,
        evaluation=evaluation,
        private=options.private,
    )
    failed = []
    for folder in folders:
        try:
            print(f"published {publish_model(folder, target)}", flush=True)
        except (ValueError, PushError) as error:
            failed.append(str(error))
    if failed:
        again = f"python -m train.publish {shlex.join(map(str, folders))} --namespace {options.push_to_hub}"
        raise PushError(
            "\n".join([*failed, f"the models are trained and safe; to push again: {again} --evaluation {evaluation}"])
        )


def main() -> None:
    """Publish what the command line asks for; each model's failure is one line, and the others still go."""
    options = tyro.cli(Options, prog="python -m train.publish")
    failed = False
    try:
        jobs = _jobs(options)
    except (ValueError, PushError) as error:
        sys.exit(f"train.publish: {error}")
    for job in jobs:
        try:
            print(f"published {job()}", flush=True)
        except (ValueError, OSError, PushError) as error:
            failed = True
            print(f"train.publish: {error}", file=sys.stderr)
    sys.exit(1 if failed else 0)


def _jobs(options: Options) -> list[Callable[[], str]]:
    """What there is to do, once it is sure that it can be done."""
    if not options.folders and not options.space:
        raise ValueError("nothing to publish: name folders of finished runs, or a --space")
    if options.folders and not options.namespace:
        raise ValueError("--namespace is missing: the Hub user or organization that the models are for")
    models = {folder: load(folder).name for folder in options.folders}
    if len(set(models.values())) < len(models):
        raise ValueError(f"two folders hold the same model: {', '.join(models.values())}; publish one of them")
    if models:
        check_push([repo_id(options.namespace or "", name, options.prefix) for name in models.values()])
    if options.space:
        check_push([options.space], "space")
    jobs: list[Callable[[], str]] = [partial(publish_model, folder, options) for folder in models]
    if options.space:
        jobs.append(partial(publish_space, options.space, options.namespace, options.prefix, options.private))
    return jobs


if __name__ == "__main__":
    main()
