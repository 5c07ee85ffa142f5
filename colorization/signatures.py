"""Signatures: the first bytes of a file, by which a video is told from a picture, whatever its name is."""

from pathlib import Path

SUFFIXES = frozenset(
    (
        *(".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".mkv", ".webm", ".avi", ".divx", ".mpg", ".mpeg", ".m2v"),
        *(".vob", ".ts", ".mts", ".m2ts", ".m2t", ".trp", ".ogv", ".ogm", ".flv", ".f4v", ".wmv", ".asf", ".mxf"),
        *(".dv", ".dif"),
    )
)
"""What the names of videos end in."""

_READ = 1 << 16  # bytes; what comes before an MXF header may take nearly as many
_AT_START = (
    b"RIFF",  # AVI, and Video CDs; also sounds and pictures
    b"OggS",
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF, WMV
    b"FLV\x01",
    b"\x00\x00\x01\xba",  # MPEG program stream, as on a DVD
    b"\x00\x00\x01\xb3",  # MPEG-1 and MPEG-2 video by itself
    b"\x1f\x07\x00\x3f",  # DV, 525 lines
    b"\x1f\x07\x00\xbf",  # DV, 625 lines
)
_ASF_VIDEO = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")  # the type of a stream
_MXF = bytes.fromhex("060e2b34020501010d010201")
_MATROSKA_SOUND, _MATROSKA_VIDEO = b"\x83\x81\x02", b"\x83\x81\x01"  # the type of a track
_OGG_SOUND, _OGG_VIDEO = (
    (b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   "),
    (b"\x80theora", b"BBCD\x00", b"\x01video"),
)
_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")  # with which QuickTime files without `ftyp` begin
_PICTURE_BRANDS = (
    *(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis", b"crx ", b"miaf"),
)
_SOUND_BRANDS = (b"M4A ", b"M4B ", b"M4P ")
_PACKETS = {188: 0, 192: 4, 204: 0}  # bytes of an MPEG transport stream's packets, and where in them 0x47 is
_FEWEST_PACKETS = 5
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+", b"8BPS")


def is_video(file: Path, by_name: bool = True) -> bool:
    """Whether a file is a video, by its first bytes; if these are of no known kind, by its name, unless told not to.

    Files that hold only sound are none, as far as their first bytes tell. So a picture named `.mp4` is a picture, and
    a damaged video is still a video, whose reader says what is wrong with it.

    Raises:
        OSError: If the file cannot be read.
    """
    with file.open("rb") as data:
        start = data.read(_READ)
    if _is_container(start):
        return _has_video(start)
    return by_name and file.suffix.lower() in SUFFIXES and not start.startswith(_PICTURES)


def _is_container(start: bytes) -> bool:
    """Whether a file begins as videos do, and as some sounds and pictures do too."""
    boxes = start[4:8] == b"ftyp" or start[4:8] in _BOXES
    return boxes or start.startswith(_AT_START) or _MXF in start or _is_transport_stream(start)


def _has_video(start: bytes) -> bool:
    """Whether such a file says that it holds a video, or nothing against it."""
    kind, brand = start[:4], start[8:12]
    match kind:
        case b"RIFF":
            return brand in (b"AVI ", b"CDXA")
        case b"OggS":
            return any(code in start for code in _OGG_VIDEO) or not any(code in start for code in _OGG_SOUND)
        case b"\x1a\x45\xdf\xa3":
            return _MATROSKA_VIDEO in start or _MATROSKA_SOUND not in start
        case b"\x30\x26\xb2\x75":
            return _ASF_VIDEO in start
    return start[4:8] != b"ftyp" or brand not in _PICTURE_BRANDS + _SOUND_BRANDS


def _is_transport_stream(start: bytes) -> bool:
    """Whether packets of an MPEG transport stream follow each other; a recording may begin within one."""
    for size, sync in _PACKETS.items():
        for first in range(sync, sync + size):
            packets = start[first::size]
            if len(packets) >= _FEWEST_PACKETS and set(packets[:_FEWEST_PACKETS]) == {0x47}:
                return True
    return False
