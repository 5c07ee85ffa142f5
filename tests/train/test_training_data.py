"""What a run learns from and is measured on: what is held out, said, and never seen."""

import csv
import json

import pytest
from conftest import encoded
from PIL import Image
from support import training
from support.counted import cells, seen, write_parquet
from support.training import stage_of

from train.config import parse
from train.data.dataset import open_stream
from train.data.loader import batches
from train.data.splits import held_out
from train.data.stream import CropStream
from train.evaluate.options import EvaluateOptions
from train.evaluate.protocol import evaluate
from train.training_data import training_data, validation_source


def opened(dataset, **given):
    options = parse(training.words(recipe="unet", dataset=dataset, output_dir="runs", **given))
    return options, training_data(options.data, options.validation)


@pytest.mark.parametrize(
    ("count", "share", "expected"),
    [(90_000, 0.01, 900), (1_000_000, 0.01, 1000), (1000, 0.01, 64), (1000, 0.1, 100), (100, 0.01, 25), (1000, 0, 0)],
)
def test_how_many_are_held_out(count, share, expected):
    assert held_out([str(number) for number in range(count)], share).sum() == expected


def test_a_row_that_is_held_out_stays_so_when_others_are_added():
    names = [f"{number}.jpg" for number in range(20_000)]
    before, after = held_out(names[:10_000], 0.01), held_out(names, 0.01)
    assert (before & after[:10_000]).sum() > 0.8 * before.sum()


def test_what_is_held_out_is_measured_on_and_never_drawn(tmp_path):
    write_parquet(tmp_path / "train-00000-of-00001.parquet", cells(300), [100] * 3)
    options, data = opened(tmp_path)
    assert (data.rows.count, data.held_out.count) == (236, 64)
    drawn = seen(batches(CropStream(data.rows, 8, 0, 0.0), 8, 0), 472)
    assert len(drawn) == 236 and set(drawn.values()) == {2}
    measured = validation_source(data, options.data, options.validation).rows()
    assert [row.name for row in measured] == [row.name for row in data.held_out]
    assert not {row.data for row in measured} & {row.data for row in data.rows}
    lines = list(data.lines(options.data, options.validation, 8))
    assert lines == [
        f"data: 236 pictures in {tmp_path}, train",
        "there is no split 'validation': 64 of the pictures are held out for validation, by their hash "
        "(--validation-share)",
    ]


@pytest.mark.parametrize("given", [{"validation_share": 0}, {"validation_dataset": "elsewhere"}])
def test_nothing_is_held_out_where_it_is_not_wanted(crops, tmp_path, given):
    for number, crop in enumerate(crops[:12]):
        crop.save(tmp_path / f"{number}.png")
    _, data = opened(tmp_path, **given)
    assert data.rows.count == 12 and data.held_out is None


def test_a_split_for_validation_is_used_where_there_is_one(parquet):
    options, data = opened(parquet)
    assert (data.rows.count, data.held_out) == (38, None)
    source = validation_source(data, options.data, options.validation)
    assert (source.split, source.share, source.rows().count) == ("validation", 0.0, 10)


def test_the_record_says_what_was_held_out_and_how_large_the_data_set_is(crops, tmp_path, capsys):
    for number, crop in enumerate(crops):
        crop.save(tmp_path / f"{number}.png")
    training.run("unet", tmp_path, tmp_path / "runs", max_train_steps=2, validation_pictures=4)
    said = capsys.readouterr().out
    assert f"unet: data: 30 pictures in {tmp_path}, train" in said and "10 of the pictures are held out" in said
    stage = stage_of(tmp_path / "runs")
    assert (stage["pictures"], stage["held_out"], stage["hub_ids"], stage["data_license"]) == (30, 10, [], None)
    assert "validation_psnr" in stage["curve"][-1], "it is measured on what is held out"


def test_small_pictures_that_would_be_enlarged_are_warned_of(crops, tmp_path):
    for number, crop in enumerate(crops[:8]):
        crop.save(tmp_path / f"{number}.png")
    options, data = opened(tmp_path)
    (warning,) = [line for line in data.lines(options.data, options.validation, 128) if "enlarges" in line]
    assert warning.startswith("the pictures have a short side of 96 px (median of the first 6), so --resolution 128")
    assert not [line for line in data.lines(options.data, options.validation, 96) if "enlarges" in line]


def test_another_column_may_hold_what_is_measured_on(crops, tmp_path):
    import datasets

    pictures = [encoded(crop) for crop in crops[:4]]
    images = {"small": datasets.Image(), "large": datasets.Image()}
    for split, columns in (("train", ("small",)), ("validation", ("large",))):
        part = {column: pictures for column in columns}
        features = datasets.Features({column: images[column] for column in columns})
        datasets.Dataset.from_dict(part, features=features).to_parquet(str(tmp_path / f"{split}.parquet"))
    options, data = opened(tmp_path, image_column="small", validation_image_column="large")
    assert data.rows.count == 4 and validation_source(data, options.data, options.validation).rows().count == 4


def test_an_evaluation_names_photographs_with_their_folders(crops, tmp_path):
    for number, crop in enumerate(crops[:6]):
        place = tmp_path / "photographs" / ("alps", "coast")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        crop.save(place / f"{number // 2}.png")
    options = EvaluateOptions(["pix2pix"], str(tmp_path / "photographs"), tmp_path / "e.json", split="train")
    evaluate(options)
    with (tmp_path / "e.csv").open() as file:
        names = {line["photograph"] for line in csv.DictReader(file)}
    assert names == {f"{folder}/{number}.png" for folder in ("alps", "coast") for number in range(3)}
    assert json.loads((tmp_path / "e.json").read_text())["dataset_on_hub"] is False


def test_a_sepia_print_is_toned(photograph, crops, tmp_path):
    sepia = Image.merge("RGB", [photograph.convert("L").point(lambda v, k=k: int(v * k)) for k in (1.0, 0.85, 0.6)])
    for number, picture in enumerate([*crops[:7], sepia]):
        picture.save(tmp_path / f"{number}.png")
    (batch,) = [next(batches(CropStream(open_stream(str(tmp_path), "train"), 32, 0, 8.0), 8, 0))]
    assert (batch.toned, batch.gray, batch.broken) == (1, 0, ())
