"""Splits: by folders and shards that are named so, by source, or by the hash of each row. Never at random.

Pictures of one source are alike (one photographer, one camera, one place); drawn at random, nearly the same picture
would be in training and in validation.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TRAIN, VALIDATION, TEST = "train", "validation", "test"
HELD_OUT_AT_LEAST, HELD_OUT_AT_MOST = 64, 1000
_NAMES = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("validation", "valid", "val"), VALIDATION),
    **dict.fromkeys(("test", "testing"), TEST),
}
_WORD = re.compile(rf"(?:^|[-_. ])({'|'.join(_NAMES)})(?=[-_. ]|$)")
_SHARD = re.compile(r"(\w+)-\d{5}-of-\d{5}(?:-[0-9a-f]{16})?")
_LARGEST_SHARE = 0.25  # held out of a small data set
_SHARE_OF_SOURCES = 0.05  # of all pictures, at least this many are for validation


def split_of(folders: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """The split that the first of a picture's folders names, None if it names none; and the folders below.

    A folder `data` above them, as many data sets have it, says nothing.
    """
    if folders[:1] == ("data",) and len(folders) > 1:
        folders = folders[1:]
    split = _NAMES.get(folders[0].lower()) if folders else None
    return split, folders[1:] if split else folders


def shard_split(stem: str, in_data: bool = False) -> str | None:
    """The split that a file of many pictures is named after; None if it is not.

    Args:
        stem: As "train-00000-of-00008", "train-more-00001", "photos_validation_3".
        in_data: Whether it lies in a folder `data`, where the Hub's data sets may have splits of any name.
    """
    if in_data and (named := _SHARD.fullmatch(stem)):
        return _NAMES.get(named[1].lower(), named[1])
    word = _WORD.search(stem.lower())
    return _NAMES[word[1]] if word else None


def order_of_splits(split: str) -> tuple[int, str]:
    """A key to sort by: train, validation, test, then others by name."""
    known = [TRAIN, VALIDATION, TEST]
    return (known.index(split) if split in known else len(known)), split


class Division(NamedTuple):
    """All pictures with their splits."""

    splits: dict[str, NDArray[np.int64]]
    """Numbers of the pictures in each."""
    reason: str
    """How the splits came about, for the user."""


def divide(sources: NDArray[np.str_], validation: Sequence[str]) -> Division:
    """Make some sources the validation split.

    Args:
        sources: The source of each picture, (pictures,).
        validation: Sources that become the validation split. If none is given, the smallest sources do until they
            have 5 % of the pictures, but never the largest.

    Raises:
        ValueError: If a source of that name is not there, or if no other is left for training.
    """
    counts = Counter(sources.tolist())
    taken, reason = _named(counts, validation) if validation else _smallest(counts)
    inside = np.isin(sources, [*taken])
    splits = {TRAIN: np.flatnonzero(~inside), VALIDATION: np.flatnonzero(inside)}
    return Division({split: numbers for split, numbers in splits.items() if len(numbers)}, reason)


def held_out(keys: Sequence[str], share: float) -> NDArray[np.bool_]:
    """Choose the rows that training leaves out and validation is measured on: those with the smallest hashes.

    Args:
        keys: What each row is known by, (rows,). A row keeps its hash when others are added.
        share: Of the rows, but at least 64 and at most 1,000, and no more than a quarter.

    Returns:
        Whether each row is held out, (rows,).
    """
    wanted = min(max(round(share * len(keys)), HELD_OUT_AT_LEAST), HELD_OUT_AT_MOST)
    count = min(wanted, int(_LARGEST_SHARE * len(keys))) if share else 0
    hashes = np.array([row_hash(key) for key in keys])
    chosen = np.zeros(len(keys), dtype=bool)
    chosen[np.argsort(hashes, kind="stable")[:count]] = True
    return chosen


def row_hash(key: str) -> float:
    """A number in [0, 1) that is the same for a row in every run."""
    digest = hashlib.blake2b(key.encode(errors="surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


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
        if share >= _SHARE_OF_SOURCES:
            break
        taken.append(source)
        share += counts[source] / counts.total()
    return set(taken), (
        f"validation is {', '.join(taken)}, the smallest of {len(counts)} sources ({share:.1%} of the files): "
        "choose others with --validation"
    )
