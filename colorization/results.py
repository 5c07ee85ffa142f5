"""Results and the record of them: which file each was made of, with which model and settings; other source, other name.

Beside the models' folders of results lies a hidden one, `.colorize/MODEL/`, with a JSON file for each result. A process
that wants to write a result creates its record first, which of several processes only one can. It completes the record
when the result is there.
"""

import hashlib
import itertools
import json
import os
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from colorization.atomic import create, written
from colorization.guidance import Guidance

RECORDS = ".colorize"  # the folder of records
_VERSION = 1
_MAX_NAME = 255  # bytes, of most file systems


@dataclass(frozen=True)
class Making:
    """What a result is made with."""

    model: str
    weights: str
    """SHA-256."""
    settings: Mapping[str, Any]
    """By name, in JSON's types."""


class Content(NamedTuple):
    """The content of a source, and what tells without reading it that it is still the same."""

    sha256: str
    stat: list[int]
    """Size, times of the last change of the content and of anything in nanoseconds, inode; empty without a file."""

    @classmethod
    def of_bytes(cls, data: bytes) -> "Content":
        """What came without a file."""
        return cls(hashlib.sha256(data).hexdigest(), [])

    @classmethod
    def of(cls, file: Path) -> "Content":
        """Read a file; raises OSError."""
        stat = stat_of(file)  # before it is read: what changes meanwhile is told by it
        with file.open("rb") as data:
            return cls(hashlib.file_digest(data, "sha256").hexdigest(), stat)


class Reserved(NamedTuple):
    """A result's path, and what is to be done for it."""

    place: Path
    """The path below the folder of each model."""
    missing: list[str]
    """The models whose result is not there, or was made of another content or otherwise."""
    notes: tuple[str, ...]


class Results:
    """The results of a run, in a folder for each model."""

    def __init__(self, output: Path, makings: Mapping[str, Making], overwrite: bool = False) -> None:
        """Nothing is written yet.

        Args:
            output: What the models' folders lie in.
            makings: By the names of these folders.
            overwrite: Whether results that are there are made again, and files without a record replaced.
        """
        self.output, self.makings, self.overwrite = output, makings, overwrite

    def reserve(
        self,
        source: Path | None,
        content: Content | None,
        wanted: Path,
        suffix: str,
        guidance: Guidance | None = None,
    ) -> Reserved:
        """Reserve a result's path, the same for all models.

        Args:
            source: The file; None for standard input.
            content: What was read of it, where it was; of standard input it always is.
            wanted: The path without a suffix. It gets a number where another source's result is.
            suffix: Of the result.
            guidance: What steers its colors.

        Raises:
            OSError: If the source cannot be read, or the records cannot be written.
        """
        identity = self.identity(source, content)
        strange: Path | None = None
        for number in itertools.count(1):
            place = _named(wanted, f"-{number}" if number > 1 else "", suffix)
            if any(self._is_of_another(name, place, identity, source, content) for name in self.makings):
                continue
            if not self.overwrite and any(self._belongs_to_others(name, place) for name in self.makings):
                strange = strange or place
            elif all(self._claim(name, place, identity) for name in self.makings):
                break
        missing = [name for name in self.makings if not self._is_made(name, place, source, content, guidance)]
        notes = (f"its result is {place}: there is a {strange} that is not recorded as a result",) if strange else ()
        return Reserved(place, missing, notes)

    def complete(
        self, name: str, place: Path, source: Path | None, content: Content, guidance: Guidance | None = None
    ) -> None:
        """Record what a model's result was made of, now that it is there."""
        record = _claim_of(place, self.identity(source, content))
        record |= {"sha256": content.sha256, "stat": content.stat, "made": _made(self.makings[name], guidance)}
        with written(self._record(name, place)) as file:
            file.write_text(json.dumps(record, indent=1), encoding="utf-8")

    def release(self, place: Path, source: Path | None, content: Content | None) -> None:
        """Give a reserved path up where no result came of it; raises OSError."""
        for name in self.makings:
            file = self._record(name, place)
            record = _read(file)
            if record and record["source"] == self.identity(source, content) and "made" not in record:
                file.unlink(missing_ok=True)

    def identity(self, source: Path | None, content: Content | None) -> str:
        """What tells a source from others: its path from the output folder, so that both may be moved together."""
        if source is None:
            return f"standard input, sha256 {content.sha256 if content else ''}"
        absolute = source.parent.resolve() / source.name
        try:
            return Path(os.path.relpath(absolute, self.output.resolve())).as_posix()
        except ValueError:  # another drive of Windows
            return absolute.as_posix()

    def _is_made(
        self, name: str, place: Path, source: Path | None, content: Content | None, guidance: Guidance | None
    ) -> bool:
        """Whether a result is there, made of this very content with this very making and guidance."""
        record = _read(self._record(name, place)) or {}
        if self.overwrite or record.get("made") != _made(self.makings[name], guidance):
            return False
        if not (self.output / name / place).is_file():
            return False
        if content is None and source is not None:
            if record.get("stat") == stat_of(source):
                return True
            content = Content.of(source)
        return content is not None and record.get("sha256") == content.sha256

    def _is_of_another(
        self, name: str, place: Path, identity: str, source: Path | None, content: Content | None
    ) -> bool:
        """Whether a path is another source's. A file that was moved is no other: it is where it was no more."""
        file = self._record(name, place)
        record = _read(file)
        if record is None:
            return file.exists()  # damaged: nobody's
        if record["source"] == identity:
            return False
        if source is None or "sha256" not in record or (self.output / str(record["source"])).exists():
            return True
        if record["sha256"] != (content or Content.of(source)).sha256:
            return True
        with written(file) as unfinished:
            unfinished.write_text(json.dumps(record | {"source": identity}, indent=1), encoding="utf-8")
        return False

    def _belongs_to_others(self, name: str, place: Path) -> bool:
        """Whether a file without a record is at a result's path."""
        return not self._record(name, place).exists() and os.path.lexists(self.output / name / place)

    def _claim(self, name: str, place: Path, identity: str) -> bool:
        """Create the record of a path; returns whether it is this source's, or another process was faster."""
        file = self._record(name, place)
        file.parent.mkdir(parents=True, exist_ok=True)
        create(file, json.dumps(_claim_of(place, identity)).encode())
        return (_read(file) or {}).get("source") == identity

    def _record(self, name: str, place: Path) -> Path:
        """The record of a result. Names that some systems take for equal share one, as their files would be one."""
        folded = unicodedata.normalize("NFC", place.as_posix()).casefold().encode(errors="surrogateescape")
        return self.output / RECORDS / name / f"{hashlib.sha256(folded).hexdigest()[:32]}.json"


def stat_of(file: Path) -> list[int]:
    """What tells without reading a file that its content is still the same; see `Content`."""
    status = file.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def recorded(output: Path) -> set[Path]:
    """The results in a folder, as far as records say."""
    records = ((file.parent.name, _read(file)) for file in (output / RECORDS).glob("*/*.json"))
    return {output / name / str(record["result"]) for name, record in records if record}


def _claim_of(place: Path, identity: str) -> dict[str, Any]:
    return {"version": _VERSION, "result": place.as_posix(), "source": identity}


def _made(making: Making, guidance: Guidance | None) -> dict[str, Any]:
    """What a result is made with, as it comes back from JSON."""
    made = json.loads(json.dumps(asdict(making)))
    return made | {"guidance": json.loads(guidance.to_json())} if guidance else made


def _read(file: Path) -> dict[str, Any] | None:
    """A record; None if there is none, or it is damaged."""
    try:
        record = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    usable = isinstance(record, dict) and record.get("version") == _VERSION and {"result", "source"} <= record.keys()
    return record if usable else None


def _named(wanted: Path, number: str, suffix: str) -> Path:
    """A path with a suffix and perhaps a number; its name is cut where it would be too long."""
    name = wanted.name
    while len(os.fsencode(name + number + suffix)) > _MAX_NAME:
        name = name[:-1]
    return wanted.with_name(name + number + suffix)
