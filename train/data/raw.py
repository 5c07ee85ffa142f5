"""Pictures in folders: plain files, and the two raw forms of the earlier rounds. Knows no `datasets`.

Pairs are folders `color/` and `gray/` with the same names in both: the color picture is the target, its lightness is
computed from it, and the gray one is not used. Lab arrays are folders `l/` and `ab/`, see `train.data.lab_arrays`.
"""

import os
import stat
from pathlib import Path
from typing import NamedTuple

from colorization.decode import STRANGERS
from train.data.lab_arrays import COLOR, LIGHT, LabRow, is_lab, lab_rows, to_bmp

_COLOR, _GRAY = "color", "gray"


class Item(NamedTuple):
    """One picture, not read yet."""

    where: str | LabRow
    """The picture's file, or the row of Lab arrays."""
    name: str
    """Where it is below the folder that was scanned, on one printable line."""
    folders: tuple[str, ...]
    """The folders it is in below the one that was scanned, less `color`."""


class Found(NamedTuple):
    """What lies below a folder."""

    items: list[Item]
    bad: list[tuple[str, str]]
    """Names of what cannot be read at all, each with the reason."""
    lone_color: list[str]
    """Color pictures of pairs that have no gray partner; they are items all the same."""
    lone_gray: list[str]
    """Gray pictures of pairs that have no color partner."""


def is_raw(folder: Path) -> bool:
    """Whether a folder holds pairs or Lab arrays."""
    return is_lab(folder) or _is_pairs(folder)


def scan(folder: Path) -> Found:
    """List every picture below a folder, in the order of names, without reading any.

    Args:
        folder: Pairs, Lab arrays, or folders of files that may hold some of these. Links are followed, but not twice.

    Returns:
        Every regular file as an item (whether it is a picture, only reading it tells), and what was noticed.

    Raises:
        ValueError: If it is no folder, or holds Lab arrays that cannot be used.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder here: give one with pictures, pairs or Lab arrays in it")
    result = Found([], [], [], [])
    _walk(folder, folder, (), result, set())
    return result


def read(item: Item) -> bytes:
    """Read one picture.

    Args:
        item: As `scan` found it.

    Returns:
        The whole file; of Lab arrays a BMP.

    Raises:
        DecodeError: If the file is empty or too large, or the arrays hold NaN or infinite numbers.
        OSError: If it cannot be read.
    """
    if isinstance(item.where, LabRow):
        return to_bmp(item.where)
    file = Path(item.where)
    STRANGERS.check_bytes(file.stat().st_size)  # before it is read
    return file.read_bytes()


def printable(name: str) -> str:
    """A name on one line, in letters that every file format can hold."""
    return "".join(c if c.isprintable() else "?" for c in name)


def _is_pairs(folder: Path) -> bool:
    """Whether a folder holds `color/` and `gray/`."""
    return (folder / _COLOR).is_dir() and (folder / _GRAY).is_dir()


def _walk(folder: Path, root: Path, folders: tuple[str, ...], result: Found, seen: set[tuple[int, int]]) -> None:
    """Collect what is below a folder; one that was seen before, through some link, is not read again."""
    try:
        status = folder.stat()
        if (status.st_dev, status.st_ino) in seen:
            raise OSError("a link to a folder that is read under another name")
        seen.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as listing:  # links last, so that a folder goes by its own name
            entries = sorted(listing, key=lambda entry: (entry.is_symlink(), entry.name))
        arrays, pairs = is_lab(folder), _is_pairs(folder)
    except OSError as error:
        result.bad.append((_name(folder, root), error.strerror or str(error)))
        return
    if arrays:
        result.items.extend(
            Item(row, f"{_name(Path(row.l_file), root)}/{row.l_row:06d}", folders) for row in lab_rows(folder)
        )
    if pairs:
        _match(folder, root, result)
    handled = ((LIGHT, COLOR) if arrays else ()) + ((_GRAY,) if pairs else ())
    for entry in entries:
        path = folder / entry.name
        try:
            mode = entry.stat().st_mode
        except OSError as error:
            result.bad.append((_name(path, root), error.strerror or str(error)))
            continue
        if stat.S_ISREG(mode):
            result.items.append(Item(str(path), _name(path, root), folders))
        elif not stat.S_ISDIR(mode):  # reading from a pipe would wait for ever
            result.bad.append((_name(path, root), "not a regular file"))
        elif entry.name not in handled:
            below = () if pairs and entry.name == _COLOR else (printable(entry.name),)
            _walk(path, root, folders + below, result, seen)


def _match(folder: Path, root: Path, result: Found) -> None:
    """Note the pictures of pairs that have no partner; a partner may be of another format."""
    color, gray = _by_stem(folder / _COLOR), _by_stem(folder / _GRAY)
    result.lone_color.extend(_name(color[stem], root) for stem in sorted(color.keys() - gray.keys()))
    result.lone_gray.extend(_name(gray[stem], root) for stem in sorted(gray.keys() - color.keys()))


def _by_stem(folder: Path) -> dict[Path, Path]:
    """Every file below a folder, by its place there without suffix."""
    files = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    return {file.relative_to(folder).with_suffix(""): file for file in files}


def _name(path: Path, root: Path) -> str:
    """Where a file is below the folder that was scanned."""
    return printable(path.relative_to(root).as_posix())
