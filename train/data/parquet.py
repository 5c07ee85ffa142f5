"""Parquet files of a data set, here or on the Hub, read by row groups."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
from datasets.utils.file_utils import xopen
from numpy.typing import NDArray
from pyarrow.parquet import FileMetaData, ParquetFile

from colorization import hub
from train.data.archives import damaged
from train.data.rows import Row, Rows, UnavailableError, cell_name, from_cell, is_url, printable

SOURCE = "source"
"""Column that names where a picture comes from."""

_FOOTERS = 16  # read at a time: on the Hub each is some requests
_ROWS = 16  # read at a time
_BUFFER = 1 << 20  # bytes: a row group is read by pages, never as a whole
_BLOCK = 32 << 20  # bytes of pictures that may be in memory at a time


class ParquetRows(Rows):
    """Rows of parquet files; the pieces are row groups."""

    def __init__(self, name: str, files: Sequence[str], column: str, root: str = "") -> None:
        """Read the files' footers.

        Args:
            name: What the data set is called in messages.
            files: Paths or URLs.
            column: Holds the pictures.
            root: Of the files; what is below it names them.

        Raises:
            ValueError: If a file is damaged, or has no such column, or it cannot hold pictures.
            UnavailableError: If a file cannot be read.
        """
        self.files, self.column = list(files), column
        self.labels = [printable(file.removeprefix(root).lstrip("/")) for file in files]
        with ThreadPoolExecutor(_FOOTERS) as pool:
            self.footers = list(pool.map(_footer, self.files))
        for file, footer in zip(self.files, self.footers, strict=True):
            self._check(file, footer.schema.to_arrow_schema())
        self.groups = [(f, group) for f, footer in enumerate(self.footers) for group in range(footer.num_row_groups)]
        groups = [self.footers[f].row_group(group) for f, group in self.groups]
        super().__init__(name, [group.num_rows for group in groups])
        size = sum(group.total_byte_size for group in groups) / max(1, len(self.numbers))
        self.block = int(np.clip(_BLOCK / max(1, size), 16, self.block))

    def _check(self, file: str, schema: pa.Schema) -> None:
        if self.column not in schema.names:
            raise ValueError(
                f"{file} has no column {self.column!r}, only {', '.join(schema.names)}: choose with --image-column"
            )
        kind = schema.field(self.column).type
        parts = {kind.field(i).name for i in range(kind.num_fields)} if pa.types.is_struct(kind) else set()
        flat = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_string, pa.types.is_large_string)
        if not parts & {"bytes", "path"} and not any(is_kind(kind) for is_kind in flat):
            raise ValueError(
                f"the column {self.column!r} of {file} holds no pictures but {kind}: choose another with --image-column"
            )

    def read_piece(self, piece: int) -> Iterator[Row]:
        """See `Rows.read_piece`."""
        f, group = self.groups[piece]
        file, footer = self.files[f], self.footers[f]
        number = sum(footer.row_group(g).num_rows for g in range(group))
        stem = str(PurePosixPath(self.labels[f]).with_suffix(""))
        columns = [c for c in (self.column, SOURCE) if c in footer.schema.to_arrow_schema().names]
        folder = None if is_url(file) else Path(file).parent
        with _opened(file, footer) as parquet:
            batches = parquet.iter_batches(_ROWS, row_groups=[group], columns=columns, use_threads=False)
            while (batch := _checked(file, next, batches, None)) is not None:
                for cells in batch.to_pylist():
                    cell, source = cells[self.column], cells.get(SOURCE)
                    name = cell_name(cell, stem, number)
                    yield Row(name, str(source or self.name), from_cell(cell, folder))
                    number += 1

    def sources(self) -> NDArray[np.str_]:
        """The column `source`."""
        values: list[str] = []
        for file, footer in zip(self.files, self.footers, strict=True):
            names = footer.schema.to_arrow_schema().names
            if SOURCE not in names:
                raise ValueError(f"{file} has no column {SOURCE!r}, only {', '.join(names)}")
            with _opened(file, footer) as parquet:
                column = _checked(file, parquet.read, [SOURCE], use_threads=False)[SOURCE].to_pylist()
            values += (str(source or self.name) for source in column)
        return np.array(values)

    def keys(self) -> Sequence[str]:
        """Each file's name and the row's number in it."""
        pairs = zip(self.labels, self.footers, strict=True)
        return [f"{label}/{number}" for label, footer in pairs for number in range(footer.num_rows)]

    def facts(self) -> Iterator[str]:
        """Names, rows and bytes of the files."""
        for label, footer in zip(self.labels, self.footers, strict=True):
            size = sum(footer.row_group(group).total_byte_size for group in range(footer.num_row_groups))
            yield f"{label} {footer.num_rows} {size}"


@contextmanager
def _opened(file: str, footer: FileMetaData | None = None) -> Iterator[ParquetFile]:
    """An open file; see `_checked` for what it raises."""
    # Arrow reads a path by itself, without Python's lock.
    source: Any = _checked(file, xopen, file, "rb") if is_url(file) else file
    parquet = _checked(file, ParquetFile, source, metadata=footer, buffer_size=_BUFFER)
    try:
        yield parquet
    finally:
        parquet.close()
        if is_url(file):
            source.close()


def _checked(file: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call a function that reads a file; what is wrong with the file is said with its name.

    Raises:
        ValueError: If it is damaged.
        UnavailableError: If it cannot be read.
    """
    try:
        return function(*arguments, **options)
    except (pa.ArrowException, *hub.ERRORS) as error:
        # Arrow's word for damaged bytes is a bare OSError without a number; all others are the system's or the Hub's.
        if isinstance(error, pa.ArrowException) or (type(error) is OSError and error.errno is None):
            raise ValueError(damaged(file, error)) from error
        raise UnavailableError(f"{file}: {hub.explain(error)}") from error


def _footer(file: str) -> FileMetaData:
    """A file's number of rows, its row groups and columns."""
    with _opened(file) as parquet:
        return parquet.metadata
