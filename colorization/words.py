"""Words of a source about itself, which a result may keep: date, description, creator and rights, in any format."""

import contextlib
import io
from typing import Any

from PIL import ExifTags, Image, IptcImagePlugin

from colorization.decode.tiff import MAGIC
from colorization.label import Words, words_of_xmp
from colorization.text import decoded

_DESCRIPTION, _ARTIST, _COPYRIGHT, _XMP, _EXIF, _IPTC = 270, 315, 33432, 700, 34665, 33723  # tags of TIFF and EXIF
_TAKEN = (ExifTags.Base.DateTimeOriginal.value, ExifTags.Base.DateTimeDigitized.value)
_IPTC_FIELDS = ((2, 120), (2, 80), (2, 116))  # caption, by-line, copyright notice
_IPTC_DAY, _IPTC_TIME = (2, 55), (2, 60)
_PNG_FIELDS = ("Description", "Author", "Copyright")


def read(data: bytes) -> Words:
    """Read what a file says of its picture: EXIF first, then XMP, IPTC and the texts of PNG.

    Args:
        data: The whole file. What cannot be read of it says nothing.
    """
    sources: list[Words] = []
    with contextlib.suppress(Exception):  # metadata of any program, and no reason to lose the picture
        sources = list(_of_tiff(data) if data[:4] in MAGIC else _of_others(data))
    return Words(*(next(filter(None, texts), "") for texts in zip(Words(), *sources, strict=True)))


def _of_tiff(data: bytes) -> list[Words]:
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        tags = file.pages.first.tags
        exif = tags.valueof(_EXIF)
        date = ""
        if isinstance(exif, dict):
            date = _text(exif.get("DateTimeOriginal") or exif.get("DateTimeDigitized"))
        texts = (_raw_text(data, tags.get(code)) for code in (_DESCRIPTION, _ARTIST, _COPYRIGHT))
        found = [Words(date, *texts)]
        if packet := tags.valueof(_XMP):
            found.append(words_of_xmp(bytes(packet)))
    return found


def _raw_text(data: bytes, tag: Any) -> str:
    """A text of TIFF from its bytes: tifffile takes it for ASCII or Latin-1."""
    return _text(data[tag.valueoffset : tag.valueoffset + tag.count]) if tag is not None else ""


def _of_others(data: bytes) -> list[Words]:
    opened = Image.open(io.BytesIO(data))
    with contextlib.suppress(Exception):  # in PNG some of it comes after the pixels
        opened.load()
    exif = opened.getexif()
    details = exif.get_ifd(_EXIF)
    date = next((_text(details[tag]) for tag in _TAKEN if tag in details), "")
    found = [Words(date, *(_text(exif.get(tag)) for tag in (_DESCRIPTION, _ARTIST, _COPYRIGHT)))]
    packet = opened.info.get("xmp") or opened.info.get("XML:com.adobe.xmp")
    if packet:
        found.append(words_of_xmp(packet.encode() if isinstance(packet, str) else packet))
    if opened.format in ("JPEG", "MPO") and (iptc := IptcImagePlugin.getiptcinfo(opened)):
        found.append(_of_iptc(iptc))
    found.append(Words("", *(_text(opened.info.get(field)) for field in _PNG_FIELDS)))
    return found


def _of_iptc(iptc: dict[tuple[int, int], Any]) -> Words:
    day, time = _text(iptc.get(_IPTC_DAY)), _text(iptc.get(_IPTC_TIME))
    date = f"{day[:4]}:{day[4:6]}:{day[6:8]}" if len(day) == 8 else ""
    if date and len(time) >= 6:
        date += f" {time[:2]}:{time[2:4]}:{time[4:6]}"
    return Words(date, *(_text(iptc.get(field)) for field in _IPTC_FIELDS))


def _text(value: object) -> str:
    """A value of any kind as text."""
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(_text, value)))
    if isinstance(value, str):
        with contextlib.suppress(UnicodeEncodeError):
            value = value.encode("latin-1")  # as which Pillow decodes it
    if isinstance(value, bytes):
        value = decoded(value.split(b"\0")[0], "latin-1")
    return value.strip() if isinstance(value, str) else ""
