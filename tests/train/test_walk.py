"""The walk of a folder: plain files, pairs and Lab arrays of the earlier rounds, their colors, the trainer on them."""

import io
import itertools
import os

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import lab2rgb, rgb2lab

from colorization.decode import DecodeError, decode
from train.data.dataset import open_stream, pictures
from train.data.loader import batches
from train.data.rows import Row
from train.data.stream import CropStream
from train.data.walk import walk


def save_lab(folder, crops, dtype, l_ends=(), ab_ends=(), names=("l/gray_scale{}.npy", "ab/ab/ab{}.npy")):
    """Lab arrays by scikit-image, cut into files at the given rows."""
    lab = np.stack([rgb2lab(np.asarray(crop)) for crop in crops])
    if dtype == np.uint8:
        lab = np.rint(lab * (255 / 100, 1, 1) + (0, 128, 128))
    for name, part, ends in zip(names, (lab[..., 0], lab[..., 1:]), (l_ends, ab_ends), strict=True):
        for number, piece in enumerate(np.split(part, ends)):
            file = folder / name.format(number + 1)
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, piece.astype(dtype))
    return folder


def save_pairs(folder, crops, suffix="png"):
    for part, mode in (("color", "RGB"), ("gray", "L")):
        (folder / part).mkdir(parents=True)
        for number, crop in enumerate(crops):
            crop.convert(mode).save(folder / part / f"{number}.{suffix}")
    return folder


def colors(folder):
    return [np.asarray(decode(read(file)).picture).astype(int) for file in walk(folder).files]


def read(file):
    return Row(file.name, "", file.place).encoded()


def crops_of(spec, workers=0, rank=0, world=1, split="train", count=3):
    rows = open_stream(str(spec), split)
    crops = CropStream(rows, 32, seed=0, min_colorfulness=8.0, lanes=2, rank=rank, world=world)
    return list(itertools.islice(batches(crops, 4, workers), count))


@pytest.mark.parametrize(
    ("dtype", "mean", "most"),
    # Rounding ab to whole numbers moves sRGB by several levels where it is dark and saturated; that is 8-bit Lab.
    [("uint8", 1.0, 16), ("float16", 0.1, 2), ("float32", 0.01, 1), (">f8", 0.01, 1)],
)
def test_colors_come_back_wherever_the_files_end(crops, tmp_path, dtype, mean, most):
    folder = save_lab(tmp_path, crops[:12], np.dtype(dtype), l_ends=(5,), ab_ends=(1, 7, 8))
    back = colors(folder)
    assert len(back) == 12
    for crop, picture in zip(crops, back, strict=False):
        difference = np.abs(picture - np.asarray(crop))
        assert difference.mean() <= mean and difference.max() <= most


def test_files_are_in_the_order_of_their_numbers(crops, tmp_path):
    save_lab(tmp_path, crops[:11], np.float32, ab_ends=range(1, 11), l_ends=(3,))  # ab1 to ab11
    files = walk(tmp_path).files
    assert [file.place.ab_file[-8:] for file in files[-2:]] == ["ab10.npy", "ab11.npy"]
    assert [file.name for file in files[2:4]] == ["l/gray_scale1.npy/000002", "l/gray_scale2.npy/000000"]
    assert all(np.abs(a - np.asarray(b)).max() <= 1 for a, b in zip(colors(tmp_path), crops, strict=False))


def test_colors_outside_the_gamut_are_clipped(tmp_path):
    (tmp_path / "l").mkdir()
    (tmp_path / "ab").mkdir()
    np.save(tmp_path / "l/a.npy", np.full((1, 4, 4), 90, np.float32))
    np.save(tmp_path / "ab/a.npy", np.full((1, 4, 4, 2), (100, 100), np.float32))
    expected = np.rint(lab2rgb(np.array([90.0, 100.0, 100.0])) * 255)
    assert expected.max() == 255 and expected.min() == 0
    assert np.abs(colors(tmp_path)[0] - expected).max() <= 1


def test_rows_that_are_not_finite_are_skipped_and_counted(crops, tmp_path):
    folder = save_lab(tmp_path, crops[:8], np.float32)
    for part, row in (("l/gray_scale1.npy", 2), ("ab/ab/ab1.npy", 5)):
        array = np.load(folder / part)
        array[row, 0, 0] = np.nan if row == 2 else np.inf
        np.save(folder / part, array)
    with pytest.raises(DecodeError, match="not finite"):
        read(walk(folder).files[2])
    walked = list(pictures(open_stream(str(folder), "train")))
    assert [isinstance(p, DecodeError) for _, p in walked] == [n in (2, 5) for n in range(8)]
    assert [name for name, _ in walked][:2] == [f"l/gray_scale1.npy/00000{n}" for n in (0, 1)]
    assert sum(len(batch.broken) for batch in crops_of(folder)) >= 2


L, AB = np.full((2, 4, 4), 50.0), np.zeros((2, 4, 4, 2))


@pytest.mark.parametrize(
    ("l", "ab", "reason"),
    [
        (L, AB[:1], "l/ has 2 rows and ab/ has 1"),
        (L, np.zeros((2, 4, 5, 2)), "all of one height and width"),
        (L[0], AB, r"l/a.npy has shape \(4, 4\), expected lightness of shape \(N, H, W\)"),
        (L, AB[..., :1], r"ab/a.npy has shape \(2, 4, 4, 1\), expected color of shape \(N, H, W, 2\)"),
        (L[:0], AB[:0], "l/a.npy"),
        (L.astype(np.int64), AB, "l/a.npy holds int64, expected"),
        (L / 50 - 1, AB, "l/a.npy has values from 0 to 0, expected"),
        (L / 100, AB, "l/a.npy has values from 0.5 to 0.5, expected"),
        (L * 5, AB, "l/a.npy has values from 250 to 250, expected"),
        (L, AB + 200, "ab/a.npy has values from 200 to 200, expected"),
        (L, np.array([print, None]), "ab/a.npy is not a usable .npy file"),
        (L, b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f8', 'shape': (9", "ab/a.npy is not a usable .npy file"),
        (L, b"", "ab/a.npy is not a usable .npy file"),
        (L, {"ab": AB}, "ab/a.npy is an archive, expected one array"),
        (L, None, "ab holds no .npy file, expected color"),
    ],
)
def test_arrays_that_cannot_be_used_are_named(tmp_path, l, ab, reason):  # noqa: E741
    for part, array in (("l", l), ("ab", ab)):
        (tmp_path / part).mkdir()
        file = tmp_path / part / "a.npy"
        if isinstance(array, bytes):
            file.write_bytes(array)
        elif isinstance(array, dict):
            with file.open("wb") as stream:
                np.savez(stream, **array)
        elif array is not None:
            np.save(file, array, allow_pickle=True)
    with pytest.raises(ValueError, match=reason):
        open_stream(str(tmp_path), "train")


def test_an_array_cut_short_is_named(crops, tmp_path):
    save_lab(tmp_path, crops[:3], np.uint8)
    file = tmp_path / "ab/ab/ab1.npy"
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(ValueError, match=r"ab1.npy is not a usable .npy file .*: save it again"):
        walk(tmp_path)


def test_of_pairs_the_color_pictures_are_used_and_lone_ones_noted(crops, tmp_path):
    save_pairs(tmp_path, crops[:4])
    (tmp_path / "gray/1.png").unlink()
    (tmp_path / "color/2.png").unlink()
    (tmp_path / "gray/3.png").rename(tmp_path / "gray/3.jpg")  # another format is a partner all the same
    found = walk(tmp_path)
    assert [file.name for file in found.files] == ["color/0.png", "color/1.png", "color/3.png"]
    assert found.lone_color == ["color/1.png"] and [skipped.name for skipped in found.skipped] == ["gray/2.png"]


def test_folders_may_hold_anything(crops, tmp_path):
    save_pairs(tmp_path / "pairs", crops[:2])
    save_lab(tmp_path / "arrays", crops[:3], np.uint8)
    (tmp_path / "plain/deep").mkdir(parents=True)
    for name in ("plain/deep/a.png", "plain/two\nlines.png", os.fsdecode(b"plain/\xff.png")):
        crops[0].save(tmp_path / name)
    (tmp_path / "plain/loop").symlink_to(tmp_path)
    (tmp_path / "plain/self").symlink_to("self")
    (tmp_path / "plain/gone").symlink_to("nothing")
    (tmp_path / "a_link").symlink_to("plain", target_is_directory=True)
    os.mkfifo(tmp_path / "plain/pipe")
    found = walk(tmp_path)
    assert [(file.name, file.folders) for file in found.files] == [
        *((f"arrays/l/gray_scale1.npy/00000{n}", ("arrays",)) for n in range(3)),
        *((f"pairs/color/{n}.png", ("pairs",)) for n in range(2)),
        ("plain/deep/a.png", ("plain", "deep")),
        ("plain/two?lines.png", ("plain",)),
        ("plain/?.png", ("plain",)),
    ]
    bad = {skipped.name: skipped.detail for skipped in found.skipped}
    assert bad.keys() == {"plain/loop", "plain/self", "plain/gone", "plain/pipe", "a_link"}
    assert bad["plain/pipe"] == "not a regular file" and "another name" in bad["a_link"]
    assert all(decode(read(file)) for file in found.files)


@pytest.mark.parametrize("form", ["arrays", "pairs"])
@pytest.mark.parametrize("workers", [0, 1])
def test_the_trainer_reads_raw_forms(crops, tmp_path, form, workers):
    if form == "arrays":
        save_lab(tmp_path, crops[:6], np.uint8, ab_ends=(4,))
    else:
        save_pairs(tmp_path, crops[:6], "jpg")
    for batch in crops_of(tmp_path, workers):
        assert batch.pixels.shape == (4, 3, 32, 32) and not batch.gray and not batch.broken


@pytest.mark.parametrize("count", [5, 40])  # fewer and more than can be shared evenly
def test_processes_read_different_rows(crops, tmp_path, count):
    save_lab(tmp_path, crops[:count], np.uint8)
    first, second = (torch.cat([b.pixels for b in crops_of(tmp_path, rank=r, world=2)]) for r in (0, 1))
    assert not any(torch.equal(a, b) for a in first for b in second)


def test_splits_of_raw_forms_are_folders(crops, tmp_path):
    save_pairs(tmp_path / "train", crops[:4])
    save_lab(tmp_path / "val", crops[4:7], np.uint8)
    counts = {split: open_stream(str(tmp_path), split).count for split in ("train", "validation")}
    assert counts == {"train": 4, "validation": 3}
    with pytest.raises(ValueError, match=r"cannot open the split 'test' of .* there is only train, validation"):
        open_stream(str(tmp_path), "test")


def test_without_split_folders_everything_is_train(crops, tmp_path):
    save_pairs(tmp_path, crops[:2])
    with pytest.raises(ValueError, match=r"cannot open the split 'validation' of .* there is only train"):
        open_stream(str(tmp_path), "validation")
    with pytest.raises(ValueError, match="has no column 'picture', only image"):
        open_stream(str(tmp_path), "train", "picture")


def test_empty_pairs_are_named(tmp_path):
    (tmp_path / "color").mkdir()
    (tmp_path / "gray").mkdir()
    with pytest.raises(ValueError, match="there are no pictures"):
        open_stream(str(tmp_path), "train")


def test_rows_are_bmp_files_that_lose_nothing(crops, tmp_path):
    save_lab(tmp_path, crops[:1], np.float64)
    with Image.open(io.BytesIO(read(walk(tmp_path).files[0]))) as picture:
        assert picture.format == "BMP" and picture.size == crops[0].size
