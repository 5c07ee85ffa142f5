"""Downloads: full-size files that are named after the photograph, and all of them as a zip with a sheet."""

import io
import zipfile
from collections.abc import Iterator

from colorization import encode
from page import pictures
from page.coloring import Coloring
from page.photograph import Photograph, model_of

_QUALITY = 95  # of JPEG, without subsampled color: 12 megapixels are 5 MB instead of the 20 of a PNG


def one_version(photograph: Photograph, name: str, coloring: Coloring) -> str:
    """Write one version; returns its path.

    Raises:
        DecodeError: If the upload is not there anymore.
    """
    [(_, picture)] = photograph.full([name], coloring)
    return pictures.store(picture, f"{photograph.file.stem}-{name}", model_of(name, coloring))


def all_versions(photograph: Photograph, coloring: Coloring) -> Iterator[tuple[float, str]]:
    """Write a zip of all versions but the original as JPEG, the comparison sheet and the guidance.

    Yields:
        How much is done, 0 to 1, and the path of the zip, "" before it is whole.

    Raises:
        DecodeError: If the upload is not there anymore.
    """
    stem = photograph.file.stem
    buffer = io.BytesIO()
    names = [name for name in photograph.names(coloring) if name != "original"]
    yield 0.0, ""
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # JPEG files do not become smaller
        for count, (name, picture) in enumerate(photograph.full(names, coloring), 1):
            with archive.open(f"{stem}-{name}.jpg", "w") as file:
                encode.save(picture, file, "jpeg", _QUALITY, model_of(name, coloring))
            yield count / (len(names) + 1), ""
        with archive.open(f"{stem}-comparison.jpg", "w") as file:
            models = ", ".join(dict.fromkeys(model for name in names if (model := model_of(name, coloring))))
            encode.save(photograph.sheet(coloring), file, "jpeg", _QUALITY, models)
        if coloring.guidance:
            archive.writestr(f"{stem}.hints.json", coloring.guidance.to_json())
    yield 1.0, pictures.keep(buffer.getvalue(), f"{stem}.zip")
