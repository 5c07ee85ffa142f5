"""Ways in: every form that people have pictures in, read the same by trainer, evaluation and preparation."""

import json
import subprocess
import sys
from collections import Counter

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import ROOT, encoded
from PIL import Image
from support import training, ways_in
from support.hub_store import Repo
from support.preparing import made
from support.ways_in import COUNT, WAYS

from train.config import parse
from train.data.dataset import open_dataset, open_stream, pictures
from train.evaluate.options import EvaluateOptions
from train.evaluate.protocol import evaluate
from train.training_data import training_data


@pytest.fixture(scope="module")
def found(crops, tmp_path_factory):
    """The same pictures in every form, with the number of files of each kind that must be skipped."""
    return {way.__name__: way(crops[:COUNT], tmp_path_factory.mktemp(way.__name__)) for way in WAYS}


@pytest.mark.parametrize("way", [way.__name__ for way in WAYS])
def test_every_picture_is_found_and_whatever_is_skipped_is_named(found, way):
    place, skipped = found[way]
    dataset = open_dataset(str(place))
    assert dataset.splits == ["train"]
    walked = list(pictures(dataset.rows("train")))
    assert len(walked) == COUNT and all(isinstance(picture, Image.Image) for _, picture in walked)
    assert len({name for name, _ in walked}) == COUNT, "names that say which picture it is"
    assert Counter(entry.kind for entry in dataset.listing.skipped) == skipped
    assert len(list(dataset.listing.lines())) == len(skipped)


@pytest.mark.slow
@pytest.mark.parametrize("way", [way.__name__ for way in WAYS])
def test_trainer_evaluation_and_preparation_find_the_same(found, way, tmp_path, capsys):
    place, skipped = found[way]
    words = training.words(recipe="unet", dataset=place, output_dir=tmp_path, validation_share=0)
    options = parse(words)
    data = training_data(options.data, options.validation)
    assert data.rows.count == COUNT
    said = list(data.lines(options.data, options.validation, 96))
    assert len(said) == 1 + len(skipped)
    measured = {"model": ["pix2pix"], "dataset": str(place), "split": "train", "output": tmp_path / "measured.json"}
    result = evaluate(EvaluateOptions(**measured, min_colorfulness=0))
    assert (result["photographs"], result["undecodable"], result["skipped"]) == (COUNT, 0, skipped)
    summary, rows, listed = made(place, tmp_path / "made", min_colorfulness=0)
    assert summary.files.total() == COUNT
    assert sum(map(len, rows.values())) == COUNT - summary.skipped["duplicate"]
    assert {kind: summary.skipped[kind] for kind in skipped} == skipped
    assert len(listed) == sum(skipped.values()) + summary.skipped["duplicate"]
    printed = capsys.readouterr().out
    assert all(line in printed for line in said[1:])


def test_data_sets_of_the_hub(found, crops, live_hub, hub_env, tmp_path):
    live_hub.reset()

    def repository(name, files):
        live_hub.repos["datasets", name] = Repo(private=False)
        live_hub.repos["datasets", name].commit("main", files, "pictures")

    def files_in(place):
        return {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}

    repository("tester/parquet", files_in(found["downloaded"][0]))
    repository("tester/tars", files_in(found["tar"][0]))
    repository("tester/zipped", {"photos.zip": found["zipped"][0].read_bytes(), "README.md": b"# Zipped"})
    photos = {f"alps/{number}.jpg": ways_in.jpeg(crop) for number, crop in enumerate(crops[: COUNT - 2])}
    photos |= {"train-station.jpg": ways_in.jpeg(crops[0]), "lake.webp": ways_in.jpeg(crops[1], "webp")}
    captions = {f"alps/{number}.txt": b"a caption" for number in range(COUNT + 3)}
    repository("tester/photos", photos | {"README.md": b"# Photos"} | captions)
    repository("tester/program", {"program.py": b"import datasets", "README.md": b"# A loading script"})
    repository("tester/nothing", {"README.md": b"# Nothing"})
    names = ["parquet", "tars", "zipped", "photos", "program", "nothing", "absent"]
    command = [sys.executable, ROOT / "tests/support/ways_in.py", *(f"tester/{name}" for name in names)]
    done = subprocess.run(command, cwd=ROOT, env=hub_env, capture_output=True, text=True, timeout=240)
    answers = dict(zip(names, map(json.loads, done.stdout.splitlines()), strict=True))
    for name, skipped in (("parquet", []), ("tars", []), ("zipped", ["README.md", "photos.zip/__MACOSX/trip/._0.jpg"])):
        assert answers[name][:2] == [{"train": COUNT}, skipped], name
    assert answers["photos"][:2] == [{"train": COUNT}, ["README.md", *sorted(captions)]]
    (said,) = answers["tars"][2]
    assert said.startswith("tar files of the Hub (1) are not listed before they are read: ") and said.endswith(
        "not counted"
    )
    assert not answers["parquet"][2] and len(answers["zipped"][2]) == 2
    assert "made by a program of its own" in answers["program"] and "refs/convert/parquet" in answers["program"]
    assert "cannot open tester/nothing: there is no such folder" in answers["nothing"]
    assert "cannot open tester/absent: there is no such folder" in answers["absent"]


def save(folder, crops, *names):
    for name, crop in zip(names, crops, strict=False):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        crop.save(folder / name)
    return str(folder)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["train/a.jpg", "val/b.jpg", "test/c.jpg"], {"train": 1, "validation": 1, "test": 1}),
        (["Train/a.jpg", "Valid/b.jpg"], {"train": 1, "validation": 1}),
        (["data/train/a.jpg", "data/validation/b.jpg"], {"train": 1, "validation": 1}),
        (["alps/a.jpg", "coast/b.jpg", "validation/c.jpg"], {"train": 2, "validation": 1}),
        (["alps/train-a.jpg", "alps/test.jpg", "validation day/b.jpg"], {"train": 3}),
        (["train/a.jpg", "train/b.jpg", "more/c.jpg"], {"train": 2}),
    ],
)
def test_splits_are_whole_names_of_folders(crops, tmp_path, names, expected):
    dataset = open_dataset(save(tmp_path, crops, *names))
    assert {split: dataset.rows(split).count for split in dataset.splits} == expected
    assert [skipped.reason for skipped in dataset.listing.skipped] == ["beside the folders of the splits"] * (
        len(names) - sum(expected.values())
    )


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["train-00000-of-00002", "train-00001-of-00002", "validation-00000-of-00001"], {"train": 2, "validation": 1}),
        (["train-more-00000", "photos_val_1"], {"train": 1, "validation": 1}),
        (["alps", "coast", "constraint"], {"train": 3}),
        (["data/unsplash-00000-of-00001", "data/train-00000-of-00001-0123456789abcdef"], {"unsplash": 1, "train": 1}),
        (["default/train/0000", "default/validation/0000"], {"train": 1, "validation": 1}),
    ],
)
def test_splits_of_parquet_files_are_in_their_names_too(crops, tmp_path, names, expected):
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        ways_in.write_parquet(tmp_path / f"{name}.parquet", crops[:1])
    dataset = open_dataset(str(tmp_path))
    assert {split: dataset.rows(split).count for split in dataset.splits} == expected


README = """---
license: cc-by-4.0
configs:
- config_name: small
  data_files: [{split: train, path: "a/*.parquet"}, {split: validation, path: [b/one.parquet, b/two.parquet]}]
- config_name: large
  data_files: {files}
---
"""


def test_a_readme_that_names_the_files_decides(crops, tmp_path):
    for name in ("a/one", "b/one", "b/two", "c/one"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        ways_in.write_parquet(tmp_path / f"{name}.parquet", crops[:2])
    (tmp_path / "README.md").write_text(README.replace("{files}", "c/*.parquet"))
    with pytest.raises(ValueError, match="several configurations: choose with --dataset-config from small, large"):
        open_dataset(str(tmp_path))
    with pytest.raises(ValueError, match="no configuration other: choose with --dataset-config from small, large"):
        open_dataset(str(tmp_path), config="other")
    small, large = (open_dataset(str(tmp_path), config=config) for config in ("small", "large"))
    assert {split: small.rows(split).count for split in small.splits} == {"train": 2, "validation": 4}
    assert {split: large.rows(split).count for split in large.splits} == {"train": 2}
    assert "c/one.parquet" in [skipped.name for skipped in small.listing.skipped] and small.license == "cc-by-4.0"


def test_patterns_are_patterns_only_where_no_file_has_that_name(crops, tmp_path):
    place = tmp_path / "photos [2019]*"
    save(place, crops, "a.jpg", "b.jpg", "deep/c.jpg", "d[1].jpg")
    assert open_stream(str(place), "train").count == 4
    assert open_stream(f"{place}/*.jpg", "train").count == 3
    assert open_stream(f"{place}/**/*.jpg", "train").count == 4
    assert open_stream(f"{place}/d[1].jpg", "train").count == 1
    with pytest.raises(ValueError, match="no file matches"):
        open_stream(f"{place}/e[1].jpg", "train")


def test_a_pattern_of_training_files_is_never_measured_as_validation(parquet, tmp_path):
    def options(dataset, **given):
        return parse(training.words(recipe="unet", dataset=dataset, output_dir=tmp_path, **given))

    pattern = options(f"{parquet}/train-*.parquet", validation_share=0)
    data = training_data(pattern.data, pattern.validation)
    with pytest.raises(ValueError, match=r"cannot open the split 'validation' of .* there is only train"):
        open_stream(pattern.data.dataset, "validation")
    assert data.held_out is None and data.rows.count == 38
    both = options(f"{parquet}/*.parquet")
    assert training_data(both.data, both.validation).dataset.splits == ["train", "validation"]


@pytest.mark.parametrize("kind", ["struct", "binary", "text", "null", "saved"])
def test_cells_of_every_kind(crops, tmp_path, kind):
    cells = [encoded(crop) for crop in crops[:12]]
    save(tmp_path / "beside", crops, *(f"{number}.png" for number in range(12)))
    if kind == "saved":
        save_to = datasets.Dataset.from_dict({"image": [None, *cells[1:]]}, features=ways_in.FEATURES)
        save_to.save_to_disk(str(tmp_path / "set"))
    else:
        values = {
            "struct": pa.array(cells),
            "binary": pa.array([cell["bytes"] for cell in cells]),
            "text": pa.array([f"beside/{number}.png" for number in range(12)]),
            "null": pa.array([None, *cells[1:]]),
        }[kind]
        pq.write_table(pa.table({"image": values}), tmp_path / "train.parquet")
    place = tmp_path / ("set" if kind == "saved" else "train.parquet")
    walked = [picture for _, picture in pictures(open_stream(str(place), "train"))]
    reasons = [str(error) for error in walked if not isinstance(error, Image.Image)]
    assert len(walked) == 12
    assert reasons == ["the data set has an empty cell here"] * (kind in ("null", "saved"))


def test_a_column_of_numbers_holds_no_pictures(tmp_path):
    pq.write_table(pa.table({"image": [1, 2, 3]}), tmp_path / "train.parquet")
    with pytest.raises(ValueError, match=r"the column 'image' of .*train.parquet holds no pictures but int64"):
        open_stream(str(tmp_path), "train")


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 12345\n"


@pytest.mark.parametrize("name", ["train-00001-of-00002.parquet", "photos.zip", "photos.tar"])
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[: len(data) // 2], "{} is damaged ("),
        (lambda data: b"", "{} is damaged ("),
        (lambda data: POINTER, "{} is a pointer of git-lfs, not the file itself: run `git lfs pull`"),
    ],
    ids=["cut", "empty", "pointer"],
)
def test_damaged_shards_are_named(found, tmp_path, name, damage, reason):
    source = {"parquet": "parquet", "zip": "zipped", "tar": "tar"}[name.rpartition(".")[2]]
    place = found[source][0]
    whole = place if place.is_file() else next(iter(sorted(place.glob("*.[pt]ar*"))))
    (tmp_path / name).write_bytes(damage(whole.read_bytes()))
    with pytest.raises(ValueError, match=reason.format(name).replace("(", r"\(")):
        open_stream(str(tmp_path), "train")


def test_a_shard_that_is_damaged_inside_is_named_when_it_is_reached(crops, tmp_path):
    file = tmp_path / "train-00000-of-00001.parquet"
    ways_in.write_parquet(file, crops)
    data = bytearray(file.read_bytes())
    start = pq.read_metadata(file).row_group(0).column(0).data_page_offset
    data[start : start + 40] = b"\xff" * 40
    file.write_bytes(data)
    with pytest.raises(ValueError, match=r"train-00000-of-00001.parquet is damaged \("):
        list(open_stream(str(tmp_path), "train"))


def test_a_pointer_of_git_lfs_in_place_of_a_picture_is_called_one(crops, tmp_path):
    save(tmp_path, crops, *(f"{number}.jpg" for number in range(11)))
    (tmp_path / "lake.jpg").write_bytes(POINTER)
    errors = {
        name: error for name, error in pictures(open_stream(str(tmp_path), "train")) if isinstance(error, ValueError)
    }
    assert {name: str(error) for name, error in errors.items()} == {
        "lake.jpg": "it is a pointer of git-lfs, not the picture itself: run `git lfs pull`"
    }


def test_a_photograph_of_a_camera_of_today_is_read(photograph, tmp_path):
    """61 megapixels, as a JPEG of a usual size."""
    photograph.resize((9504, 6336), Image.Resampling.BICUBIC).save(tmp_path / "alps.jpg", quality=92)
    ((name, picture),) = pictures(open_stream(str(tmp_path), "train"))
    assert (name, picture.size) == ("alps.jpg", (9504, 6336))


def test_a_table_of_others_leads_to_no_file_of_this_machine(crops, tmp_path):
    from train.data.rows import from_cell

    assert from_cell({"bytes": None, "path": "/etc/passwd"}, None) is None
    assert from_cell({"bytes": None, "path": "https://example.org/a.jpg"}, None) == "https://example.org/a.jpg"
