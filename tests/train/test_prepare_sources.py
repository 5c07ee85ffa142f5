"""What `train.prepare` takes: pairs, arrays, hostile files, many and few; and what is left when it is stopped."""

import shutil
import signal
import subprocess
import sys
import time

import datasets
import numpy as np
import pytest
from conftest import ROOT
from PIL import Image
from support.preparing import made, names, opened, save
from test_walk import save_lab, save_pairs

from train.prepare.shards import shard_count


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_pairs(crops, tmp_path, capsys, suffix):
    save_pairs(tmp_path / "in", crops[:5], suffix)
    (tmp_path / f"in/color/0.{suffix}").unlink()
    (tmp_path / f"in/gray/1.{suffix}").unlink()
    _, rows, skipped = made(tmp_path / "in", tmp_path / "out")
    assert names(rows) == {"train": [f"color/{n}.jpg" for n in range(1, 5)]}
    assert {row["source"] for row in rows["train"]} == {"in"}
    assert skipped == {f"gray/0.{suffix}": "gray without a color partner"}
    printed = capsys.readouterr().out
    assert f"1 without a gray partner, used all the same (color/1.{suffix})" in printed
    assert f"skipped: 1 gray without a color partner (gray/0.{suffix})" in printed


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
    folder = shutil.copytree(shared / "corpus/images", tmp_path / "images", ignore=shutil.ignore_patterns("*.tar"))
    summary, rows, skipped = made(folder, tmp_path / "out")
    used = {row["image"]["path"] for row in rows["train"]}
    for file in folder.iterdir():
        assert (file.with_suffix(".jpg").name in used) or file.name in skipped, file.name
    assert len(rows["train"]) + len(skipped) == len(list(folder.iterdir()))
    assert len(rows["train"]) > 20 and summary.skipped["undecodable"] > 10
    for row in rows["train"]:
        assert opened(row).format == "JPEG" and not opened(row).getexif()


def test_links_in_circles_and_files_that_are_none_are_listed(crops, tmp_path):
    save(tmp_path / "in", crops[:2])
    (tmp_path / "in/circle").symlink_to("circle")
    (tmp_path / "in/up").symlink_to("..", target_is_directory=True)
    (tmp_path / "in/long.png").write_bytes(b"")
    colors = np.random.default_rng(0).integers(0, 256, (2, 66_000, 3), dtype=np.uint8)
    Image.fromarray(colors).save(tmp_path / "in/wide.png")
    _, rows, skipped = made(tmp_path / "in", tmp_path / "out")
    assert len(rows["train"]) == 2 and "circle" in skipped and skipped["long.png"] == "undecodable: the file is empty"
    assert skipped["wide.png"] == "undecodable: the picture cannot be stored as JPEG"
    assert str(tmp_path) not in " ".join(skipped.values())


@pytest.mark.parametrize(
    ("megabytes", "count"), [(4, 1), (99, 1), (250, 5), (400, 8), (4_000, 8), (4_001, 9), (100_000, 200)]
)
def test_shards_are_by_size_and_enough_for_the_lanes(megabytes, count):
    assert shard_count(megabytes * 1e6) == count


def test_shards_whose_pictures_are_all_skipped_are_there_and_stop_nobody(crops, tmp_path):
    save(tmp_path / "in/train/color", crops[:10])
    save(tmp_path / "in/train/gray", [crop.convert("L") for crop in crops[:30]])
    _, rows, _ = made(tmp_path / "in", tmp_path / "out", shards=40)
    assert len(list((tmp_path / "out").glob("train-*-of-00040.parquet"))) == 40 and len(rows["train"]) == 10
    stream = datasets.load_dataset(str(tmp_path / "out"), streaming=True)["train"]
    assert sum(1 for _ in stream) == 10


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_nothing(crops, tmp_path, subprocess_env, stop):
    folder = save(tmp_path / "in", [crop.resize((600, 600)) for crop in crops])
    for file in [*folder.iterdir()]:
        for copy in range(20):  # so that there is time to stop it
            (folder / f"{copy}-{file.name}").hardlink_to(file)
    words = [sys.executable, "-m", "train.prepare", str(tmp_path / "in"), "--output", str(tmp_path / "out")]
    with subprocess.Popen(words, cwd=ROOT, env=subprocess_env, stderr=subprocess.PIPE, text=True) as process:
        while not list(tmp_path.glob(".out-*")):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        process.send_signal(stop)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 1 and said.endswith("train.prepare: interrupted\n")
    assert [f.name for f in tmp_path.iterdir()] == ["in"]


def test_an_empty_output_folder_is_used_and_nothing_hidden_stays(crops, tmp_path):
    (tmp_path / "out").mkdir()
    save(tmp_path / "in", crops[:2])
    made(tmp_path / "in", tmp_path / "out")
    assert sorted(f.name for f in tmp_path.iterdir()) == ["in", "out"]
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755
