"""Text whose encoding nothing states, as in zips and EXIF: UTF-8, CP949 of Korean Windows, or the usual one there."""

import re

# Syllables of KS X 1001, in the order of bytes; what CP949 has beyond them is rare in names, and may be anything else.
_COMMON = re.compile(rb"[\xb0-\xc8][\xa1-\xfe]")


def decoded(raw: bytes, fallback: str) -> str:
    """Decode text.

    Args:
        raw: Its bytes.
        fallback: An encoding of single bytes that takes any.

    Returns:
        As UTF-8 if it is that; as CP949 if all of it is, and most of its syllables are common ones.
    """
    for encoding in ("utf-8", "cp949"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        hangul = sum("\uac00" <= character <= "\ud7a3" for character in text)
        if encoding == "utf-8" or (hangul and len(_COMMON.findall(raw)) * 2 > sum(map("\x7f".__lt__, text))):
            return text
    return raw.decode(fallback, "replace")
