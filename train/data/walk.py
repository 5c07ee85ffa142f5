"""One walk of a folder for everybody who reads pictures: every file below it, pairs and Lab arrays among them.

Pairs are folders `color/` and `gray/` with the same names in both: the color picture is the target, its lightness is
computed from it, and the gray one is not used. Lab arrays are folders `l/` and `ab/`, see `train.data.lab_arrays`.
"""

import os
import stat
from pathlib import Path
from typing import NamedTuple

from train.data.archives import Member
from train.data.lab_arrays import COLOR, LIGHT, LabRow, is_lab, lab_rows
from train.data.rows import printable

UNREADABLE, HIDDEN, UNPAIRED = "unreadable", "hidden or of the system", "gray without a color partner"
_COLOR, _GRAY = "color", "gray"
_SYSTEM = {"thumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin", "system volume information", "lost+found"}


class File(NamedTuple):
    """A file that may be a picture, or hold some."""

    place: str | Member | LabRow
    """Path or URL, member of an archive, or row of Lab arrays."""
    name: str
    """Where it is below the folder that was walked, on one printable line."""
    folders: tuple[str, ...]
    """The folders it is in below the one that was walked, less the `color` of pairs."""
    split: str | None = None
    """The split that it is in, where something else than its folders says so."""


class Skipped(NamedTuple):
    """A file that is not used."""

    name: str
    kind: str
    """Why, in words that are the same for many files."""
    detail: str = ""
    """Why this one."""

    @property
    def reason(self) -> str:
        """Both."""
        return f"{self.kind}: {self.detail}" if self.detail else self.kind


class Walk(NamedTuple):
    """What lies below a folder."""

    files: list[File]
    skipped: list[Skipped]
    lone_color: list[str]
    """Color pictures of pairs that have no gray partner; they are among the files all the same."""


def walk(folder: Path) -> Walk:
    """List every regular file below a folder, in the order of names, without reading any.

    Args:
        folder: Pairs, Lab arrays, or folders of files that may hold some of these. Links are followed, but not twice.

    Raises:
        ValueError: If it holds Lab arrays that cannot be used.
    """
    result = Walk([], [], [])
    _walk(folder, folder, (), result, set())
    return result


def is_hidden(name: str) -> bool:
    """Whether a file or folder is one that a file manager hides, or that an operating system made for itself."""
    return name.startswith(".") or name.lower() in _SYSTEM


def _walk(folder: Path, root: Path, folders: tuple[str, ...], result: Walk, seen: set[tuple[int, int]]) -> None:
    """Collect what is below a folder; one that was seen before, through some link, is not read again."""
    try:
        status = folder.stat()
        if (status.st_dev, status.st_ino) in seen:
            raise OSError("a link to a folder that is read under another name")
        seen.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as listing:  # links last, so that a folder goes by its own name
            entries = sorted(listing, key=lambda entry: (entry.is_symlink(), entry.name))
        arrays = is_lab(folder)
        pairs = (folder / _COLOR).is_dir() and (folder / _GRAY).is_dir()
    except OSError as error:
        result.skipped.append(Skipped(_name(folder, root), UNREADABLE, error.strerror or str(error)))
        return
    if arrays:
        result.files.extend(
            File(row, f"{_name(Path(row.l_file), root)}/{row.l_row:06d}", folders) for row in lab_rows(folder)
        )
    if pairs:
        _match(folder, root, result)
    handled = ((LIGHT, COLOR) if arrays else ()) + ((_GRAY,) if pairs else ())
    for entry in entries:
        path = folder / entry.name
        if is_hidden(entry.name):
            result.skipped.append(Skipped(_name(path, root), HIDDEN))
            continue
        try:
            mode = entry.stat().st_mode
        except OSError as error:
            result.skipped.append(Skipped(_name(path, root), UNREADABLE, error.strerror or str(error)))
            continue
        if stat.S_ISREG(mode):
            result.files.append(File(str(path), _name(path, root), folders))
        elif not stat.S_ISDIR(mode):  # reading from a pipe would wait for ever
            result.skipped.append(Skipped(_name(path, root), UNREADABLE, "not a regular file"))
        elif entry.name not in handled:
            below = () if pairs and entry.name == _COLOR else (printable(entry.name),)
            _walk(path, root, folders + below, result, seen)


def _match(folder: Path, root: Path, result: Walk) -> None:
    """Note the pictures of pairs that have no partner; a partner may be of another format."""
    color, gray = _by_stem(folder / _COLOR), _by_stem(folder / _GRAY)
    result.lone_color.extend(_name(color[stem], root) for stem in sorted(color.keys() - gray.keys()))
    lone_gray = (_name(gray[stem], root) for stem in sorted(gray.keys() - color.keys()))
    result.skipped.extend(Skipped(name, UNPAIRED) for name in lone_gray)


def _by_stem(folder: Path) -> dict[Path, Path]:
    """Every file below a folder that is not hidden, by its place there without suffix."""
    files = (Path(place, name) for place, _, names in os.walk(folder) for name in names if not is_hidden(name))
    return {file.relative_to(folder).with_suffix(""): file for file in files}


def _name(path: Path, root: Path) -> str:
    """Where a file is below the folder that is walked."""
    return printable(path.relative_to(root).as_posix())
