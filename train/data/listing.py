"""What is found: pictures, archives and parquet files among many files, their splits, and what is skipped and why."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from colorization.decode.pillow import has_heif
from train.data.archives import SUFFIXES, UNREAD, Member, NoMember, members, read_member
from train.data.lab_arrays import LabRow
from train.data.rows import Row, is_url, printable
from train.data.splits import TRAIN, shard_split, split_of
from train.data.walk import HIDDEN, UNREADABLE, File, Skipped, is_hidden

NO_PICTURE, PACKED = "of no kind that is read", "packed so that they must be unpacked first"
OUTSIDE, BESIDE = "beside the folders of the splits", "beside parquet files"
PARQUET = ".parquet"
_JPEG = {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"}
_PICTURES = _JPEG | {".png", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".avif"}
_HEIF = {".heic", ".heif", ".hif"}
_RAW = {".dng", ".nef", ".cr2", ".cr3", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw"}  # which begin as TIFF does
_BEGINNINGS = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n|RIFF....WEBP|GIF8|BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0|II\*\0|MM\0\*|....ftypavi[fs]",
    re.DOTALL,
)
_METADATA = {"metadata.parquet"}  # of a folder of pictures, as `datasets` calls it
_NUMBER = re.compile(r"[-_.]?\d+([-_]of[-_]\d+)?$")  # of a shard
_SHOWN = 3  # names in a message; there may be thousands


@dataclass
class Listing:
    """What a data set consists of."""

    pictures: dict[str, list[Row]] = field(default_factory=dict)
    """By split."""
    parquet: dict[str, list[str]] = field(default_factory=dict)
    """Paths or URLs by split; if there are any, nothing else is used."""
    tars: dict[str, list[str]] = field(default_factory=dict)
    """URLs, by split, of tars that are not here: they can only be read from the beginning."""
    skipped: list[Skipped] = field(default_factory=list)
    lone_color: list[str] = field(default_factory=list)
    """Color pictures of pairs that have no gray partner; they are used all the same."""

    @property
    def splits(self) -> list[str]:
        """The names of the splits that there are."""
        return list(self.parquet or self.tars or self.pictures)

    def lines(self) -> Iterator[str]:
        """What is skipped, by kind, with some of the names, and what is not known before it is read."""
        for kind, count in Counter(skipped.kind for skipped in self.skipped).most_common():
            names = [skipped.name for skipped in self.skipped if skipped.kind == kind]
            yield f"skipped: {count:,} {kind} ({_some(names)})"
        if self.lone_color:
            yield f"{len(self.lone_color):,} without a gray partner, used all the same ({_some(self.lone_color)})"
        if self.tars:
            yield (
                f"tar files of the Hub ({sum(map(len, self.tars.values())):,}) are not listed before they are read: "
                "what is no picture in them is skipped, but not counted"
            )


def listed(name: str, files: Iterable[File], skipped: Iterable[Skipped] = ()) -> Listing:
    """Sort files by what they are, and their pictures by split.

    The splits of pictures are folders that are named so: train, validation (val, valid), test; of parquet files and
    archives their own names tell too, see `shard_split`. What is in no such folder is for training, unless there is a
    folder `train` beside it.

    Args:
        name: The source of pictures that are in no folder.
        files: As `walk` lists them, or with URLs for places.
        skipped: What is skipped already.

    Raises:
        ValueError: If an archive is damaged.
    """
    listing = Listing(skipped=[*skipped])
    pictures: list[File] = []
    parquet: list[File] = []
    tars: list[File] = []
    for file in _unpacked(files, listing.skipped):
        kind = _kind(file)
        if kind is None:
            packed = file.name.lower().endswith(UNREAD)
            listing.skipped.append(Skipped(file.name, PACKED if packed else NO_PICTURE))
        else:
            {"picture": pictures, PARQUET: parquet, ".tar": tars}[kind].append(file)
    if parquet or tars:
        listing.skipped.extend(Skipped(file.name, BESIDE) for file in pictures)
        listing.parquet, listing.tars = _by_split(parquet), _by_split([] if parquet else tars)
        listing.skipped.extend(Skipped(file.name, BESIDE) for file in (tars if parquet else ()))
        return listing
    by_folder = [split_of(file.folders) for file in pictures]
    others = None if any(split == TRAIN for split, _ in by_folder) else TRAIN
    for file, (split, folders) in zip(pictures, by_folder, strict=True):
        if use := file.split or split or others:
            row = Row(file.name, folders[0] if folders else name, file.place)
            listing.pictures.setdefault(use, []).append(row)
        else:
            listing.skipped.append(Skipped(file.name, OUTSIDE))
    return listing


def _unpacked(files: Iterable[File], skipped: list[Skipped]) -> Iterator[File]:
    """Files, and the members of archives as if they were in a folder of the archive's name without its number."""
    for file in files:
        remote_tar = isinstance(file.place, str) and is_url(file.place) and file.name.lower().endswith(".tar")
        if not isinstance(file.place, str) or not file.name.lower().endswith(SUFFIXES) or remote_tar:
            yield file
            continue
        for member in members(file.place):
            path = PurePosixPath(member.name.replace("\\", "/"))
            name = f"{file.name}/{printable(str(path))}"
            if isinstance(member, NoMember):
                skipped.append(Skipped(name, UNREADABLE, member.reason))
            elif any(map(is_hidden, path.parts)):
                skipped.append(Skipped(name, HIDDEN))
            else:
                inside = tuple(map(printable, path.parts[:-1]))
                folders = inside if split_of(inside)[0] else _folder_of(file, inside)
                yield File(member, name, file.folders + folders, file.split)


def _folder_of(archive: File, inside: tuple[str, ...]) -> tuple[str, ...]:
    """The folders of an archive's member: its split or its name, and those inside."""
    stem = PurePosixPath(archive.name).stem
    own = shard_split(stem) or _NUMBER.sub("", stem)
    return (own, *inside) if own else inside


def is_picture(path: PurePosixPath, head: bytes) -> bool:
    """Whether a file is a picture that is read here: by its suffix, or if that says nothing, by its first bytes."""
    suffix, name = path.suffix.lower(), path.name.lower()
    if suffix in _RAW or name.endswith(UNREAD):
        return False
    if suffix in _HEIF:
        return has_heif()
    return suffix in _PICTURES or bool(_BEGINNINGS.match(head))


def _kind(file: File) -> str | None:
    """What a file is: "picture", ".parquet", ".tar", or None."""
    if isinstance(file.place, LabRow):
        return "picture"
    path = PurePosixPath(file.name)
    if isinstance(file.place, str) and (suffix := path.suffix.lower()) in (PARQUET, ".tar"):
        return None if path.name.lower() in _METADATA else suffix
    return "picture" if path.suffix.lower() in _PICTURES or is_picture(path, _head(file.place)) else None


def _head(place: str | Member) -> bytes:
    """The first bytes of a file; none of one that would have to be fetched for them, or that cannot be read."""
    try:
        if isinstance(place, Member):
            return read_member(place._replace(size=24)) if not is_url(place.archive) else b""
        if is_url(place):
            return b""
        with Path(place).open("rb") as file:
            return file.read(24)
    except Exception:  # a damaged archive may raise anything at all
        return b""


def _by_split(shards: list[File]) -> dict[str, list[str]]:
    """Shards by split: by their folder, else by their name; without either they are for training."""
    splits: dict[str, list[str]] = defaultdict(list)
    for shard in shards:
        by_folder = next(filter(None, (split_of((folder,))[0] for folder in shard.folders)), None)
        stem, in_data = PurePosixPath(shard.name).stem, shard.folders[:1] == ("data",)
        split = shard.split or by_folder or shard_split(stem, in_data) or TRAIN
        splits[split].append(str(shard.place))
    return dict(splits)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
