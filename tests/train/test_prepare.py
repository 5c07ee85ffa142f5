"""A folder of photographs to a data set: what is in the parquet, what was skipped, and who can read it."""

import itertools
import subprocess
import sys
from collections import Counter

import datasets
import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import ROOT
from huggingface_hub import DatasetCard
from PIL import Image
from support.preparing import made, names, opened, save

from train.data.dataset import open_stream
from train.data.loader import batches
from train.data.stream import CropStream
from train.prepare import dataset as module
from train.prepare.__main__ import main


@pytest.fixture(scope="module")
def source(crops, tmp_path_factory):
    """Three sources, with two gray pictures, a broken file, and a copy in another source and with other metadata."""
    folder = tmp_path_factory.mktemp("photographs")
    save(folder / "forest", crops[:20])
    save(folder / "sea", crops[20:36], "jpg", quality=90)
    save(folder / "fog", crops[36:])
    save(folder / "forest", [crop.convert("L") for crop in crops[:2]], "gif")
    (folder / "sea/broken.jpg").write_bytes((folder / "sea/0.jpg").read_bytes()[:600])
    exif = Image.Exif()
    exif[0x010E], exif[0x8825] = "a secret place", {1: "N", 2: (48.0, 51.0, 30.0)}
    crops[37].save(folder / "sea/copy.png", exif=exif)
    return folder


@pytest.fixture(scope="module")
def prepared(source, tmp_path_factory):
    output = tmp_path_factory.mktemp("prepared") / "set"
    return output, *made(source, output)


def test_the_smallest_source_is_validation_and_all_is_counted(prepared):
    _, summary, rows, skipped = prepared
    assert {split: {row["source"] for row in members} for split, members in rows.items()} == {
        "validation": {"fog"},
        "train": {"forest", "sea"},
    }
    assert summary.counts == {("train", "forest"): 20, ("train", "sea"): 16, ("validation", "fog"): 4}
    assert summary.skipped == {"gray": 2, "undecodable": 1, "duplicate": 1}
    assert skipped.keys() == {"forest/0.gif", "forest/1.gif", "sea/broken.jpg", "sea/copy.png"}
    assert skipped["forest/0.gif"] == "gray: colorfulness 0.0, expected 8 or more"
    assert skipped["sea/broken.jpg"].startswith("undecodable: the picture is cut short")
    assert (
        skipped["sea/copy.png"] == "duplicate: the same as fog/1.png"
    )  # training loses it, though sea comes after fog


def test_a_small_split_is_one_shard_named_so(prepared):
    output = prepared[0]
    assert {f.name for f in output.iterdir()} == {"README.md", "skipped.csv"} | {
        f"{split}-00000-of-00001.parquet" for split in ("train", "validation")
    }
    assert "Number of parquet files: train 1, validation 1." in (output / "README.md").read_text()


def test_shards_hold_about_the_same_mixture(source, tmp_path):
    made(source, tmp_path / "out", shards=4)
    tables = [pq.read_table(tmp_path / f"out/train-0000{i}-of-00004.parquet").to_pylist() for i in range(4)]
    assert sum(map(len, tables)) == 36 and all(6 <= len(table) <= 10 for table in tables)
    assert all({row["source"] for row in table} == {"forest", "sea"} for table in tables)


def test_everyone_can_read_it(prepared, tmp_path):
    output = prepared[0]
    for streaming in (False, True):
        loaded = datasets.load_dataset(str(output), streaming=streaming, cache_dir=str(tmp_path))
        assert loaded.keys() == {"train", "validation"}
        assert loaded["train"].features == {"image": datasets.Image(), "source": datasets.Value("string")}
        counts = {split: sum(row["image"].size == (96, 96) for row in members) for split, members in loaded.items()}
        assert counts == {"train": 36, "validation": 4}
    assert datasets.Features.from_arrow_schema(pq.read_schema(output / "train-00000-of-00001.parquet")) == {
        "image": datasets.Image(),
        "source": datasets.Value("string"),
    }


@pytest.mark.parametrize(("split", "world"), [("train", 2), ("validation", 1)])
def test_the_trainer_reads_it(prepared, split, world):
    stream = open_stream(str(prepared[0]), split)
    crops = CropStream(stream, 32, seed=0, min_colorfulness=8.0, world=world)
    (batch,) = itertools.islice(batches(crops, 4, workers=0), 1)
    assert batch.pixels.shape == (4, 3, 32, 32) and not batch.gray and not batch.broken


def test_the_card_says_what_was_done_and_nothing_of_the_machine(prepared, source):
    output = prepared[0]
    card = DatasetCard.load(output / "README.md")
    assert card.data.license == "other" and card.data.task_categories == ["image-to-image"]
    assert card.data.size_categories == ["n<1K"] and "image-colorization" in card.data.tags
    assert [file["split"] for file in card.data.configs[0]["data_files"]] == ["train", "validation"]
    for line in (
        "| train | forest | 20 |",
        "| validation | fog | 4 |",
        "| 2 | gray or nearly so (colorfulness under 8, Hasler and Suesstrunk 2003) |",
        "| 1 | the same picture as another, pixel for pixel |",
        "accelerate launch train --recipe all --dataset set",
        "short side over 320 px",
        "the publisher's to state",
    ):
        assert line in card.text, line
    assert "{{" not in card.content and "{%" not in card.content
    for file in output.iterdir():
        assert str(source.parent).encode() not in file.read_bytes(), file


@pytest.mark.parametrize(
    ("count", "category"), [(999, "n<1K"), (1000, "1K<n<10K"), (123_456, "100K<n<1M"), (10**10, "100M<n<1B")]
)
def test_the_card_knows_large_sets(count, category):
    facts = {"name": "a/b", "source": "c|d", "short_side": 8, "min_colorfulness": 9.5, "license": "cc0-1.0"}
    card = module.dataset_card(Counter({("test", "a|b"): count}), Counter(test=3), Counter(), **facts)
    assert (
        card.data.size_categories == [category]
        and "| test | a\\|b |" in card.text
        and "Nothing." in card.text
        and "files: test 3." in card.text
    )


def test_the_same_seed_gives_the_same_files(source, prepared, tmp_path):
    made(source, tmp_path / "set")
    for file in prepared[0].iterdir():
        assert file.read_bytes() == (tmp_path / "set" / file.name).read_bytes(), file.name
    made(source, tmp_path / "other", seed=1)
    first = "train-00000-of-00001.parquet"
    assert (tmp_path / "other" / first).read_bytes() != (tmp_path / "set" / first).read_bytes()


def test_pictures_are_made_smaller_but_never_larger(photograph, crops, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    save(tmp_path / "in", [photograph], "jpg", exif=exif)
    save(tmp_path / "in", crops[:1])
    _, rows, _ = made(tmp_path / "in", tmp_path / "out", short_side=100)
    assert sorted(opened(row).size for row in rows["train"]) == [(96, 96), (100, 150)]  # 427x640 upright


def test_rows_are_jpeg_of_full_color_without_metadata(photograph, crops, tmp_path):
    exif = Image.Exif()
    exif[0x010E], exif[0x8825] = "a secret place", {1: "N", 2: (48.0, 51.0, 30.0)}
    save(tmp_path / "in", [photograph], "jpg", exif=exif, comment=b"a secret remark", quality=98, subsampling=0)
    original = np.asarray(Image.open(tmp_path / "in/0.jpg")).astype(int)
    _, rows, _ = made(tmp_path / "in", tmp_path / "out", short_side=2000)
    (row,) = rows["train"]
    picture = opened(row)
    assert picture.format == "JPEG" and picture.layer[1][1:3] == (1, 1) and picture.mode == "RGB"
    assert not picture.getexif() and "comment" not in picture.info and b"secret" not in row["image"]["bytes"]
    assert np.abs(np.asarray(picture) - original).mean() < 2


@pytest.mark.parametrize(
    ("folders", "validation", "expected"),
    [
        ({"a": 8, "b": 2, "c": 1}, (), {"c"}),
        ({"a": 34, "b": 2, "c": 1}, (), {"b", "c"}),
        ({"a": 8, "b": 2, "c": 1}, ("a", "c"), {"a", "c"}),
        ({"a": 39, "b": 1}, (), {"b"}),  # less than 5 %, but the largest stays
        ({"a": 4}, (), set()),
        ({"train/a": 4, "Val/b": 3, "test": 2}, (), {"b"}),
    ],
)
def test_splits_are_made_by_source(crops, tmp_path, capsys, folders, validation, expected):
    pieces = iter(crops)
    for name, count in folders.items():
        save(tmp_path / "in" / name, itertools.islice(pieces, count))
    summary, _, _ = made(tmp_path / "in", tmp_path / "out", validation=validation)
    assert {source for split, source in summary.counts if split == "validation"} == expected
    assert summary.counts.total() == sum(folders.values())
    printed = capsys.readouterr().out
    assert all(name in printed for name in expected if "train/a" not in folders)
    if "a" in folders and len(folders) == 1:
        assert "one source only, so everything is train: put the pictures into sub-folders" in printed
    if "test" in folders:
        assert summary.counts == {("train", "a"): 4, ("validation", "b"): 3, ("test", "in"): 2}


def test_beside_folders_of_splits_nothing_is_used(crops, tmp_path):
    save(tmp_path / "in/train", crops[:2])
    save(tmp_path / "in/valid", [crops[0], crops[3]])
    save(tmp_path / "in/more", crops[4:5])
    _, rows, skipped = made(tmp_path / "in", tmp_path / "out")
    assert names(rows) == {"train": ["train/1.jpg"], "validation": ["valid/0.jpg", "valid/1.jpg"]}
    assert skipped == {
        "train/0.png": "duplicate: the same as valid/0.png",
        "more/0.png": "beside the folders of the splits",
    }


def test_a_split_without_a_usable_picture_is_named_and_not_written(crops, tmp_path):
    save(tmp_path / "in/train", crops[:2])
    save(tmp_path / "in/val", [crops[2].convert("L")])
    summary, rows, _ = made(tmp_path / "in", tmp_path / "out")
    assert rows.keys() == {"train"} and "validation: 0 of 1 files, so there is no such split" in summary.lines()[1]
    assert datasets.load_dataset(str(tmp_path / "out"), streaming=True).keys() == {"train"}


def test_the_command_line(source, tmp_path, subprocess_env, monkeypatch):
    options = ["--output", tmp_path / "out", "--validation", "sea", "--license", "cc-by-4.0", "--shards", "16"]
    words = [sys.executable, "-m", "train.prepare", *map(str, [source, *options])]
    done = subprocess.run(words, cwd=ROOT, env=subprocess_env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "validation is sea, as asked for",
        "train: 23 of 26 files, in 16 shards",
        "validation: 17 of 18 files, in 16 shards",
        "skipped: 1 duplicate, 2 gray, 1 undecodable",
        f"The data set, its card and skipped.csv are in {tmp_path / 'out'}",
        f"next: accelerate launch train --recipe all --dataset {tmp_path / 'out'}",
    ]
    assert len(list((tmp_path / "out").glob("train-*-of-00016.parquet"))) == 16
    monkeypatch.setattr(sys, "argv", ["train.prepare", str(source), "--output", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match=r"^train\.prepare: --output .* is there already[^\n]*$"):
        main()
