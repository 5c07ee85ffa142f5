"""Splits by the folder that a picture comes from, never at random.

Pictures of one source are alike (one photographer, one camera, one place); drawn at random, nearly the same picture
would be in training and in validation.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from train.data.raw import Item, printable

TRAIN, VALIDATION, TEST = "train", "validation", "test"
_FOLDERS = {"train": TRAIN, "validation": VALIDATION, "val": VALIDATION, "valid": VALIDATION, "test": TEST}
_SHARE = 0.05  # of all pictures, at least this many are for validation


class Placed(NamedTuple):
    """A picture with its split, and the source folder that it comes from."""

    item: Item
    split: str
    source: str


class Division(NamedTuple):
    """All pictures with their splits."""

    placed: list[Placed]
    outside: list[Item]
    """Pictures beside the folders that name the splits."""
    reason: str
    """How the splits came about, for the user."""


def split_folders(folder: Path) -> list[Path]:
    """The folders just below one that are named like splits: train, validation (val, valid), test."""
    return sorted(f for f in folder.iterdir() if f.name.lower() in _FOLDERS and f.is_dir())


def named_splits(items: list[Item]) -> dict[str, list[Item]]:
    """Items by the split that the first of their folders names; those of other folders are skipped."""
    splits = defaultdict(list)
    for item in items:
        if split := _split_of(item):
            splits[split].append(item)
    return dict(splits)


def divide(items: list[Item], folder: Path, validation: Sequence[str]) -> Division:
    """Give every picture a split and the name of its source, which is the first folder that it is in.

    Args:
        items: Pictures as `train.data.raw.scan` found them.
        folder: Where they were found; its name is the source of pictures that are in no other folder.
        validation: Sources that become the validation split. If none is given, the smallest sources do until they
            have 5 % of the pictures, but never the largest.

    Returns:
        The pictures in their order. Folders that are named like splits decide alone.

    Raises:
        ValueError: If a source of that name is not there, if no other is left for training, or if folders are named
            like splits and sources are given too.
    """
    name = printable(folder.resolve().name) or "pictures"
    if splits := named_splits(items):
        if validation:
            raise ValueError(f"{folder} has folders named {' and '.join(sorted(splits))}: skip --validation")
        placed = [Placed(i, split, _source(i.folders[1:], name)) for split, members in splits.items() for i in members]
        outside = [item for item in items if not _split_of(item)]
        return Division(placed, outside, f"the splits are the folders named so: {', '.join(sorted(splits))}")
    counts = Counter(_source(item.folders, name) for item in items)
    taken, reason = _named(counts, validation) if validation else _smallest(counts)
    sources = [_source(item.folders, name) for item in items]
    placed = [Placed(i, VALIDATION if s in taken else TRAIN, s) for i, s in zip(items, sources, strict=True)]
    return Division(placed, [], reason)


def _split_of(item: Item) -> str | None:
    """The split that its first folder names, if it does."""
    return _FOLDERS.get(item.folders[0].lower()) if item.folders else None


def _source(folders: tuple[str, ...], name: str) -> str:
    """The first folder, or the name of the one that was given."""
    return folders[0] if folders else name


def _named(counts: Counter[str], validation: Sequence[str]) -> tuple[set[str], str]:
    """The sources that were asked for."""
    if unknown := sorted(set(validation) - counts.keys()):
        raise ValueError(f"--validation {' '.join(unknown)}: there are only the sources {', '.join(sorted(counts))}")
    if set(validation) == counts.keys():
        raise ValueError("--validation names every source: leave one for training")
    return set(validation), f"validation is {', '.join(sorted(validation))}, as asked for"


def _smallest(counts: Counter[str]) -> tuple[set[str], str]:
    """The smallest sources, until they are enough."""
    if len(counts) < 2:
        return set(), (
            "there is one source only, so everything is train: put the pictures into sub-folders by where they come "
            "from, or into train/ and validation/, to have a validation split"
        )
    taken: list[str] = []
    share = 0.0
    for source in sorted(counts, key=lambda s: (counts[s], s))[:-1]:
        if share >= _SHARE:
            break
        taken.append(source)
        share += counts[source] / counts.total()
    return set(taken), (
        f"validation is {', '.join(taken)}, the smallest of {len(counts)} sources ({share:.1%} of the files): "
        "choose others with --validation"
    )
