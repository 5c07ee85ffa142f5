"""The stream of crops: the same for everybody who shares it, and resumable to the sample."""

import io
import itertools
import json
import tarfile

import datasets
import numpy as np
import pytest
import torch
from conftest import encoded
from PIL import Image

from train.data.dataset import open_stream, source_shares
from train.data.stream import CropStream, batches

FEATURES = datasets.Features({"image": datasets.Image()})


def write(folder, cells, shards):
    folder.mkdir(parents=True, exist_ok=True)
    for shard in range(shards):
        part = datasets.Dataset.from_dict({"image": cells[shard::shards]}, features=FEATURES)
        part.to_parquet(str(folder / f"train-{shard:05d}-of-{shards:05d}.parquet"), batch_size=5)
    return folder


@pytest.fixture(scope="module")
def sets(crops, tmp_path_factory):
    """The same forty pictures in every form there is."""
    folder = tmp_path_factory.mktemp("forms")
    cells = [encoded(crop) for crop in crops]
    write(folder / "shards", cells, 8)
    write(folder / "uneven", cells, 11)
    write(folder / "one file", cells, 1)
    write(folder / "a handful", cells[:3], 1)
    for part in ("files", "pairs/color", "pairs/gray", "l", "ab"):
        (folder / part).mkdir(parents=True)
    with tarfile.open(folder / "tars-0.tar", "w") as tar:
        for number, (crop, cell) in enumerate(zip(crops, cells, strict=True)):
            crop.save(folder / f"files/{number}.png")
            crop.save(folder / f"pairs/color/{number}.png")
            entry = tarfile.TarInfo(f"{number:03d}.png")
            entry.size = len(cell["bytes"])
            tar.addfile(entry, io.BytesIO(cell["bytes"]))
    (folder / "tars").mkdir()
    (folder / "tars-0.tar").rename(folder / "tars/0.tar")
    lab = np.full((40, 8, 8, 3), 128, np.uint8)
    lab[..., 1:] += np.arange(40, dtype=np.uint8)[:, None, None, None] + 20
    (folder / "arrays/l").mkdir(parents=True)
    (folder / "arrays/ab").mkdir(parents=True)
    np.save(folder / "arrays/l/l.npy", lab[..., 0])
    np.save(folder / "arrays/ab/ab.npy", lab[..., 1:])
    return folder


FORMS = ("shards", "uneven", "one file", "a handful", "files", "pairs", "tars", "arrays")


def stream(folder, column="image", **options):
    settings = {"size": 8, "seed": 3, "min_colorfulness": 0.0, "lanes": 4} | options
    return CropStream(open_stream(str(folder), "train", column), column, **settings)


def column(form):
    return "png" if form == "tars" else "image"


def same(one, other):
    return torch.equal(one.pixels, other.pixels) and torch.equal(one.mix, other.mix)


@pytest.mark.parametrize("form", FORMS)
def test_it_goes_on_exactly_where_it_was(sets, form, monkeypatch):
    monkeypatch.setattr("train.data.stream._BLOCK", 3)  # so that every kind of lane_state is met
    whole = list(itertools.islice(batches(stream(sets / form, column(form)), 2, 0), 45))  # more than two passes
    lane_states = {}
    for number, batch in enumerate(whole[:-5]):
        lane_states |= batch.lane_states
        kept = {int(lane): lane_state for lane, lane_state in json.loads(json.dumps(lane_states)).items()}
        again = stream(sets / form, column(form), start=2 * (number + 1), lane_states=kept)
        rest = list(itertools.islice(batches(again, 2, 0), 5))
        assert all(map(same, rest, whole[number + 1 :])), f"{form}: not the same after batch {number}"


def one_pass(crops):
    """The samples of each lane up to its second epoch."""
    return [
        list(itertools.takewhile(lambda sample: sample.lane_state["epoch"] == 0, crops._samples(lane)))
        for lane in range(crops.lanes)
    ]


@pytest.mark.parametrize("shards", [1, 8, 11])
def test_each_picture_comes_once_in_a_pass(tmp_path, shards):
    flat = [Image.new("RGB", (8, 8), (6 * number, 128, 0)) for number in range(40)]
    write(tmp_path, [encoded(picture) for picture in flat], shards)
    seen = [int(sample.pixels[0, 0, 0]) // 6 for lane in one_pass(stream(tmp_path)) for sample in lane]
    assert sorted(seen) == list(range(40)) and seen != sorted(seen)


@pytest.mark.parametrize("shards", [1, 8, 11])
def test_a_limit_is_the_same_pictures_in_every_pass(tmp_path, shards):
    flat = [Image.new("RGB", (8, 8), (6 * number, 128, 0)) for number in range(40)]
    write(tmp_path, [encoded(picture) for picture in flat], shards)
    settings = {"size": 8, "seed": 3, "min_colorfulness": 0.0, "lanes": 4}
    limited = CropStream(open_stream(str(tmp_path), "train", limit=12), "image", **settings)
    passes = [], [], []
    for lane in range(4):
        for sample in limited._samples(lane):
            if sample.lane_state["epoch"] == len(passes):
                break
            passes[sample.lane_state["epoch"]].append(int(sample.pixels[0, 0, 0]) // 6)
    assert len(passes[0]) == 12 and sorted(passes[0]) == sorted(passes[1]) == sorted(passes[2])


@pytest.mark.parametrize("form", ["shards", "one file", "files", "arrays"])
@pytest.mark.parametrize("world", [2, 4])
def test_processes_share_what_one_would_see(sets, form, world):
    alone = list(itertools.islice(batches(stream(sets / form), 8, 0), 12))
    shares = [
        list(itertools.islice(batches(stream(sets / form, rank=rank, world=world), 8 // world, 0), 12))
        for rank in range(world)
    ]
    for number, batch in enumerate(alone):
        together = torch.cat([share[number].pixels for share in shares])
        assert sorted(map(bytes, together.numpy())) == sorted(map(bytes, batch.pixels.numpy()))


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_number_of_decoding_workers_changes_nothing(sets, workers):
    plain = itertools.islice(batches(stream(sets / "uneven", start=6), 5, 0), 9)
    assert all(map(same, itertools.islice(batches(stream(sets / "uneven", start=6), 5, workers), 9), plain))


def test_damaged_pictures_are_counted_and_leave_the_order_of_the_good_ones(crops, tmp_path):
    cells = [encoded(crops[i % 40]) for i in range(400)]
    good = write(tmp_path / "good", cells, 8)
    damaged = set(range(7, 400, 20))  # 5 %
    spoiled = [{"bytes": c["bytes"][:60], "path": f"{i}.png"} if i in damaged else c for i, c in enumerate(cells)]
    whole = one_pass(stream(good))
    rest = one_pass(stream(write(tmp_path / "bad", spoiled, 8)))
    assert sum(map(len, whole)) == 400 and sum(map(len, rest)) == 380
    names = [int(name) for lane in rest for sample in lane for name in sample.broken]
    assert set(names) <= damaged and len(names) == len(set(names)) >= 19  # one may end its lane, and is told later
    for kept, all_of_them in zip(rest, whole, strict=True):
        left = iter(all_of_them)
        assert all(any(np.array_equal(one.pixels, other.pixels) for other in left) for one in kept)


def test_processes_that_cannot_share_evenly_are_told(sets):
    with pytest.raises(ValueError, match="3 processes cannot share 4 lanes evenly: give --lanes a multiple of 3"):
        stream(sets / "shards", world=3)


def test_a_network_that_is_gone_is_said_as_it_is(sets, monkeypatch):
    def gone(cell):
        raise ConnectionError("no route to the Hub")

    monkeypatch.setattr("train.data.stream.encoded", gone)
    with pytest.raises(ConnectionError, match="no route to the Hub"):
        next(batches(stream(sets / "shards"), 2, 0))


def test_a_file_that_cannot_be_read_counts_as_broken(crops, tmp_path):
    for number, crop in enumerate(crops[:8]):
        crop.save(tmp_path / f"{number}.png")
    opened = stream(tmp_path, lanes=1)
    (tmp_path / "3.png").unlink()
    (batch,) = itertools.islice(batches(opened, 7, 0), 1)
    assert batch.broken == ("3",) or Image.open(tmp_path / "2.png")


def test_small_sources_are_drawn_more_often_and_every_batch_resumes(tmp_path):
    red, blue = (encoded(Image.new("RGB", (48, 48), color)) for color in ("red", "blue"))
    columns = {"image": [blue] * 64 + [red] * 16, "source": ["many"] * 64 + ["few"] * 16}
    features = datasets.Features(FEATURES | {"source": datasets.Value("string")})
    for shard in range(8):
        part = {name: column[shard::8] for name, column in columns.items()}
        file = tmp_path / f"train-{shard:05d}-of-00008.parquet"
        datasets.Dataset.from_dict(part, features=features).to_parquet(str(file))
    stream = open_stream(str(tmp_path), "train", with_source=True)
    assert source_shares(stream, 0.5) == {"many": 0.5, "few": 1.0}  # (64 / 16) ** -0.5
    assert source_shares(stream, 1.0) == {"many": 1.0, "few": 1.0}

    def drawn(power, lane_states=None, start=0):
        shares = source_shares(stream, power)
        crops = CropStream(stream, "image", 32, 0, 0.0, start=start, lane_states=lane_states, shares=shares)
        return batches(crops, 16, workers=0)

    def red_share(power):
        pixels = torch.cat([batch.pixels for batch in itertools.islice(drawn(power), 20)])
        return float((pixels[:, 0] > 128).float().mean())

    assert red_share(1.0) == pytest.approx(16 / 80, abs=0.03)
    assert red_share(0.0) == pytest.approx(1 / 2, abs=0.08)
    whole = list(itertools.islice(drawn(0.5), 6))
    resumed = next(drawn(0.5, whole[4].lane_states, start=80))
    assert torch.equal(resumed.pixels, whole[5].pixels) and torch.equal(resumed.mix, whole[5].mix)
    with pytest.raises(ValueError, match="has no column 'source', only image"):
        open_stream(str(write(tmp_path / "bare", columns["image"][:8], 1)), "train", with_source=True)
