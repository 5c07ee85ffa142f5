"""Downloads: full-size PNG files that are named after the photograph, and all of them as a zip with a sheet."""

import io
import zipfile

from page import pictures
from page.photograph import Photograph


def one_version(photograph: Photograph, name: str, strength: float) -> str:
    """Write one version; returns its path.

    Raises:
        DecodeError: If the upload is not there anymore.
    """
    [(_, picture)] = photograph.full([name], strength)
    return pictures.store(picture, f"{photograph.file.stem}-{name}")


def all_versions(photograph: Photograph, strength: float) -> str:
    """Write a zip of all versions but the original, and the comparison sheet; returns its path.

    Raises:
        DecodeError: If the upload is not there anymore.
    """
    stem = photograph.file.stem
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # PNG files do not become smaller
        names = [name for name in photograph.names if name != "original"]
        for name, picture in photograph.full(names, strength):
            with archive.open(f"{stem}-{name}.png", "w") as file:
                picture.save(file, "png", compress_level=1)
        with archive.open(f"{stem}-comparison.png", "w") as file:
            photograph.sheet(strength).save(file, "png")
    return pictures.keep(buffer.getvalue(), f"{stem}.zip")
