"""A folder of photographs to a data set: what is in the parquet, what was left out, and who can read it."""

import csv
import io
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
from test_raw import save_lab, save_pairs

from train import prepare as module
from train import shards
from train.data import open_stream
from train.hub import PushError
from train.prepare import Options, prepare
from train.stream import CropStream, batches


def save(folder, pictures, suffix="png", **options):
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures):
        picture.save(folder / f"{number}.{suffix}", **options)
    return folder


def made(source, output, **options):
    """The summary, the rows by split, and what was left out by file."""
    summary = prepare(Options(source, output, **options))
    rows = {}
    for file in sorted(output.glob("*.parquet")):
        rows.setdefault(file.name.split("-")[0], []).extend(pq.read_table(file).to_pylist())
    with (output / "skipped.csv").open(encoding="utf-8", newline="") as file:
        skipped = {line["file"]: line["reason"] for line in csv.DictReader(file)}
    return summary, rows, skipped


def names(rows):
    return {split: sorted(row["image"]["path"] for row in of) for split, of in rows.items()}


def opened(row):
    return Image.open(io.BytesIO(row["image"]["bytes"]))


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
    assert {split: {row["source"] for row in of} for split, of in rows.items()} == {
        "validation": {"fog"},
        "train": {"forest", "sea"},
    }
    assert summary.counts == {("train", "forest"): 20, ("train", "sea"): 16, ("validation", "fog"): 4}
    assert summary.left_out == {"gray": 2, "undecodable": 1, "duplicate": 1}
    assert skipped.keys() == {"forest/0.gif", "forest/1.gif", "sea/broken.jpg", "sea/copy.png"}
    assert skipped["forest/0.gif"] == "gray: colourfulness 0.0, expected 8 or more"
    assert skipped["sea/broken.jpg"].startswith("undecodable: the picture is damaged or cut short")
    assert skipped["sea/copy.png"] == "duplicate of fog/1.png"  # training loses it, though sea comes after fog


def test_shards_are_a_multiple_of_eight_named_so_and_alike(prepared):
    output = prepared[0]
    assert {f.name for f in output.iterdir()} == {"README.md", "skipped.csv"} | {
        f"{split}-0000{i}-of-00008.parquet" for split in ("train", "validation") for i in range(8)
    }
    assert sorted(pq.read_metadata(f).num_rows for f in output.glob("train-*")) == [4] * 4 + [5] * 4
    mixture = [row["source"] for row in pq.read_table(output / "train-00000-of-00008.parquet").to_pylist()]
    assert set(mixture) == {"forest", "sea"}


def test_everyone_can_read_it(prepared, tmp_path):
    output = prepared[0]
    for streaming in (False, True):
        loaded = datasets.load_dataset(str(output), streaming=streaming, cache_dir=str(tmp_path))
        assert loaded.keys() == {"train", "validation"}
        assert loaded["train"].features == {"image": datasets.Image(), "source": datasets.Value("string")}
        counts = {split: sum(row["image"].size == (96, 96) for row in of) for split, of in loaded.items()}
        assert counts == {"train": 36, "validation": 4}, "an empty shard must not stop anyone"
    assert datasets.Features.from_arrow_schema(pq.read_schema(output / "train-00000-of-00008.parquet")) == {
        "image": datasets.Image(),
        "source": datasets.Value("string"),
    }


@pytest.mark.parametrize(("split", "world"), [("train", 2), ("validation", 1)])
def test_the_trainer_reads_it(prepared, split, world):
    stream = open_stream(str(prepared[0]), split)
    crops = CropStream(stream, "image", 32, seed=0, min_colorfulness=8.0, world=world)
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
        "| 2 | gray or nearly so (colourfulness under 8, Hasler and Suesstrunk 2003) |",
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
    facts = {"name": "a/b", "folder": "c|d", "short_side": 8, "min_colorfulness": 9.5, "license": "cc0-1.0"}
    card = module.dataset_card(Counter({("test", "a|b"): count}), Counter(), **facts)
    assert card.data.size_categories == [category] and "| test | a\\|b |" in card.text and "Nothing." in card.text


def test_the_same_seed_gives_the_same_files(source, prepared, tmp_path):
    made(source, tmp_path / "set")
    for file in prepared[0].iterdir():
        assert file.read_bytes() == (tmp_path / "set" / file.name).read_bytes(), file.name
    made(source, tmp_path / "other", seed=1)
    first = "train-00000-of-00008.parquet"
    assert (tmp_path / "other" / first).read_bytes() != (tmp_path / "set" / first).read_bytes()


def test_pictures_are_made_smaller_but_never_larger(photograph, crops, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    save(tmp_path / "in", [photograph], "jpg", exif=exif)
    save(tmp_path / "in", crops[:1])
    _, rows, _ = made(tmp_path / "in", tmp_path / "out", short_side=100)
    assert sorted(opened(row).size for row in rows["train"]) == [(96, 96), (100, 150)]  # 427x640 upright


def test_rows_are_jpeg_of_full_colour_without_metadata(photograph, crops, tmp_path):
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
    assert skipped == {"train/0.png": "duplicate of valid/0.png", "more/0.png": "outside: not in a folder of a split"}


def test_a_split_without_a_usable_picture_is_named_and_not_written(crops, tmp_path):
    save(tmp_path / "in/train", crops[:2])
    save(tmp_path / "in/val", [crops[2].convert("L")])
    summary, rows, _ = made(tmp_path / "in", tmp_path / "out")
    assert rows.keys() == {"train"} and "validation: 0 of 1 files: there is no such split now" in summary.lines()[1]
    assert datasets.load_dataset(str(tmp_path / "out"), streaming=True).keys() == {"train"}


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_pairs(crops, tmp_path, capsys, suffix):
    save_pairs(tmp_path / "in", crops[:5], suffix)
    (tmp_path / f"in/color/0.{suffix}").unlink()
    (tmp_path / f"in/gray/1.{suffix}").unlink()
    _, rows, skipped = made(tmp_path / "in", tmp_path / "out")
    assert names(rows) == {"train": [f"color/{n}.jpg" for n in range(1, 5)]}
    assert {row["source"] for row in rows["train"]} == {"in"}
    assert skipped == {f"gray/0.{suffix}": "unpaired: no colour partner"}
    printed = capsys.readouterr().out
    assert f"1 without a gray partner, used all the same: color/1.{suffix}" in printed
    assert f"1 gray without a colour partner, left out: gray/0.{suffix}" in printed


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_lab_arrays(crops, tmp_path, dtype):
    save_lab(tmp_path / "in", crops[:10], np.dtype(dtype), l_ends=(4,), ab_ends=(3, 9))
    _, rows, skipped = made(tmp_path / "in", tmp_path / "out")
    assert len(rows["train"]) == 10 and not skipped
    places = [f"l/gray_scale1.npy/00000{n}.jpg" for n in range(4)] + [
        f"l/gray_scale2.npy/00000{n}.jpg" for n in range(6)
    ]
    back = {row["image"]["path"]: np.asarray(opened(row)).astype(int) for row in rows["train"]}
    for place, crop in zip(places, crops, strict=False):
        assert np.abs(back[place] - np.asarray(crop)).mean() < 3  # mostly JPEG's


def test_sources_of_several_forms_are_one_data_set(crops, tmp_path):
    save_lab(tmp_path / "in/round2", crops[:3], np.uint8)
    save_pairs(tmp_path / "in/round1", crops[3:8])
    save(tmp_path / "in/mine", crops[8:20])
    summary, _, _ = made(tmp_path / "in", tmp_path / "out")
    assert summary.counts == {("validation", "round2"): 3, ("train", "round1"): 5, ("train", "mine"): 12}


def test_hostile_files_are_all_accounted_for(shared, tmp_path):
    folder = shared / "corpus/images"
    summary, rows, skipped = made(folder, tmp_path / "out")
    used = {row["image"]["path"] for row in rows["train"]}
    for file in folder.iterdir():
        assert (file.with_suffix(".jpg").name in used) or file.name in skipped, file.name
    assert len(rows["train"]) + len(skipped) == len(list(folder.iterdir()))
    assert len(rows["train"]) > 20 and summary.left_out["undecodable"] > 20
    for row in rows["train"]:
        assert opened(row).format == "JPEG" and not opened(row).getexif()


def test_links_in_circles_and_files_that_are_none_are_listed(crops, tmp_path):
    save(tmp_path / "in", crops[:2])
    (tmp_path / "in/circle").symlink_to("circle")
    (tmp_path / "in/up").symlink_to("..", target_is_directory=True)
    (tmp_path / "in/long.png").write_bytes(b"")
    long = Image.new("RGB", (66_000, 2), "red")
    long.putpixel((0, 0), (0, 255, 0))
    long.save(tmp_path / "in/wide.png")
    _, rows, skipped = made(tmp_path / "in", tmp_path / "out")
    assert len(rows["train"]) == 2 and "circle" in skipped and skipped["long.png"] == "undecodable: the file is empty"
    assert skipped["wide.png"] == "undecodable: the picture cannot be stored as JPEG"
    assert str(tmp_path) not in " ".join(skipped.values())


def test_many_shards_are_filled_eight_at_a_time(crops, tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "_PER_SHARD", 2)
    monkeypatch.setattr(shards, "_GROUP", 1)
    save(tmp_path / "in", crops)
    made(tmp_path / "in", tmp_path / "out")
    files = sorted((tmp_path / "out").glob("train-*"))
    assert len(files) == 24 and files[-1].name == "train-00023-of-00024.parquet"
    counts = [pq.read_metadata(file).num_rows for file in files]
    assert sum(counts) == 40 and set(counts) == {1, 2}
    assert {pq.read_metadata(file).num_row_groups for file in files} == {1, 2}


def test_an_interrupted_run_leaves_nothing(crops, tmp_path, monkeypatch):
    save(tmp_path / "in", crops)
    make, calls = module.to_picture, itertools.count()

    def interrupted(*arguments, **options):
        if next(calls) == 20:
            raise KeyboardInterrupt
        return make(*arguments, **options)

    monkeypatch.setattr(module, "to_picture", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare(Options(tmp_path / "in", tmp_path / "out"))
    assert [f.name for f in tmp_path.iterdir()] == ["in"]


def test_an_empty_output_folder_is_used_and_nothing_hidden_stays(crops, tmp_path):
    (tmp_path / "out").mkdir()
    save(tmp_path / "in", crops[:2])
    made(tmp_path / "in", tmp_path / "out")
    assert sorted(f.name for f in tmp_path.iterdir()) == ["in", "out"]
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """What would have been pushed, while the Hub itself is elsewhere."""
    pushed = []

    def push(repo_id, folder, **options):
        pushed.append((repo_id, {f.name for f in folder.iterdir()}, folder, options))
        return "0" * 40

    monkeypatch.setattr(module, "check_push", lambda ids, kind: pushed.append((ids, kind)))
    monkeypatch.setattr(module, "push", push)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    return pushed


@pytest.mark.parametrize("kept", [True, False])
def test_a_push_is_checked_first_and_leaves_no_copy_but_the_output(crops, tmp_path, hub, kept):
    save(tmp_path / "in", crops[:3])
    prepare(Options(tmp_path / "in", tmp_path / "out" if kept else None, push="me/hills", private=True))
    check, (repo_id, files, folder, options) = hub
    assert check == (["me/hills"], "dataset") and repo_id == "me/hills"
    assert {"README.md", "skipped.csv", "train-00000-of-00008.parquet"} <= files
    assert options == {"message": "3 pictures", "repo_type": "dataset", "private": True}
    assert (folder == tmp_path / "out") == kept == folder.exists() and not list((tmp_path / "temporary").iterdir())
    if kept:
        card = DatasetCard.load(folder / "README.md")
        assert 'load_dataset("me/hills"' in card.text and "# me/hills" in card.text


def test_what_could_not_be_pushed_is_kept(crops, tmp_path, hub, monkeypatch):
    def refuse(*_, **__):
        raise PushError("the line is down")

    monkeypatch.setattr(module, "push", refuse)
    save(tmp_path / "in", crops[:3])
    with pytest.raises(PushError, match=r"the line is down; the data set is kept in .*hf upload me/hills") as raised:
        prepare(Options(tmp_path / "in", push="me/hills"))
    (scratch,) = (tmp_path / "temporary").iterdir()
    assert (scratch / "dataset/README.md").is_file() and str(scratch) in str(raised.value)


def test_a_push_that_cannot_work_is_refused_before_anything_is_read(tmp_path, monkeypatch):
    def refuse(*_):
        raise PushError("no token")

    monkeypatch.setattr(module, "check_push", refuse)
    with pytest.raises(PushError, match="no token"):
        prepare(Options(tmp_path / "not there", push="me/hills"))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"output": None}, "nowhere to put the data set"),
        ({"source": "none"}, "none is no folder here"),
        ({"source": "empty"}, r"empty gave no usable picture \(nothing\)"),
        ({"source": "gray"}, r"gray gave no usable picture \(2 gray\): check it, or lower --min-colorfulness"),
        ({"output": "in"}, "in is there already: name a new folder"),
        ({"output": "in/a/0.png"}, "0.png is there already"),
        ({"shards": 12}, "--shards is 12, expected a multiple of 8"),
        ({"shards": 0}, "--shards is 0, expected a multiple of 8"),
        ({"short_side": 0}, "--short-side is 0, expected 1 or more"),
        ({"push": "hills"}, "--push is hills, expected NAMESPACE/NAME"),
        ({"private": True}, "--private is for a data set on the Hub"),
        ({"validation": ("c",)}, "--validation c: there are only the sources a, b"),
        ({"validation": ("a", "b")}, "names every source: leave one for training"),
        ({"source": "named", "validation": ("a",)}, "has folders named train: leave out --validation"),
    ],
)
def test_mistakes_are_named_and_leave_nothing_behind(crops, tmp_path, given, reason):
    save(tmp_path / "in/a", crops[:2])
    save(tmp_path / "in/b", crops[2:3])
    save(tmp_path / "gray", [crop.convert("L") for crop in crops[:2]])
    save(tmp_path / "named/train", crops[:1])
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    given = {"source": "in", "output": "out"} | given
    paths = {key: tmp_path / given.pop(key) for key in ("source", "output") if given[key]}
    with pytest.raises(ValueError, match=reason):
        prepare(Options(**({"output": None} | paths | {k: v for k, v in given.items() if k != "output"})))
    assert sorted(tmp_path.rglob("*")) == before


def test_the_command_line(source, tmp_path, subprocess_env):
    def run(*arguments):
        words = [sys.executable, "-m", "train.prepare", *map(str, arguments)]
        return subprocess.run(words, cwd=ROOT, env=subprocess_env, capture_output=True, text=True, timeout=120)

    done = run(source, "--output", tmp_path / "out", "--validation", "sea", "--license", "cc-by-4.0", "--shards", "16")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "validation is sea, as asked for",
        "train: 23 of 26 files",
        "validation: 17 of 18 files",
        "left out: 1 duplicate, 2 gray, 1 undecodable",
        f"The data set, its card and skipped.csv are in {tmp_path / 'out'}",
        f"next: accelerate launch train --recipe all --dataset {tmp_path / 'out'}",
    ]
    assert len(list((tmp_path / "out").glob("train-*-of-00016.parquet"))) == 16
    again = run(source, "--output", tmp_path / "out")
    assert (
        again.returncode == 1 and again.stderr.startswith("train.prepare: --output") and again.stderr.count("\n") == 1
    )
