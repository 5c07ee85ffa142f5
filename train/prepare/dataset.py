"""Data sets from photographs: folders, pairs or Lab arrays to sharded parquet with a card, here or on the Hub."""

import contextlib
import csv
import functools
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tyro
from tqdm import tqdm

from train.data.raw import Found, scan
from train.data.splits import TEST, TRAIN, VALIDATION, Division, divide
from train.prepare.card import dataset_card
from train.prepare.shards import OUTSIDE, UNDECODABLE, UNPAIRED, Skipped, to_picture, write_splits
from train.publish.push import PushError, check_push, push

LIST = "skipped.csv"
_NO_SPLIT = "so there is no such split: give it other pictures"
_SHOWN = 5  # names on the terminal; there may be thousands


@dataclass(frozen=True)
class PrepareOptions:
    """Turn your photographs into a data set that streams: sharded parquet with a card."""

    source: tyro.conf.Positional[Path]
    """A folder of pictures, best with a sub-folder for each source; or pairs (color/ and gray/), or Lab arrays (l/ and
    ab/)."""
    output: Path | None = None
    """The folder to write; it must not be there yet, or be empty."""
    push: str | None = None
    """Hub data set (NAMESPACE/NAME) that this becomes, in one commit."""
    private: bool = False
    """Make a new Hub data set private."""
    short_side: int = 320
    """Pictures are made smaller to a short side of so many pixels, never larger."""
    min_colorfulness: float = 8.0
    """Pictures less colorful (Hasler and Suesstrunk) teach gray: they are skipped and counted."""
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
        order = [split for split in (TRAIN, VALIDATION, TEST) if self.files[split]]
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
    scanned = scan(options.source)
    division = divide(scanned.items, options.source, options.validation)
    print(division.reason)
    _tell(scanned)
    with contextlib.ExitStack() as temporary:
        folder = options.output
        if not folder:
            scratch = Path(tempfile.mkdtemp(prefix="prepare-"))
            temporary.callback(shutil.rmtree, scratch, ignore_errors=True)
            folder = scratch / "dataset"
        with _whole_or_nothing(folder) as fresh:
            summary = _write(fresh, scanned, division, options)
        if options.push:
            try:
                message = f"{summary.counts.total():,} pictures"
                push(options.push, folder, message=message, repo_type="dataset", private=options.private)
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


def _tell(scanned: Found) -> None:
    """Name the pictures of pairs that have no partner."""
    for names, what in (
        (scanned.lone_color, "without a gray partner, used all the same"),
        (scanned.lone_gray, "gray without a color partner, skipped"),
    ):
        if names:
            more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
            print(f"{len(names):,} {what}: {', '.join(names[:_SHOWN])}{more}")


@contextlib.contextmanager
def _whole_or_nothing(folder: Path) -> Iterator[Path]:
    """A hidden folder beside the one to write, which takes its place at the end, or is removed."""
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield fresh
        fresh.chmod(0o755)
        if folder.exists():
            folder.rmdir()  # refuses if something was put there meanwhile
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _write(folder: Path, scanned: Found, division: Division, options: PrepareOptions) -> Summary:
    """Write the shards, the list of what was skipped, and the card."""
    skipped = [
        *(Skipped(name, UNDECODABLE, reason) for name, reason in scanned.bad),
        *(Skipped(name, UNPAIRED, "no color partner") for name in scanned.lone_gray),
        *(Skipped(item.name, OUTSIDE, "not in a folder of a split") for item in division.outside),
    ]
    make = functools.partial(to_picture, short_side=options.short_side, min_colorfulness=options.min_colorfulness)
    with tqdm(total=len(division.placed), unit="picture", disable=None) as bar:
        counts, shards = write_splits(folder, division.placed, make, options.shards, options.seed, skipped, bar.update)
    files = Counter(placed.split for placed in division.placed)
    summary = Summary(counts, files, shards, Counter(s.kind for s in skipped))
    if not counts:
        raise ValueError(
            f"{options.source} gave no usable picture ({_counted(summary.skipped)}): check it, or lower "
            "--min-colorfulness"
        )
    with (folder / LIST).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("file", "reason"))
        writer.writerows((s.file, s.reason) for s in sorted(skipped))
    card = dataset_card(
        counts,
        shards,
        summary.skipped,
        name=options.push or (options.output or folder).resolve().name,
        folder=options.source.resolve().name,
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
