"""Mean color of a set of photographs: what the constant row of an evaluation paints everywhere.

`python -m benchmarks.mean_color --dataset SPEC --split train`
"""

from dataclasses import dataclass

import numpy as np
import torch
import tyro
from PIL import Image
from tqdm import tqdm

from colorization.decode import DecodeError
from colorization.lab import rgb_to_lab
from train.data.dataset import open_stream, pictures

_THUMBNAIL = 32


@dataclass(frozen=True)
class MeanColorOptions:
    """Measure the mean a* and b* of a data set."""

    dataset: str
    """A Hub data set id, a folder of images, parquet files, pairs or Lab arrays, or a parquet glob."""
    split: str = "train"
    """Split of the data set."""
    image_column: str = "image"
    """Column that holds the pictures."""


def mean_color(options: MeanColorOptions) -> tuple[float, float]:
    """Mean a* and b* in CIE units over the pictures of a split, each picture counting the same.

    Raises:
        ValueError: If the data set cannot be opened, or no picture of it decodes.
    """
    means = []
    stream = open_stream(options.dataset, options.split, options.image_column)
    for _, picture in tqdm(pictures(stream), unit="photograph"):
        if not isinstance(picture, DecodeError):
            small = picture.resize((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BOX)
            rgb = torch.from_numpy(np.array(small)).permute(2, 0, 1).float() / 255
            means.append(rgb_to_lab(rgb)[1:].mean(dim=(1, 2)))
    if not means:
        raise ValueError(f"{options.dataset} ({options.split}) has no picture that decodes")
    a, b = torch.stack(means).mean(dim=0).tolist()
    return round(a, 2), round(b, 2)


if __name__ == "__main__":
    print(
        "mean a* and b*: {} {}".format(*mean_color(tyro.cli(MeanColorOptions, prog="python -m benchmarks.mean_color")))
    )
