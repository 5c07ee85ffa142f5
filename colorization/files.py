"""Files to color: what is named and what lies in folders, told by content; and what is skipped, in one line."""

import os
import stat
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from colorization import signatures
from colorization.results import RECORDS, recorded
from colorization.sources import NAMES

PICTURES = frozenset((".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"))
_HEIF = frozenset((".heic", ".heif", ".hif"))
_RAW = frozenset(
    (
        *(".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".sr2", ".srf", ".raf", ".orf", ".rw2", ".pef"),
        *(".srw", ".x3f", ".3fr", ".fff", ".iiq", ".erf", ".mrw", ".dcr", ".kdc", ".raw", ".rwl", ".mos", ".mef"),
    )
)
_PROMISES = PICTURES | {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ogv"}
_SUFFIXES = _PROMISES | _HEIF | _RAW | signatures.SUFFIXES
_UNREAD = frozenset(
    (
        *(".jp2", ".j2k", ".jpf", ".jpx", ".jxl", ".jxr", ".wdp", ".psd", ".psb", ".xcf", ".kra", ".exr", ".hdr"),
        *(".dpx", ".cin", ".tga", ".pcx", ".ico", ".svg", ".svgz", ".eps", ".ai", ".pdf", ".djvu", ".ppm", ".pgm"),
        *(".pbm", ".pnm", ".fits", ".fit", ".dds", ".emf", ".wmf", ".rm", ".rmvb", ".swf", ".r3d", ".braw"),
    )
)
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)  # bytes: without them, any text that begins with "BM" would be one
_SYSTEM_FILES = frozenset(("@eadir", "__macosx", "thumbs.db", "desktop.ini", "$recycle.bin", "#recycle"))
HINTS = ".hints.json"
_RESULT_FOLDERS = frozenset((*NAMES, "side-by-side"))
STDIN = "-"


class Source(NamedTuple):
    """A file to color."""

    file: Path
    wanted: Path
    """The path of the result below the folder of each model, without a suffix."""
    is_video: bool = False
    data: bytes | None = None
    """What came by standard input, else None."""

    @property
    def named(self) -> Path | None:
        """The file; None for standard input, which has no name."""
        return self.file if self.data is None else None


@dataclass
class Found:
    """What `find` found."""

    sources: list[Source] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    """How many pictures and videos of each kind lie in the folders and are not colored, and what else is skipped."""
    closed: list[Path] = field(default_factory=list)
    """Folders that may not be read."""

    def summary(self) -> str:
        """What was skipped, as one line; nothing if nothing was."""
        kinds = [f"{count} {kind}" for kind, count in self.left_out.most_common()]
        if self.closed:
            names = ", ".join(map(str, self.closed[:3])) + ", ..." * (len(self.closed) > 3)
            kinds.append(f"{len(self.closed)} folders that may not be read ({names})")
        return f"left out: {', '.join(kinds)}" if kinds else ""


def find(paths: Iterable[Path], output: Path | None, max_bytes: int) -> Found:
    """List every file named, and every picture and video below every folder named.

    In folders content decides, whatever a file is called. What has the name of a usual picture or video is listed too,
    so that a damaged one is not skipped. Results of this program are skipped, and hidden files and what systems keep
    beside files.

    Args:
        paths: Files, folders, and `-` for standard input.
        output: Where results go.
        max_bytes: One more is read of standard input at most.

    Returns:
        The sources, in the order of the paths and of the names below each; sub-folders are kept in `wanted`.
    """
    found = Found()
    for path in paths:
        if str(path) == STDIN:
            found.sources.append(_standard_input(max_bytes))
        elif stat.S_ISDIR(_mode(path)):
            inside = sorted(_files(path, output, found))
            found.sources += (source for file in inside if (source := _in_folder(file, path, found)))
        else:
            found.sources.append(Source(path, Path(stem(path)), _is_video(path)))
    return found


def stem(file: Path) -> str:
    """A file's name without its suffix, if that is one of pictures or videos: "No. 12" stays whole."""
    return file.stem if file.suffix.lower() in _SUFFIXES else file.name


def _standard_input(max_bytes: int) -> Source:
    data = sys.stdin.buffer.read(max_bytes + 1)
    return Source(Path("stdin.jpg" if data.startswith(_SIGNATURES[0]) else "stdin"), Path("stdin"), data=data)


def _files(top: Path, output: Path | None, found: Found) -> Iterator[Path]:
    """Go through a folder and those below it; links to folders are not followed, as they may lead in circles."""
    target = output.resolve() if output else None
    results = {top / file.relative_to(top.resolve()) for file in _recorded_above(top.resolve())}

    def closed(error: OSError) -> None:
        found.closed.append(Path(error.filename))

    for folder, names, files in os.walk(top, onerror=closed):
        here = Path(folder)
        found.left_out["links to folders"] += sum((here / name).is_symlink() for name in names)
        names[:] = (name for name in names if not _is_skipped(name))
        if (here / RECORDS).is_dir():
            results |= recorded(here)
        elif here.resolve() == target:  # version 0.2 kept no records
            found.left_out["folders of results"] += len(_RESULT_FOLDERS & set(names))
            names[:] = (name for name in names if name not in _RESULT_FOLDERS)
        yield from (here / name for name in files if not _is_skipped(name) and here / name not in results)
    found.left_out = +found.left_out  # without what counts 0


def _recorded_above(top: Path) -> Iterator[Path]:
    """Results in a folder that itself lies in a folder of results."""
    for parent in top.parents:
        if (parent / RECORDS).is_dir():
            yield from (file for file in recorded(parent) if top in file.parents)


def _is_skipped(name: str) -> bool:
    """Whether a file is hidden, one that a system keeps for itself, or the hints of a picture."""
    return name.startswith((".", "~$")) or name.lower() in _SYSTEM_FILES or name.lower().endswith(HINTS)


def _in_folder(file: Path, top: Path, found: Found) -> Source | None:
    """A file of a folder as a source; None if it is skipped, which is counted."""
    suffix = file.suffix.lower()
    try:
        if not stat.S_ISREG(_mode(file)):
            found.left_out["that are no regular files" if file.exists() else "links to nothing"] += 1
            return None
        video = suffix not in _RAW and signatures.is_video(file, by_name=suffix in _PROMISES)
        if video or suffix in PICTURES or (suffix not in _RAW and _is_picture(file)):
            return Source(file, file.relative_to(top).with_name(stem(file)), video)
    except OSError:
        if suffix in _PROMISES:  # whoever reads it says why it cannot be read
            return Source(file, file.relative_to(top).with_name(stem(file)))
    if suffix in _SUFFIXES | _UNREAD:  # other files are no pictures for anybody
        found.left_out[suffix] += 1
    return None


def _is_video(file: Path) -> bool:
    """Whether a file is a video; whoever reads it says why it cannot be read."""
    try:
        return stat.S_ISREG(_mode(file)) and signatures.is_video(file)
    except OSError:
        return False


def _mode(path: Path) -> int:
    """What a path is, for `stat.S_ISREG` and its like; 0, which is nothing, if that cannot be known."""
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _is_picture(file: Path) -> bool:
    """Whether a file begins as the pictures do that are read."""
    with file.open("rb") as data:
        start = data.read(64)
    if start[4:8] == b"ftyp":
        from colorization.decode.pillow import has_heif

        brands = (start[8:12], *(start[at : at + 4] for at in range(16, 64, 4)))
        is_avif = b"avif" in brands or b"avis" in brands
        return is_avif or (has_heif() and any(brand in _HEIF_BRANDS for brand in brands))
    if start[:4] == b"RIFF":
        return start[8:12] == b"WEBP"
    if start[:2] == b"BM":
        return int.from_bytes(start[14:18], "little") in _BMP_HEADERS
    return start.startswith(_SIGNATURES)
