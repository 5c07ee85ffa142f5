"""Data sets of all kinds: one way in for training, evaluation and preparation. No picture is decoded."""

import glob
import itertools
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import datasets
from PIL import Image

from colorization import hub
from colorization.decode import DecodeError
from train.data.cards import configurations, configured, read_card, stated_license
from train.data.listing import Listing, listed
from train.data.parquet import ParquetRows
from train.data.repository import contents
from train.data.rows import ListedRows, Rows, printable
from train.data.saved import SavedRows, is_saved, saved_splits
from train.data.streamed import StreamedRows, streamed_tars
from train.data.walk import File, walk

AnyRows = Rows | StreamedRows

PREPARED = datasets.Features({"image": datasets.Image(), "source": datasets.Value("string")})
"""The columns of what `train.prepare` writes."""

_IMAGE = "image"  # the column of pictures in folders and archives
_CHECKED = 10  # rows that tell whether a column holds pictures
_MAGIC = "*?["
_REPO_ID = re.compile(r"\w[\w.-]*(/[\w.-]+)?")


@dataclass
class Dataset:
    """A data set whose files are known; nothing of them is read yet."""

    spec: str
    name: str
    """The last part of `spec`."""
    column: str
    root: str = ""
    """Of its files."""
    listing: Listing = field(default_factory=Listing)
    saved: dict[str, datasets.Dataset] = field(default_factory=dict)
    """What `save_to_disk` wrote, by split."""
    license: str | None = None
    """What its card says, as the Hub calls it."""
    others: dict[str, datasets.IterableDataset] = field(default_factory=dict)
    """What only `datasets` reads, by split."""

    @property
    def splits(self) -> list[str]:
        """The names of its splits."""
        return [*self.listing.splits, *self.saved, *self.others]

    def rows(self, split: str) -> AnyRows:
        """Open one split.

        Raises:
            ValueError: If there is no such split, it holds no pictures in that column, or a file of it is damaged; the
                message says what there is.
            UnavailableError: If it cannot be read.
        """
        if split not in self.splits:
            raise ValueError(
                f"cannot open the split {split!r} of {self.spec}: "
                + (f"there is only {', '.join(self.splits)}" if self.splits else "there are no pictures")
                + "".join(f"; {line}" for line in self.listing.lines())
            )
        if split in self.listing.pictures:
            return self._listed(split)
        rows: AnyRows
        if split in self.listing.parquet:
            rows = ParquetRows(self.name, self.listing.parquet[split], self.column, self.root)
        elif split in self.saved:
            rows = SavedRows(self.name, Path(self.spec), self.saved[split], self.column)
        elif split in self.listing.tars:
            rows = streamed_tars(self.name, self.listing.tars[split], self.column)
        else:
            rows = StreamedRows(self.name, self.others[split], self.column)
        self._check(rows)
        return rows

    def _listed(self, split: str) -> ListedRows:
        """Pictures that are files; "image" is all of them, "jpg" or "mask.png" those whose names end so."""
        rows = self.listing.pictures[split]
        if self.column != _IMAGE:
            rows = [row for row in rows if row.name.lower().endswith(f".{self.column.lower()}")]
            if not rows:
                raise ValueError(f"{self.spec} has no column {self.column!r}, only image: choose with --image-column")
        return ListedRows(self.name, rows)

    def _check(self, rows: AnyRows) -> None:
        """Refuse a column that does not hold pictures in its first rows."""
        for row in itertools.islice(rows, _CHECKED):
            with suppress(DecodeError):
                row.picture()
                return
        raise ValueError(
            f"the column {self.column!r} of {self.spec} holds no pictures: none of its first {_CHECKED} rows decodes; "
            "choose another with --image-column"
        )


def open_dataset(spec: str, column: str = _IMAGE, *, config: str | None = None, revision: str | None = None) -> Dataset:
    """Find the files of a data set, and sort them by split.

    Args:
        spec: A Hub data set id; a folder of pictures, of zip, tar or parquet files, of what `hf download` or
            `save_to_disk` writes, of pairs (`color/`, `gray/`) or Lab arrays (`l/`, `ab/`); one such file; or a
            pattern of such files.
        column: Column that holds the pictures.
        config: Configuration, where the data set has several.
        revision: Branch, tag or commit of a Hub data set.

    Raises:
        ValueError: If there is no such data set or configuration, or a file of it is damaged.
    """
    if not is_local(spec):
        return _remote(spec, column, config, revision)
    if revision:
        raise ValueError(f"{spec} is here and no Hub data set: --dataset-revision is for those")
    path = Path(spec)
    name = printable(path.resolve().name) or "pictures"
    if path.is_dir() and is_saved(path):
        return Dataset(spec, name, column, saved=saved_splits(path))
    root = path if path.is_dir() else _literal(path)
    files, skipped, lone_color = walk(path) if path.is_dir() else (_matching(spec, root), [], [])
    card = read_card(path / "README.md")
    configs = configurations(card)
    if config and not configs:
        raise ValueError(f"{spec} has no configurations: leave --dataset-config out")
    try:
        if configs and (sorted_out := configured(files, configs, config)):
            files, skipped = sorted_out[0], [*skipped, *sorted_out[1]]
        listing = listed(name, files, skipped)
    except ValueError as error:
        raise ValueError(f"cannot open {spec}: {error}") from error
    listing.lone_color = lone_color
    return Dataset(spec, name, column, str(root), listing, license=stated_license(card))


def open_stream(
    spec: str, split: str, column: str = _IMAGE, *, config: str | None = None, revision: str | None = None
) -> AnyRows:
    """Open one split of a data set; see `open_dataset` and `Dataset.rows`."""
    return open_dataset(spec, column, config=config, revision=revision).rows(split)


def is_local(spec: str) -> bool:
    """Whether a data set is files of this machine, and not the Hub's."""
    return Path(spec).exists() or any(character in spec for character in _MAGIC)


def pictures(rows: AnyRows) -> Iterator[tuple[str, Image.Image | DecodeError]]:
    """Walk rows once in order; yields (name, picture), or (name, error) where one does not decode."""
    for row in rows:
        try:
            yield row.name, row.picture()
        except DecodeError as error:
            yield row.name, error


def _remote(spec: str, column: str, config: str | None, revision: str | None) -> Dataset:
    """A data set of the Hub."""
    if not _REPO_ID.fullmatch(spec):
        raise ValueError(f"cannot open {spec}: there is no such folder or file")
    try:
        found = contents(spec, config, revision)
    except ValueError as error:
        raise ValueError(f"cannot open {spec}: {error}") from error
    except (*hub.ERRORS, datasets.exceptions.DatasetNotFoundError) as error:
        raise ValueError(f"cannot open {spec}: there is no such folder or file, and the Hub says: {error}") from error
    name = spec.rpartition("/")[2]
    return Dataset(spec, name, column, found.root, found.listing, license=found.license, others=found.others)


def _literal(pattern: Path) -> Path:
    """The folder that a pattern or a file is below. A part that is there by its name is no pattern."""
    root, parts = Path(pattern.anchor), list(pattern.relative_to(pattern.anchor).parts)
    while len(parts) > 1 and (root / parts[0]).exists():
        root /= parts.pop(0)
    return root


def _matching(spec: str, root: Path) -> list[File]:
    """The files that a pattern below a folder stands for; or the one file that has that name."""
    below = str(Path(spec).relative_to(root))
    names = [below] if (root / below).is_file() else sorted(glob.glob(below, root_dir=root, recursive=True))
    files = [
        File(str(root / name), printable(name), tuple(map(printable, Path(name).parts[:-1])))
        for name in names
        if (root / name).is_file()
    ]
    if not files:
        raise ValueError(f"no file matches --dataset {spec}")
    return files
