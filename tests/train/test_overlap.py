"""A photograph is found again in its crops, mirror images and bad copies, and in nothing else."""

import io

import pytest
from PIL import Image, ImageOps

from train.evaluate import overlap


@pytest.fixture
def found(monkeypatch, photograph):
    from skimage import data

    photographs = [photograph, *map(Image.fromarray, (data.coffee(), data.chelsea()))]

    def found(pictures):
        splits = {"train": pictures, "validation": photographs}
        monkeypatch.setattr(overlap, "open_stream", lambda dataset, split, column: split)
        monkeypatch.setattr(overlap, "pictures", lambda split, column: zip("abcdef", splits[split], strict=False))
        return {
            (match.picture[-2], match.photograph[-2]) for match in overlap.overlap(overlap.OverlapOptions("unused"))
        }

    return found


def poor(picture):
    """A small, badly compressed copy."""
    buffer = io.BytesIO()
    picture.resize((picture.width * 150 // picture.height, 150)).save(buffer, "jpeg", quality=50)
    return Image.open(buffer)


def test_crops_and_mirror_images_are_found_and_other_pictures_are_not(found, photograph):
    from skimage import data

    coffee, cat = Image.fromarray(data.coffee()), Image.fromarray(data.chelsea())
    crops = [photograph.crop((101, 37, 440, 330)), ImageOps.mirror(coffee.crop((150, 60, 490, 310))), cat]
    others = [Image.fromarray(data.astronaut()), Image.fromarray(data.retina()).resize((300, 300))]
    assert found([*map(poor, crops), *others]) == {("a", "a"), ("b", "b"), ("c", "c")}
    assert found(others) == set()
