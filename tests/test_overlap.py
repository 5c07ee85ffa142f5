"""A photograph is found again in its crops, mirror images and bad copies, and in nothing else."""

import io
import shutil

import pytest
from PIL import Image, ImageOps

from benchmarks.overlap import OverlapOptions, overlap


@pytest.fixture
def shown(tmp_path, photograph):
    """Which pictures of a split show which photograph of another, by the first letters of their names."""
    from skimage import data

    for name, picture in zip("abc", (photograph, *map(Image.fromarray, (data.coffee(), data.chelsea()))), strict=True):
        write(picture, tmp_path / f"held out/validation/{name}.png")

    def shown(pictures, **options):
        shutil.rmtree(tmp_path / "set", ignore_errors=True)
        for name, picture in zip("abcdef", pictures, strict=False):
            write(picture, tmp_path / f"set/train/{name}.png")
        matches = overlap(OverlapOptions(str(tmp_path / "set"), against_dataset=str(tmp_path / "held out"), **options))
        return {(match.picture[-6], match.photograph[-6]) for match in matches}  # "train 0 (a.png)"

    return shown


def write(picture, file):
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.save(file)


def poor(picture):
    """A small, badly compressed copy."""
    buffer = io.BytesIO()
    picture.resize((picture.width * 150 // picture.height, 150)).save(buffer, "jpeg", quality=50)
    return Image.open(buffer)


def test_crops_and_mirror_images_are_found_and_other_pictures_are_not(shown, photograph):
    from skimage import data

    coffee, cat = Image.fromarray(data.coffee()), Image.fromarray(data.chelsea())
    crops = [photograph.crop((101, 37, 440, 330)), ImageOps.mirror(coffee.crop((150, 60, 490, 310))), cat]
    others = [Image.fromarray(data.astronaut()), Image.fromarray(data.retina()).resize((300, 300))]
    assert shown([*map(poor, crops), *others]) == {("a", "a"), ("b", "b"), ("c", "c")}
    assert shown(others) == set()
