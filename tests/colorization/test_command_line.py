"""`python -m colorization` as users run it."""

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from conftest import NAMES, ROOT
from PIL import Image

from colorization.inference import gray


@pytest.fixture
def folder(photograph, tmp_path):
    """Two good pictures, one of them in a folder below, a bad one, and something that is no picture."""
    (tmp_path / "in/below").mkdir(parents=True)
    gray(photograph).save(tmp_path / "in/old.jpg")
    gray(photograph).save(tmp_path / "in/below/old.png")
    (tmp_path / "in/bad.jpg").write_bytes(b"not a picture")
    (tmp_path / "in/notes.txt").write_text("1923")
    return tmp_path / "in"


def test_a_folder_with_all_models(subprocess_env, folder, tmp_path, photograph):
    command = [sys.executable, "-m", "colorization", folder, "--model", "all", "--output", tmp_path / "out"]
    done = subprocess.run(command, cwd=ROOT, env=subprocess_env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1, "one file is bad"
    assert next(line for line in done.stderr.splitlines() if "bad.jpg" in line).startswith(
        f"{folder}/bad.jpg: this is not"
    )
    assert "Traceback" not in done.stderr
    written = sorted(str(f.relative_to(tmp_path / "out")) for f in (tmp_path / "out").glob("[!.]*/**/*.*"))
    assert written == sorted(f"{name}/{place}" for name in NAMES for place in ("below/old.png", "old.jpg"))
    result = Image.open(tmp_path / "out/unet/old.jpg")
    assert result.size == photograph.size and result.mode == "RGB" and result.getexif() == {}
    pixels = np.asarray(result).astype(int)
    assert np.abs(pixels[..., 0] - pixels[..., 2]).mean() > 1, "still gray"
    assert "2 of 3 pictures" in done.stdout


def test_good_files_give_exit_code_0_and_a_second_run_skips_results(colorization, folder, tmp_path):
    (folder / "bad.jpg").unlink()
    assert colorization(folder, "--output", folder / "out").returncode == 0
    first = (folder / "out/unet/old.jpg").stat().st_mtime_ns
    (folder / "out/unet/below/old.png").unlink()
    again = colorization(folder, "--output", folder / "out")
    assert again.returncode == 0 and "1 of 2 pictures" in again.stdout and "1 skipped" in again.stdout
    assert (folder / "out/unet/old.jpg").stat().st_mtime_ns == first
    assert (folder / "out/unet/below/old.png").is_file()
    anew = colorization(folder, "--output", folder / "out", "--overwrite")
    assert anew.returncode == 0 and "2 of 2 pictures" in anew.stdout and "skipped" not in anew.stdout
    assert (folder / "out/unet/old.jpg").stat().st_mtime_ns > first


@pytest.mark.parametrize(("kind", "suffix"), [("png", ".png"), ("webp", ".webp"), ("tiff", ".tif")])
def test_formats(colorization, folder, tmp_path, kind, suffix):
    (folder / "bad.jpg").unlink()
    assert colorization(folder, "--format", kind, "--quality", 60, "--output", tmp_path / "out").returncode == 0
    for place in ("old", "below/old"):
        result = Image.open(tmp_path / f"out/unet/{place}{suffix}")
        assert result.format == kind.upper() and (kind == "tiff" or not result.getexif())


def test_what_a_format_cannot_hold_is_said(colorization, tmp_path):
    Image.new("L", (17_000, 8)).save(tmp_path / "wide.png")
    done = colorization(tmp_path / "wide.png", "--format", "webp", "--output", tmp_path / "out")
    assert done.returncode == 1 and "wide.png: WebP holds at most 16383 pixels a side" in done.stderr
    assert not list((tmp_path / "out").rglob("*.[jpwt]*"))


def test_an_output_that_cannot_be_written_is_one_line_per_file(colorization, folder, tmp_path):
    (folder / "bad.jpg").unlink()
    (tmp_path / "out").write_text("a file, not a folder")
    done = colorization(folder, "--output", tmp_path / "out")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert [line.rpartition(": ")[2] for line in done.stderr.splitlines()] == ["Not a directory"] * 2


@pytest.mark.slow
def test_two_processes_share_a_folder(colorization, subprocess_env, tmp_path, photograph):
    (tmp_path / "in").mkdir()
    for number in range(5):
        gray(photograph).resize((64, 48)).save(tmp_path / f"in/{number}.png")
    command = ["accelerate", "launch", "--multi_gpu", "--num_processes=2", "--num_machines=1", "--mixed_precision=no"]
    command += ["--dynamo_backend=no", "--main_process_port=0", "-m", "colorization", "in", "--output", "out"]
    env = subprocess_env | {"ACCELERATE_USE_CPU": "true"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    assert sorted(f.name for f in (tmp_path / "out/unet").iterdir()) == [f"{n}.png" for n in range(5)]
    assert sorted(line.split(" of ")[0] for line in done.stdout.splitlines() if "colored by" in line) == ["2", "3"]
    done = subprocess.run(
        [*command[:-3], "in/0.png", "--output", "-"], cwd=tmp_path, env=env, capture_output=True, timeout=400
    )
    assert done.returncode == 1 and not done.stdout and b"- is for one process" in done.stderr


@pytest.mark.slow
def test_a_killed_run_leaves_whole_results_and_continues(subprocess_env, tmp_path, photograph):
    (tmp_path / "in").mkdir()
    for number in range(12):
        gray(photograph).resize((1200, 900)).save(tmp_path / f"in/{number:02}.png")
    command = [sys.executable, "-m", "colorization", str(tmp_path / "in"), "--output", str(tmp_path / "out")]
    process = subprocess.Popen(command, cwd=ROOT, env=subprocess_env, stdout=subprocess.DEVNULL)
    for _ in range(600):
        if len(list(tmp_path.glob("out/unet/*.png"))) >= 2:
            break
        time.sleep(0.05)
    process.kill()
    process.wait()
    before = {file.name: file.stat().st_mtime_ns for file in tmp_path.glob("out/unet/[0-9]*.png")}
    assert 2 <= len(before) < 12
    done = subprocess.run(command, cwd=ROOT, env=subprocess_env, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0
    again = 0  # those whose records were not written when the process was killed
    for file in tmp_path.glob("out/unet/[0-9]*.png"):
        Image.open(file).load()
        again += before.get(file.name, file.stat().st_mtime_ns) != file.stat().st_mtime_ns
    assert again <= 4 and f"{len(before) - again} skipped" in done.stdout
    assert len(list(tmp_path.glob("out/unet/[0-9]*"))) == 12, "one result of each"


def test_help_answers_at_once():
    """Without torch, numpy and Pillow: their imports take seconds on a busy machine."""
    code = "import sys\nsys.argv = ['colorize', '--help']\nimport colorization.__main__ as m\n"
    code += "try: m.main()\nexcept SystemExit: pass\n"
    code += "print([m for m in ('torch', 'numpy', 'PIL', 'huggingface_hub', 'tqdm') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.endswith("[]\n")


def test_equal_names_do_not_overwrite_each_other(colorization, folder, tmp_path):
    done = colorization(folder / "old.jpg", folder / "below/old.png", "--output", tmp_path / "out")
    assert done.returncode == 0
    assert sorted(f.name for f in (tmp_path / "out/unet").iterdir()) == ["old.jpg", "old.png"]
    (folder / "below/old.png").rename(folder / "below/old.jpg")
    assert colorization(folder / "old.jpg", folder / "below/old.jpg", "--output", tmp_path / "two").returncode == 0
    assert sorted(f.name for f in (tmp_path / "two/unet").iterdir()) == ["old-2.jpg", "old.jpg"]


@pytest.mark.slow
def test_colors_are_as_strong_as_asked_for(colorization, folder, tmp_path):
    chroma = []
    for strength in ("0", "1", "1.5"):
        assert colorization(folder / "old.jpg", "--strength", strength, "--output", tmp_path / strength).returncode == 0
        pixels = np.asarray(Image.open(tmp_path / strength / "unet/old.jpg")).astype(int)
        chroma.append(np.abs(pixels[..., 0] - pixels[..., 2]).mean())
    assert chroma[0] == 0 and 1.2 * chroma[1] < chroma[2]


@pytest.mark.parametrize("strength", ["-1", "3", "nan", "vivid"])
def test_a_bad_strength_is_one_line(colorization, strength, tmp_path):
    done = colorization("old.jpg", f"--strength={strength}", "--output", tmp_path / "out")
    assert done.returncode == 2 and f"argument --strength: '{strength}' is not a number of 0 to 2" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nothing-here.jpg"], "nothing-here.jpg: No such file"),
        (["README.md"], "README.md: this is not"),
        (["tests", "--model", "no such/model/at all"], "neither a model name"),
        (["tests", "--model", "name" * 80], "neither a model name"),
        (["train"], "no pictures and no videos"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_1(colorization, arguments, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    done = colorization(*arguments, "--output", tmp_path / "out")
    assert done.returncode == 1 and reason in done.stderr and "Traceback" not in done.stderr


def test_two_rolls_a_result_in_the_input_and_what_is_left_out(colorization, folder, tmp_path, photograph, monkeypatch):
    """The whole way of names and records, as the README of real cases has it."""
    for roll in ("roll1", "roll2"):
        (tmp_path / roll).mkdir()
        photograph.rotate(180 * (roll == "roll2")).save(tmp_path / roll / "Scan0001.jpg")
    assert "1 of 1" in colorization(tmp_path / "roll1", "--output", tmp_path / "out").stdout
    assert "1 of 1" in colorization(tmp_path / "roll2", "--output", tmp_path / "out").stdout
    first, second = (Image.open(tmp_path / f"out/unet/{name}.jpg") for name in ("Scan0001", "Scan0001-2"))
    assert np.abs(np.asarray(first).astype(int) - np.asarray(second.rotate(180)).astype(int)).mean() < 20
    (folder / "phone.heic").write_bytes(b"not a picture")
    (folder / "bad.jpg").unlink()
    name = "설" * 83 + ".jpg"  # 253 bytes
    (folder / "old.jpg").rename(folder / name)
    monkeypatch.chdir(folder)
    here = colorization(".", "--output", ".")
    assert here.returncode == 0 and here.stderr == "colorization: left out: 1 .heic\n"
    assert (folder / "unet" / name).is_file() and (folder / "unet/below/old.png").is_file()
    again = colorization(folder, "--output", folder)
    assert again.returncode == 0 and "0 of 2" in again.stdout and "2 skipped" in again.stdout


def test_standard_input_and_output(subprocess_env, folder, tmp_path):
    def piped(*options, data):
        command = [sys.executable, "-m", "colorization", "-", *options]
        return subprocess.run(command, cwd=tmp_path, env=subprocess_env, input=data, capture_output=True, timeout=300)

    data = (folder / "old.jpg").read_bytes()
    done = piped(data=data)
    assert done.returncode == 0 and not done.stderr and Image.open(io.BytesIO(done.stdout)).format == "JPEG"
    assert piped("--output", "out", data=data).returncode == 0
    assert (tmp_path / "out/unet/stdin.jpg").read_bytes() == done.stdout
    bad = piped(data=b"not a picture")
    assert bad.returncode == 1 and not bad.stdout and bad.stderr.startswith(b"stdin: this is not")


def test_standard_output_on_a_full_disk_is_one_line(subprocess_env, folder, tmp_path):
    for output in ("-", "out"):
        command = [sys.executable, "-m", "colorization", folder / "old.jpg", "--output", output]
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(command, cwd=tmp_path, env=subprocess_env, stdout=full, stderr=subprocess.PIPE)
        assert done.returncode == 1 and done.stderr == b"colorization: No space left on device\n"


def test_a_name_that_is_too_long_does_not_stop_the_others(colorization, folder, tmp_path):
    done = colorization(f"{'old.jpg ' * 40}.jpg", folder / "old.jpg", "--output", tmp_path / "out")
    assert done.returncode == 1 and ".jpg: File name too long" in done.stderr and "1 of 2 pictures" in done.stdout


def test_a_closed_pipe_ends_without_a_traceback(subprocess_env, folder, tmp_path):
    command = (
        f"{sys.executable} -m colorization {folder} --output {tmp_path}/out 2>&1 | head -c 0; exit ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, env=subprocess_env, capture_output=True, text=True)
    assert done.returncode == 141 and "Traceback" not in done.stderr + done.stdout and "Error" not in done.stderr


def test_an_archive_of_16_bits_with_its_words(colorization, tmp_path):
    levels = np.linspace(0, 65535, 120 * 90).reshape(90, 120).astype(np.uint16)
    tifffile.imwrite(tmp_path / "scan.tif", levels, description="설악산 1923".encode(), metadata=None)
    done = colorization(tmp_path / "scan.tif", "--output", tmp_path / "out")
    assert done.returncode == 0 and "1 pictures have more than 8 bits" in done.stderr
    options = ("--format", "tiff", "--keep-metadata", "--no-label", "--strength", 0)
    assert colorization(tmp_path / "scan.tif", *options, "--output", tmp_path / "out").returncode == 0
    with tifffile.TiffFile(tmp_path / "out/unet/scan.tif") as file:
        assert np.array_equal(file.asarray(), levels[..., None].repeat(3, axis=2))
        assert b"trainedAlgorithmicMedia" not in (tmp_path / "out/unet/scan.tif").read_bytes()
    assert "설악산 1923".encode() in (tmp_path / "out/unet/scan.tif").read_bytes()


def test_ones_own_files_may_be_larger_than_strangers(colorization, tmp_path):
    Image.new("L", (8000, 6000), 200).save(tmp_path / "large.png")
    refused = colorization(tmp_path / "large.png", "--max-megapixels", 47, "--output", tmp_path / "out")
    assert refused.returncode == 1 and "8000x6000 = 48 megapixels, at most 47 are accepted" in refused.stderr
    assert colorization(tmp_path / "large.png", "--format", "jpeg", "--output", tmp_path / "out").returncode == 0
    assert Image.open(tmp_path / "out/unet/large.jpg").size == (8000, 6000)
    for wrong in ("0", "many"):
        done = colorization(tmp_path / "large.png", f"--max-megapixels={wrong}", "--output", tmp_path / "out")
        assert done.returncode == 2 and f"'{wrong}' is not a number above 0" in done.stderr


def test_pipes_and_devices_are_refused_not_waited_for(colorization, tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    done = colorization(tmp_path / "pipe.jpg", "/dev/zero", "--output", tmp_path / "out")
    assert done.returncode == 1 and done.stderr.count("it is no regular file: give its content to `colorize -`") == 2
    done = colorization(tmp_path / "pipe.jpg", "--output", "-")
    assert done.returncode == 1 and done.stderr.endswith("it is no regular file: give its content to `colorize -`\n")


@pytest.mark.slow
def test_two_runs_at_once_into_one_folder(subprocess_env, tmp_path, photograph):
    """Two rolls with the same names, at the same time: each file has a result of its own, and the records say whose."""
    for roll in ("roll1", "roll2"):
        (tmp_path / roll).mkdir()
        for number in range(6):
            small = gray(photograph).resize((64 + number, 48 + (roll == "roll2")))
            small.save(tmp_path / roll / f"{number}.png")
    command = [sys.executable, "-m", "colorization", "--output", "out"]
    both = [subprocess.Popen([*command, roll], cwd=tmp_path, env=subprocess_env) for roll in ("roll1", "roll2")]
    assert [process.wait(180) for process in both] == [0, 0]
    sizes = sorted(Image.open(file).size for file in (tmp_path / "out/unet").glob("*.png"))
    assert sizes == sorted((64 + number, 48 + roll) for number in range(6) for roll in (0, 1))
    records = [json.loads(file.read_bytes()) for file in (tmp_path / "out/.colorize/unet").glob("*.json")]
    for record in records:
        source, result = (
            Image.open(tmp_path / "out" / path) for path in (record["source"], "unet/" + record["result"])
        )
        assert source.size == result.size
    assert len(records) == 12


def test_an_animation_is_colored_and_its_owner_told(colorization, tmp_path, photograph):
    frames = [photograph.convert("L").resize((64, 48)), Image.new("L", (64, 48))]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    done = colorization(tmp_path / "moving.gif", "--output", tmp_path / "out")
    assert done.returncode == 0 and "moving.gif: note: only the first" in done.stderr
