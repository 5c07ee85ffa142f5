import itertools
import random
import subprocess
import sys

import datasets
import numpy as np
import pytest
import torch
from conftest import ROOT, encoded
from PIL import Image
from support.hub_store import Repo

from train.batch import to_batch
from train.data.dataset import open_stream, pictures
from train.data.degrade import vary_lightness
from train.data.loader import batches
from train.data.stream import CropStream, random_crop


def loader(spec, workers=0, batch_size=4, **options):
    settings = {"size": 32, "seed": 0, "min_colorfulness": 8.0, "lanes": 2} | options
    return batches(CropStream(open_stream(str(spec), "train"), **settings), batch_size, workers)


def take(loader, count):
    return list(itertools.islice(loader, count))


@pytest.mark.parametrize("workers", [0, 1])
def test_gray_and_broken_pictures_are_skipped_and_counted(parquet, workers):
    taken = take(loader(parquet, workers), 16)  # two passes of 32 good pictures
    assert {c.pixels.shape for c in taken} == {(4, 3, 32, 32)} and taken[0].pixels.dtype == torch.uint8
    # The other two of the 66 rows that two passes have come in place of others.
    assert 7 <= sum(c.gray for c in taken) <= 9 and 3 <= sum(len(c.broken) for c in taken) <= 6
    spread = torch.cat([c.pixels for c in taken]).float().std(dim=1).mean(dim=(1, 2))
    assert spread.min() > 0, "a gray crop came through"


def test_the_same_seed_gives_the_same_crops_and_another_others(parquet):
    first, again, other = (take(loader(parquet, seed=s), 3) for s in (0, 0, 1))
    assert all(torch.equal(a.pixels, b.pixels) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a.pixels, b.pixels) for a, b in zip(first, other, strict=True))


def test_processes_read_different_shards(parquet):
    first, second = (torch.cat([c.pixels for c in take(loader(parquet, rank=r, world=2), 4)]) for r in (0, 1))
    assert not any(torch.equal(a, b) for a in first for b in second)


def test_a_folder_of_images(crops, tmp_path):
    for number, crop in enumerate(crops[:5]):
        crop.save(tmp_path / f"{number}.jpg")
    (batch,) = take(loader(tmp_path), 1)
    assert batch.pixels.shape == (4, 3, 32, 32)


def test_a_glob(parquet):
    (batch,) = take(loader(parquet / "train-*.parquet"), 1)
    assert batch.pixels.shape == (4, 3, 32, 32)


def test_nothing_usable_ends_instead_of_spinning(crops, tmp_path):
    for number, crop in enumerate(crops[:3]):
        crop.convert("L").save(tmp_path / f"{number}.png")
    with pytest.raises(
        ValueError, match=r"no picture is usable: of the last 7, 7 are gray, 0 toned, and 0 do not decode: check"
    ):
        list(loader(tmp_path))


@pytest.mark.parametrize(
    ("spec", "split", "column", "reason"),
    [
        ("{parquet}", "train", "picture", "no column 'picture', only image"),
        ("{parquet}", "test", "image", "cannot open the split 'test' of .* there is only train, validation"),
        ("{parquet}/nothing-*.parquet", "train", "image", "no file matches"),
        ("/no/such/folder", "train", "image", "there is no such folder or file"),
        ("{empty}", "train", "image", "there are no pictures"),
    ],
)
def test_mistakes_are_named(parquet, tmp_path, spec, split, column, reason):
    with pytest.raises(ValueError, match=reason):
        open_stream(spec.format(parquet=parquet, empty=tmp_path), split, column)


def test_a_column_without_pictures_is_named_after_ten_rows(crops, tmp_path):
    cells = [encoded(crops[number % 40]) for number in range(30)]
    rows = {"image": cells, "source": ["coast"] * 30, "jpeg": [cell["bytes"] for cell in cells]}
    datasets.Dataset.from_dict(rows).to_parquet(str(tmp_path / "train-00000-of-00001.parquet"))
    with pytest.raises(ValueError, match=r"the column 'source' of .* holds no pictures: none of its first 10 rows"):
        open_stream(str(tmp_path), "train", "source")
    for column in ("image", "jpeg"):
        assert all(
            isinstance(picture, Image.Image) for _, picture in pictures(open_stream(str(tmp_path), "train", column))
        )


COUNT = """
import sys
from train.data.dataset import open_stream
for revision in (None, sys.argv[1]):
    print(sum(1 for _ in open_stream("tester/places", "train", revision=revision)))
"""


def test_configurations_and_revisions_are_the_hubs(parquet, live_hub, hub_env):
    with pytest.raises(ValueError, match="has no configurations: leave --dataset-config out"):
        open_stream(str(parquet), "train", config="small")
    with pytest.raises(ValueError, match="is here and no Hub data set: --dataset-revision is for those"):
        open_stream(str(parquet), "train", revision="main")
    live_hub.reset()
    repo = live_hub.repos["datasets", "tester/places"] = Repo(private=False)
    shards = {file.name: file.read_bytes() for file in parquet.glob("train-*")}
    first = repo.commit("main", {"train-00001-of-00002.parquet": shards["train-00001-of-00002.parquet"]}, "one")
    repo.commit("main", shards, "both")
    command = [sys.executable, "-c", COUNT, first]
    done = subprocess.run(command, cwd=ROOT, env=hub_env, capture_output=True, text=True)
    assert done.stdout.split() == ["38", "16"], done.stderr


def test_crops_are_square_pieces_flipped_half_the_time():
    ramp = np.zeros((60, 90, 3), np.uint8)
    ramp[..., 0] = np.arange(90)[None] * 2
    rng = random.Random(0)
    crops = [np.array(random_crop(Image.fromarray(ramp), 32, rng)) for _ in range(100)]
    rising = [bool(c[16, 0, 0] < c[16, 31, 0]) for c in crops]
    assert {c.shape for c in crops} == {(32, 32, 3)}
    assert 30 < sum(rising) < 70
    spans = [int(c[16, :, 0].max()) - int(c[16, :, 0].min()) for c in crops]
    assert max(spans) <= 122 and min(spans) >= 94  # 60 down to 60 / 1.2 pixels of the ramp, less the filter's edges


def test_pictures_are_walked_in_order_with_their_errors(parquet):
    names = list(pictures(open_stream(str(parquet), "validation")))
    assert len(names) == 10
    assert [isinstance(p, Image.Image) for _, p in names] == [True] * 9 + [False]


def test_batches_are_network_units(crops):
    pixels = torch.from_numpy(np.stack([np.asarray(c) for c in crops[:3]])).permute(0, 3, 1, 2)
    L, ab, mix, clean = to_batch(pixels, torch.rand(3))
    assert torch.equal(L, clean)
    assert mix.shape == (3,) and L.shape == (3, 1, 96, 96) and ab.shape == (3, 2, 96, 96)
    assert L.min() >= -1 and L.max() <= 1.0001 and ab.abs().max() < 1


def test_varied_lightness_stays_in_range_and_keeps_its_order():
    torch.manual_seed(0)
    ramp = torch.linspace(-1, 1, 64).expand(8, 1, 64, 64).contiguous()
    varied = vary_lightness(ramp)
    assert varied.shape == ramp.shape and varied.min() >= -1 and varied.max() <= 1
    assert not torch.allclose(varied[0], varied[1], atol=0.01)
    columns = varied.mean(dim=2)
    assert ((columns[..., 8:] - columns[..., :-8]) > -0.02).all(), "bright turned dark"
