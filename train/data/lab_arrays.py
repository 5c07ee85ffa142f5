"""Lab arrays of the earlier rounds: `l/*.npy`, (N, H, W), beside `ab/*.npy`, (N, H, W, 2), to pictures.

Each folder's files are one long array in the order of their names; those of l and of ab may end at different rows.
Two kinds of numbers are known: uint8 is OpenCV's 8-bit Lab, floating point is CIE units (see `colorization.lab`).
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from colorization.decode import DecodeError
from colorization.lab import lab_to_rgb

LIGHT, COLOR = "l", "ab"
_EXPECTED = {
    LIGHT: "lightness of shape (N, H, W), uint8 (OpenCV's 8-bit Lab) or floating point (CIE units, 0 to 100)",
    COLOR: "color of shape (N, H, W, 2), uint8 (OpenCV's 8-bit Lab) or floating point (CIE units, about +-110)",
}
_SAMPLE = 16  # rows of a file whose values tell its units


class LabRow(NamedTuple):
    """Where one picture lies. Plain values: they travel to other processes by the thousand."""

    l_file: str
    l_row: int
    ab_file: str
    ab_row: int


def is_lab(folder: Path) -> bool:
    """Whether a folder holds `l/` and `ab/`."""
    return (folder / LIGHT).is_dir() and (folder / COLOR).is_dir()


def lab_rows(folder: Path) -> list[LabRow]:
    """List the pictures of a folder in order, without reading more than a few values.

    Args:
        folder: Holds `l/` and `ab/`, each with .npy files in it or below.

    Raises:
        ValueError: If a file is damaged, or of another shape, type or unit than expected, or they do not fit together.
    """
    light, color = _arrays(folder, LIGHT), _arrays(folder, COLOR)
    l_count, ab_count = (sum(map(len, part.values())) for part in (light, color))
    both = light | color
    if l_count != ab_count or len({a.shape[1:3] for a in both.values()}) > 1:
        shapes = "; ".join(f"{file.relative_to(folder)} {array.shape}" for file, array in both.items())
        raise ValueError(
            f"the Lab arrays in {folder} do not fit together: l/ has {l_count} rows and ab/ has {ab_count} ({shapes}), "
            "expected as many in both, all of one height and width: add what is missing or remove what is too much"
        )
    pairs = zip(_rows_of(light), _rows_of(color), strict=True)
    return [LabRow(str(l_file), l_row, str(ab_file), ab_row) for (l_file, l_row), (ab_file, ab_row) in pairs]


def to_bmp(row: LabRow) -> bytes:
    """Turn one row into a picture, with colors outside the sRGB gamut clipped.

    Args:
        row: As `lab_rows` listed it.

    Returns:
        A BMP file, which is written in no time and loses nothing.

    Raises:
        DecodeError: If the row holds NaN or infinite numbers.

    Source:
        OpenCV's 8-bit Lab as `cvtColor` documents it: L* times 255 / 100, a* and b* plus 128.
    """
    light, color = _open(Path(row.l_file))[row.l_row], _open(Path(row.ab_file))[row.ab_row]
    L, ab = light.astype(np.float32), color.astype(np.float32)
    if light.dtype == np.uint8:
        L *= 100 / 255
    if color.dtype == np.uint8:
        ab -= 128
    lab = np.concatenate((L[None], np.moveaxis(ab, 2, 0)))
    if not np.isfinite(lab).all():
        raise DecodeError("the arrays hold numbers in this row that are not finite: save it again")
    rgb = lab_to_rgb(torch.from_numpy(lab)).clamp(0, 1)
    buffer = io.BytesIO()
    Image.fromarray((rgb * 255).round().byte().permute(1, 2, 0).numpy()).save(buffer, "bmp")
    return buffer.getvalue()


def _arrays(folder: Path, part: str) -> dict[Path, np.ndarray]:
    """The arrays of `l/` or `ab/` in the order of their names, with ab10 after ab9; mapped and checked."""
    files = list((folder / part).rglob("*.npy"))
    if not files:
        raise ValueError(f"{folder / part} holds no .npy file, expected {_EXPECTED[part]}: put it there")
    # Splitting by numbers puts text at even places and numbers at odd ones, so that like is compared with like.
    files.sort(key=lambda f: [int(p) if i % 2 else p for i, p in enumerate(re.split(r"(\d+)", str(f)))])
    arrays = {file: _open(file) for file in files}
    for file, array in arrays.items():
        _check(file, array, part)
    return arrays


def _rows_of(arrays: dict[Path, np.ndarray]) -> Iterator[tuple[Path, int]]:
    """File and row of every picture."""
    for file, array in arrays.items():
        yield from ((file, row) for row in range(len(array)))


def _open(file: Path) -> np.ndarray:
    """Map an array into memory; nothing in the file is ever executed."""
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # damaged bytes in a header may raise anything at all
        raise ValueError(f"{file} is not a usable .npy file ({error}): save it again with numpy.save") from error
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{file} is an archive, expected one array: save each of its arrays with numpy.save")
    return array


def _check(file: Path, array: np.ndarray, part: str) -> None:
    """Refuse an array whose shape, type or units are others than expected."""
    expected = f"expected {_EXPECTED[part]}"
    if array.ndim < 3 or array.shape[3:] != (() if part == LIGHT else (2,)) or 0 in array.shape:
        raise ValueError(f"{file} has shape {array.shape}, {expected}: save it in that shape")
    if array.dtype == np.uint8:
        return
    if array.dtype.kind != "f" or array.itemsize > 8:
        raise ValueError(f"{file} holds {array.dtype}, {expected}: convert it")
    values = array[:: max(1, len(array) // _SAMPLE)][:_SAMPLE].astype(np.float64)
    values = values[np.isfinite(values)]
    if not values.size:
        return  # to_bmp refuses these rows one by one
    low, high = values.min(), values.max()
    if not (low >= -1 and 1.5 < high <= 101 if part == LIGHT else low >= -128 and high <= 128):
        raise ValueError(f"{file} has values from {low:.3g} to {high:.3g}, {expected}: scale it to these units")
