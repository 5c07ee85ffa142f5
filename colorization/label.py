"""Label of a result, as XMP: that its colors are a model's, and which; and what is kept of what its source says."""

import struct
from typing import NamedTuple
from xml.etree import ElementTree as ET

from colorization import __version__

# IPTC's vocabulary: https://cv.iptc.org/newscodes/digitalsourcetype/
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_MP4_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_GIF_HEAD, _GIF_TAIL = b"\x21\xff\x0bXMP DataXMP", b"\1" + bytes(range(255, -1, -1)) + b"\0"
_PROGRAM = f"landscape-colorization {__version__}"
_SPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
for _prefix, _uri in _SPACES.items():
    ET.register_namespace(_prefix, _uri)


class Words(NamedTuple):
    """What a source says of itself; empty where it says nothing."""

    date: str = ""
    """When it was taken, as in EXIF: `1923:05:12 10:30:00`, or the day alone."""
    description: str = ""
    creator: str = ""
    rights: str = ""


def xmp(model: str = "", words: Words | None = None) -> bytes:
    """Make a packet of XMP.

    Args:
        model: The name of the model whose colors a picture has; without one, it gets no label.
        words: What is kept of the source.

    Returns:
        Nothing if there is nothing to say.
    """
    words = words or Words()
    said: dict[str, str] = {}
    if model:
        said["Iptc4xmpExt:DigitalSourceType"] = _SOURCE_TYPE
        said["Iptc4xmpExt:AISystemUsed"] = model
        said["Iptc4xmpExt:AISystemVersionUsed"] = _PROGRAM
        said["xmp:CreatorTool"] = f"{_PROGRAM} ({model})"
    if words.date:
        day, _, time = words.date.partition(" ")
        said["photoshop:DateCreated"] = day.replace(":", "-") + (f"T{time}" if time else "")
    if not said and not any(words):
        return b""
    packet = ET.Element(_name("x:xmpmeta"))
    about = ET.SubElement(ET.SubElement(packet, _name("rdf:RDF")), _name("rdf:Description"), {_name("rdf:about"): ""})
    for name, text in said.items():
        about.set(_name(name), _printable(text))
    for name, kind, text in (
        ("dc:description", "rdf:Alt", words.description),
        ("dc:creator", "rdf:Seq", words.creator),
        ("dc:rights", "rdf:Alt", words.rights),
    ):
        if text:
            language = {"xml:lang": "x-default"} if kind == "rdf:Alt" else {}
            kinds = ET.SubElement(ET.SubElement(about, _name(name)), _name(kind))
            ET.SubElement(kinds, _name("rdf:li"), language).text = _printable(text)
    head, tail = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>', b'<?xpacket end="r"?>'
    return head + ET.tostring(packet, "utf-8", xml_declaration=False) + tail


def mp4_box(packet: bytes) -> bytes:
    """The packet as a box for the end of an MP4 file; nothing for none.

    Source:
        Adobe, XMP specification part 3, storage in files, MPEG-4.
    """
    return struct.pack(">I4s", 24 + len(packet), b"uuid") + _MP4_UUID + packet if packet else b""


def gif_block(packet: bytes) -> bytes:
    """The packet as a block for a GIF file, before its last byte; nothing for none.

    Source:
        Adobe, XMP specification part 3, storage in files, GIF.
    """
    return _GIF_HEAD + packet + _GIF_TAIL if packet else b""


def words_of_xmp(packet: bytes) -> Words:
    """Read what a packet of XMP says of its picture; a damaged one says nothing."""
    try:
        root = ET.fromstring(packet.strip(b"\0"))
    except ET.ParseError:
        return Words()

    def text(name: str) -> str:
        tag = _name(name)
        for element in root.iter():
            if tag in element.attrib:
                return element.attrib[tag].strip()
            if element.tag == tag:
                return " ".join("".join(element.itertext()).split())
        return ""

    date = text("photoshop:DateCreated") or text("xmp:CreateDate")
    day, _, time = date.partition("T")
    date = " ".join(filter(None, (day.replace("-", ":"), time[:8])))
    return Words(date, text("dc:description"), text("dc:creator"), text("dc:rights"))


def _name(qualified: str) -> str:
    prefix, _, name = qualified.partition(":")
    return f"{{{_SPACES[prefix]}}}{name}"


def _printable(text: str) -> str:
    """Text without what XML may not hold."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")
