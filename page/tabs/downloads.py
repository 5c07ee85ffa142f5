"""Downloads: full-size PNG files that are named after the photograph, and all of them as a zip with a sheet."""

import io
import zipfile

from page import pictures
from page.coloring import Coloring
from page.photograph import Photograph


def one_version(photograph: Photograph, name: str, coloring: Coloring) -> str:
    """Write one version; returns its path.

    Raises:
        DecodeError: If the upload is not there anymore.
    """
    [(_, picture)] = photograph.full([name], coloring)
    return pictures.store(picture, f"{photograph.file.stem}-{name}")


def all_versions(photograph: Photograph, coloring: Coloring) -> str:
    """Write a zip of all versions but the original, the comparison sheet and the guidance; returns its path.

    Raises:
        DecodeError: If the upload is not there anymore.
    """
    stem = photograph.file.stem
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # PNG files do not become smaller
        names = [name for name in photograph.names(coloring) if name != "original"]
        for name, picture in photograph.full(names, coloring):
            with archive.open(f"{stem}-{name}.png", "w") as file:
                picture.save(file, "png", compress_level=1)
        with archive.open(f"{stem}-comparison.png", "w") as file:
            photograph.sheet(coloring).save(file, "png")
        if coloring.guidance:
            archive.writestr(f"{stem}.hints.json", coloring.guidance.to_json())
    return pictures.keep(buffer.getvalue(), f"{stem}.zip")
