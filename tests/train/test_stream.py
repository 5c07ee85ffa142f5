"""The stream of crops: every picture equally often, the same for everybody who shares it, resumable to the sample."""

import io
import itertools
import json
import subprocess
import tarfile

import datasets
import numpy as np
import pytest
import torch
from conftest import ROOT, encoded
from support.counted import cells, seen, write_cases, write_parquet

from train.data.dataset import open_stream
from train.data.loader import batches
from train.data.rows import ListedRows, Row, Rows, UnavailableError
from train.data.sampler import Sampler
from train.data.stream import CropStream
from train.data.streamed import StreamedRows

FEATURES = datasets.Features({"image": datasets.Image()})
FORMS = ("shards", "uneven", "one file", "a handful", "files", "pairs", "tars", "arrays", "streamed")


def write(folder, cells, shards):
    folder.mkdir(parents=True, exist_ok=True)
    for shard in range(shards):
        part = datasets.Dataset.from_dict({"image": cells[shard::shards]}, features=FEATURES)
        part.to_parquet(str(folder / f"train-{shard:05d}-of-{shards:05d}.parquet"), batch_size=5)
    return folder


@pytest.fixture(scope="module")
def sets(crops, tmp_path_factory):
    """The same forty pictures in every form there is, one of them gray."""
    folder = tmp_path_factory.mktemp("forms")
    crops = [crop.convert("L").convert("RGB") if number == 11 else crop for number, crop in enumerate(crops)]
    cells = [encoded(crop) for crop in crops]
    write(folder / "shards", cells, 8)
    write(folder / "uneven", cells, 11)
    write(folder / "one file", cells, 1)
    write(folder / "a handful", cells[:3], 1)
    for part in ("files", "pairs/color", "pairs/gray", "tars"):
        (folder / part).mkdir(parents=True)
    with tarfile.open(folder / "tars/0.tar", "w") as tar:
        for number, (crop, cell) in enumerate(zip(crops, cells, strict=True)):
            crop.save(folder / f"files/{number}.png")
            crop.save(folder / f"pairs/color/{number}.png")
            entry = tarfile.TarInfo(f"{number:03d}.png")
            entry.size = len(cell["bytes"])
            tar.addfile(entry, io.BytesIO(cell["bytes"]))
    lab = np.random.default_rng(0).integers(90, 166, (40, 8, 8, 3), dtype=np.uint8)
    lab[11, ..., 1:] = 128
    for part, values in (("l", lab[..., 0]), ("ab", lab[..., 1:])):
        (folder / "arrays" / part).mkdir(parents=True)
        np.save(folder / "arrays" / part / f"{part}.npy", values)
    return folder


def rows(sets, form):
    if form == "streamed":  # as the Hub's data sets that are neither parquet nor pictures
        files = {"train": str(sets / "uneven/*.parquet")}
        return StreamedRows(form, datasets.load_dataset("parquet", data_files=files, streaming=True)["train"], "image")
    return open_stream(str(sets / form), "train")


def stream(opened, **options):
    opened = opened if isinstance(opened, Rows | StreamedRows) else open_stream(str(opened), "train")
    return CropStream(opened, **{"size": 8, "seed": 3, "min_colorfulness": 8.0, "lanes": 4} | options)


def same(one, other):
    return torch.equal(one.pixels, other.pixels) and torch.equal(one.mix, other.mix)


@pytest.mark.parametrize("form", FORMS)
def test_it_resumes_exactly_where_it_was(sets, form, monkeypatch):
    monkeypatch.setattr(datasets.config, "SLEEP_TIME_ON_THREADS_SHUTDOWN", 0)
    monkeypatch.setattr("train.data.streamed._ROWS", 16)  # so that there are several blocks
    opened = rows(sets, form)
    opened.block = 3
    whole = list(itertools.islice(batches(stream(opened), 2, 0), 45))  # over two epochs
    lane_states = {}
    for number, batch in enumerate(whole[:-5]):
        lane_states |= batch.lane_states
        if number % 3:
            continue
        kept = {int(lane): lane_state for lane, lane_state in json.loads(json.dumps(lane_states)).items()}
        again = stream(opened, start=2 * (number + 1), lane_states=kept)
        rest = list(itertools.islice(batches(again, 2, 0), 5))
        assert all(map(same, rest, whole[number + 1 :])), f"{form}: not the same after batch {number}"


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """Data sets whose pictures were seen unevenly, with their numbers of pictures."""
    folder = tmp_path_factory.mktemp("cases")
    return {folder / name: count for name, count in write_cases(folder).items()}


@pytest.mark.parametrize("case", range(3))
def test_in_ten_epochs_each_picture_comes_ten_times(cases, case):
    folder, count = list(cases.items())[case]
    counts = seen(batches(stream(folder, lanes=8, min_colorfulness=0.0), 16, 0), 10 * count)
    assert set(counts.values()) == {10} and len(counts) == count


@pytest.mark.slow
@pytest.mark.parametrize("world", [2, 4])
def test_in_several_processes_too(cases, subprocess_env, world):
    launch = f"accelerate launch --multi_gpu --num_processes {world} --num_machines 1 --mixed_precision no"
    words = [*launch.split(), "--dynamo_backend", "no", str(ROOT / "tests/support/counting.py")]
    words.append(json.dumps({str(folder): count for folder, count in cases.items()}))
    env = subprocess_env | {"ACCELERATE_USE_CPU": "true"}
    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    processes, counts = json.loads(done.stdout.splitlines()[-1])
    assert processes == world
    assert counts == {str(folder): [10, 10, count] for folder, count in cases.items()}


@pytest.mark.parametrize("unusable", [1, 4, 20])
def test_what_stands_in_for_unusable_pictures_is_spread_evenly(tmp_path, unusable):
    pictures = cells(41)
    for number in range(unusable):
        pictures[2 * number] = {"bytes": b"no picture", "path": "broken.png"}
    write_parquet(tmp_path / "train.parquet", pictures, [10, 30, 1])
    counts = seen(batches(stream(tmp_path, lanes=8, min_colorfulness=0.0), 16, 0), 410)
    assert len(counts) == 41 - unusable and max(counts.values()) <= 1.2 * min(counts.values())


def test_rows_of_a_stream_come_equally_often_too(cases, monkeypatch):
    monkeypatch.setattr(datasets.config, "SLEEP_TIME_ON_THREADS_SHUTDOWN", 0)
    files = {"train": str(next(iter(cases)) / "*.parquet")}
    opened = StreamedRows("tars", datasets.load_dataset("parquet", data_files=files, streaming=True)["train"], "image")
    counts = seen(batches(stream(opened, lanes=8, min_colorfulness=0.0), 16, 0), 1410)
    assert set(counts.values()) == {2} and len(counts) == 705


def test_the_order_is_another_in_each_epoch_and_mixes_pieces(cases):
    drawn = Sampler(open_stream(str(next(iter(cases))), "train"), 1, 0).draws(0, 0)
    epochs = [[row.data for row in itertools.islice(drawn, 705)] for _ in range(2)]
    assert sorted(epochs[0]) == sorted(epochs[1]) and epochs[0] != epochs[1] != sorted(epochs[1])


@pytest.mark.parametrize("shards", [1, 8, 11])
def test_a_limit_is_the_same_pictures_in_every_epoch(tmp_path, shards):
    write(tmp_path, cells(40), shards)
    limited = open_stream(str(tmp_path), "train").first(12)
    counts = seen(batches(CropStream(limited, 8, 3, 0.0, lanes=4), 12, 0), 36)
    assert len(counts) == 12 and set(counts.values()) == {3}


@pytest.mark.parametrize("form", ["shards", "one file", "files", "arrays", "streamed"])
@pytest.mark.parametrize("world", [2, 4])
def test_processes_share_what_one_would_see(sets, form, world):
    alone = list(itertools.islice(batches(stream(rows(sets, form)), 8, 0), 12))
    shares = [
        list(itertools.islice(batches(stream(rows(sets, form), rank=rank, world=world), 8 // world, 0), 12))
        for rank in range(world)
    ]
    for number, batch in enumerate(alone):
        together = torch.cat([share[number].pixels for share in shares])
        assert sorted(map(bytes, together.numpy())) == sorted(map(bytes, batch.pixels.numpy()))


@pytest.mark.parametrize("form", ["uneven", "streamed"])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_number_of_decoding_workers_changes_nothing(sets, form, workers):
    plain = itertools.islice(batches(stream(rows(sets, form), start=6), 5, 0), 9)
    assert all(map(same, itertools.islice(batches(stream(rows(sets, form), start=6), 5, workers), 9), plain))


def test_damaged_pictures_are_named_and_the_rest_comes_as_before(crops, tmp_path):
    good = [encoded(crop) for crop in crops]
    bad = [{"bytes": cell["bytes"][:60], "path": f"{n}.png"} if n in (7, 27) else cell for n, cell in enumerate(good)]
    whole = [
        next(batches(stream(write(tmp_path / name, cells, 8)), 40, 0)) for name, cells in (("g", good), ("b", bad))
    ]
    assert sorted(name.partition(":")[0].rpartition("/")[2] for name in whole[1].broken) == ["27.png", "7.png"]
    assert all("cut short" in name for name in whole[1].broken)
    equal = [torch.equal(one, other) for one, other in zip(whole[0].pixels, whole[1].pixels, strict=True)]
    assert equal.count(False) == 2


def test_processes_that_cannot_share_evenly_are_told(sets):
    with pytest.raises(ValueError, match="3 processes cannot share 4 lanes evenly: give --lanes a multiple of 3"):
        stream(sets / "shards", world=3)


class Gone(ListedRows):
    """Rows of a data set whose network is gone after the first thirty."""

    def read_piece(self, piece):
        if piece >= 30:
            raise ConnectionError("no route to the Hub")
        return super().read_piece(piece)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_network_that_is_gone_is_said_as_it_is(crops, workers):
    opened = Gone("far", [Row(str(number), "", encoded(crop)["bytes"]) for number, crop in enumerate(crops)])
    with pytest.raises(UnavailableError, match="no route to the Hub"):
        list(itertools.islice(batches(stream(opened), 2, workers), 30))


def test_a_file_that_cannot_be_read_counts_as_broken(crops, tmp_path):
    for number, crop in enumerate(crops[:8]):
        crop.save(tmp_path / f"{number}.png")
    opened = stream(tmp_path, lanes=1)
    (tmp_path / "3.png").unlink()
    (batch,) = itertools.islice(batches(opened, 8, 0), 1)
    assert set(batch.broken) == {"3.png: it cannot be read: No such file or directory"}


def test_small_sources_are_drawn_more_often_and_every_batch_resumes(tmp_path):
    pictures = cells(80)
    for shard in range(8):
        source = "few" if shard < 2 else "many"
        write_parquet(tmp_path / f"train-{shard:05d}-of-00008.parquet", pictures, [8 if shard < 2 else 10], source)
    opened = open_stream(str(tmp_path), "train")
    opened = opened.only(opened.numbers[:76])  # 16 few, 60 many

    def drawn(power, **options):
        return batches(stream_of(power, **options), 16, 0)

    def stream_of(power, **options):
        return CropStream(opened, 8, 3, 0.0, lanes=4, source_power=power, **options)

    def counts(power, samples):
        numbers = seen(drawn(power), samples)
        return numbers, sum(count for number, count in numbers.items() if number < 16) / samples

    numbers, few = counts(0.0, 20 * 32)
    assert few == pytest.approx(0.5, abs=0.01)
    own = [[numbers[n] for n in part] for part in (range(16), range(16, 76))]
    assert all(max(part) - min(part) <= 1 for part in own), "pictures of one source come equally often"
    assert counts(0.5, 20 * 47)[1] == pytest.approx(16 / (16 + 31), abs=0.01)  # 60 * (60 / 16) ** -0.5 = 31
    assert counts(1.0, 760)[1] == pytest.approx(16 / 76, abs=0.01)
    whole = list(itertools.islice(drawn(0.5), 6))
    resumed = next(drawn(0.5, lane_states=whole[4].lane_states, start=80))
    assert same(resumed, whole[5])


def test_sources_must_be_there(sets):
    with pytest.raises(ValueError, match="has no column 'source', only image"):
        stream(sets / "shards", source_power=0.5)
    with pytest.raises(ValueError, match="does not say where its pictures come from: --source-power must then be 1"):
        stream(rows(sets, "streamed"), source_power=0.5)
