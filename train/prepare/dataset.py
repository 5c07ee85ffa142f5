"""Data sets from photographs: whatever the trainer reads to sharded parquet with a card, here or on the Hub."""

import contextlib
import csv
import functools
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from tqdm import tqdm

from colorization.atomic import written_folder
from train.data.dataset import Dataset, is_local, open_dataset
from train.data.rows import Rows
from train.data.splits import TRAIN, divide, order_of_splits
from train.prepare.card import dataset_card, earlier_files
from train.prepare.shards import to_picture, write_splits
from train.publish.push import PushError, check_push, push

LIST = "skipped.csv"
_NO_SPLIT = "so there is no such split: give it other pictures"


@dataclass(frozen=True)
class PrepareOptions:
    """Turn your photographs into a data set that streams: sharded parquet with a card."""

    source: tyro.conf.Positional[str]
    """A folder of pictures, best with a sub-folder for each source, or whatever else the trainer reads: zip, tar and
    parquet files, pairs (color/ and gray/), Lab arrays (l/ and ab/), Hub data set ids."""
    output: Path | None = None
    """The folder to write; it must not be there yet, or be empty."""
    push: str | None = None
    """Hub data set (NAMESPACE/NAME) that this becomes, in one commit."""
    image_column: str = "image"
    """Column that holds the pictures; of tar files, the end of their names, such as `jpg`."""
    dataset_config: str | None = None
    """Configuration of a source that has several."""
    dataset_revision: str | None = None
    """Branch, tag or commit of a source on the Hub."""
    private: bool = False
    """Make a new Hub data set private."""
    short_side: int = 320
    """Pictures are made smaller to a short side of so many pixels, never larger."""
    min_colorfulness: float = 8.0
    """Pictures less colorful (Hasler and Suesstrunk) teach gray: they are skipped and counted, toned prints too."""
    validation: tuple[str, ...] = ()
    """Sources that become the validation split; if not given, the smallest, until they have 5 % of the pictures."""
    shards: int | None = None
    """Files per split; if not given, of about 500 MB each, but 8 (the trainer's --lanes) if that leaves them 50 MB."""
    license: str = "other"
    """License of the pictures for the card, as the Hub calls it (cc-by-4.0, cc0-1.0, ...)."""
    seed: int = 0
    """Seed of the order."""


@dataclass(frozen=True)
class Summary:
    """What became of the pictures."""

    counts: Counter[tuple[str, str]]
    """Pictures by split and source."""
    files: Counter[str]
    """Files that were looked at, by split."""
    shards: Counter[str]
    """Parquet files, by split."""
    skipped: Counter[str]
    """Files skipped, by kind."""

    def lines(self) -> list[str]:
        """The counts in words."""
        splits: Counter[str] = Counter()
        for (split, _), count in self.counts.items():
            splits[split] += count
        order = sorted(self.files, key=order_of_splits)
        kept = [
            f"{split}: {splits[split]:,} of {self.files[split]:,} files, "
            + (f"in {_number(self.shards[split], 'shard')}" if splits[split] else _NO_SPLIT)
            for split in order
        ]
        return [*kept, f"skipped: {_counted(self.skipped)}"]


def prepare(options: PrepareOptions) -> Summary:
    """Make the data set, and push it if that is asked for.

    Args:
        options: The command line.

    Returns:
        The counts. The data set lies in `options.output`, on the Hub, or both.

    Raises:
        ValueError: If the source, the output or a source named for validation cannot be used, or no picture is usable.
        PushError: If the Hub would not take it, or did not; what was made is then kept.
    """
    _check(options)
    if options.push:
        check_push([options.push], "dataset")
    dataset = open_dataset(
        options.source, options.image_column, config=options.dataset_config, revision=options.dataset_revision
    )
    splits, reason = _splits(dataset, options.validation)
    print(reason, *dataset.listing.lines(), sep="\n")
    with contextlib.ExitStack() as temporary:
        folder = options.output
        if not folder:
            scratch = Path(tempfile.mkdtemp(prefix="prepare-"))
            temporary.callback(shutil.rmtree, scratch, ignore_errors=True)
            folder = scratch / "dataset"
        with written_folder(folder, replace=False) as fresh:
            summary = _write(fresh, dataset, splits, options)
        if options.push:
            try:
                message = f"{summary.counts.total():,} pictures"
                pushed = push(
                    options.push,
                    folder,
                    message=message,
                    repo_type="dataset",
                    private=options.private,
                    is_ours=earlier_files(options.push).__contains__,
                )
                print(f"pushed to {options.push}@{pushed.commit}{pushed.others()}")
            except PushError as error:
                temporary.pop_all()  # hours of work; only the last minutes of it failed
                again = f"`hf upload {options.push} {folder} . --repo-type dataset`"
                raise PushError(f"{error}; the data set is kept in {folder}, push it by {again}") from error
    return summary


def _check(options: PrepareOptions) -> None:
    """Refuse what cannot be meant, before anything is read."""
    output, repo_id, shards = options.output, options.push, options.shards
    if not (output or repo_id):
        raise ValueError("there is nowhere to put the data set: give --output DIR, --push NAMESPACE/NAME, or both")
    if output and output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise ValueError(f"--output {output} is there already: name a new folder, or remove this one")
    if repo_id and repo_id.count("/") != 1:
        raise ValueError(f"--push is {repo_id}, expected NAMESPACE/NAME")
    if options.private and not repo_id:
        raise ValueError("--private is for a data set on the Hub: give --push NAMESPACE/NAME too")
    if options.short_side < 1:
        raise ValueError(f"--short-side is {options.short_side}, expected 1 or more")
    if shards is not None and shards < 1:
        raise ValueError(f"--shards is {shards}, expected 1 or more")


def _splits(dataset: Dataset, validation: tuple[str, ...]) -> tuple[dict[str, Rows], str]:
    """The pictures of each split, and how the splits came about: those that there are, or else by source.

    Raises:
        ValueError: If sources are named for validation and cannot be, or there are no pictures, or they can only be
            streamed.
    """
    splits = {split: dataset.rows(split) for split in dataset.splits or [TRAIN]}
    known = {split: rows for split, rows in splits.items() if isinstance(rows, Rows)}
    if len(known) < len(splits):
        raise ValueError(
            f"{dataset.spec} can only be read from its beginning, and a data set is written in random order: "
            "`hf download` it first"
        )
    if known.keys() != {TRAIN}:
        if validation:
            raise ValueError(f"{dataset.spec} has the splits {' and '.join(sorted(known))}: leave --validation out")
        return known, f"the splits are those that there are: {', '.join(sorted(known, key=order_of_splits))}"
    rows = known[TRAIN]
    try:
        sources = rows.sources()
    except ValueError:  # parquet without such a column: all is of one source
        sources = np.full(rows.count, rows.name)
    division = divide(sources, validation)
    return {split: rows.only(numbers) for split, numbers in division.splits.items()}, division.reason


def _write(folder: Path, dataset: Dataset, splits: dict[str, Rows], options: PrepareOptions) -> Summary:
    """Write the shards, the list of what was skipped, and the card."""
    skipped = [*dataset.listing.skipped]
    make = functools.partial(to_picture, short_side=options.short_side, min_colorfulness=options.min_colorfulness)
    files = Counter({split: rows.count for split, rows in splits.items()})
    with tqdm(total=files.total(), unit="picture", disable=None) as bar:
        counts, shards = write_splits(folder, splits, make, options.shards, options.seed, skipped, bar.update)
    summary = Summary(counts, files, shards, Counter(s.kind for s in skipped))
    if not counts:
        raise ValueError(
            f"{options.source} gave no usable picture ({_counted(summary.skipped)}): check it, or lower "
            "--min-colorfulness"
        )
    with (folder / LIST).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("file", "reason"))
        writer.writerows((s.name, s.reason) for s in sorted(skipped))
    card = dataset_card(
        counts,
        shards,
        summary.skipped,
        name=options.push or (options.output or folder).resolve().name,
        source=dataset.name if is_local(options.source) else options.source,
        short_side=options.short_side,
        min_colorfulness=options.min_colorfulness,
        license=options.license,
    )
    card.save(folder / "README.md")
    return summary


def _number(count: int, what: str) -> str:
    """A count with its noun."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _counted(skipped: Counter[str]) -> str:
    """Counts by kind, in words."""
    return ", ".join(f"{count:,} {kind}" for kind, count in sorted(skipped.items())) or "nothing"
