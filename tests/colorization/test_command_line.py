"""`python -m colorization` as users run it."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import NAMES, ROOT
from PIL import Image

from colorization.inference import gray


@pytest.fixture
def run(subprocess_env):
    def run(*arguments):
        command = [sys.executable, "-m", "colorization", *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, env=subprocess_env, capture_output=True, text=True, timeout=120)

    return run


@pytest.fixture
def folder(photograph, tmp_path):
    """Two good pictures, one of them in a folder below, a bad one, and something that is no picture."""
    (tmp_path / "in/below").mkdir(parents=True)
    gray(photograph).save(tmp_path / "in/old.jpg")
    gray(photograph).save(tmp_path / "in/below/old.png")
    (tmp_path / "in/bad.jpg").write_bytes(b"not a picture")
    (tmp_path / "in/notes.txt").write_text("1923")
    return tmp_path / "in"


def test_a_folder_with_all_models(run, folder, tmp_path, photograph):
    done = run(folder, "--model", "all", "--output", tmp_path / "out")
    assert done.returncode == 1, "one file is bad"
    assert next(line for line in done.stderr.splitlines() if "bad.jpg" in line).startswith(
        f"{folder}/bad.jpg: this is not"
    )
    assert "Traceback" not in done.stderr
    written = sorted(str(f.relative_to(tmp_path / "out")) for f in (tmp_path / "out").rglob("*") if f.is_file())
    assert written == sorted(f"{name}/{place}" for name in NAMES for place in ("below/old.png", "old.jpg"))
    result = Image.open(tmp_path / "out/unet/old.jpg")
    assert result.size == photograph.size and result.mode == "RGB" and result.getexif() == {}
    pixels = np.asarray(result).astype(int)
    assert np.abs(pixels[..., 0] - pixels[..., 2]).mean() > 1, "still gray"
    assert "2 of 3 pictures" in done.stdout


def test_good_files_give_exit_code_0_and_a_second_run_skips_results(run, folder, tmp_path):
    (folder / "bad.jpg").unlink()
    assert run(folder, "--output", folder / "out").returncode == 0
    first = (folder / "out/unet/old.jpg").stat().st_mtime_ns
    (folder / "out/unet/below/old.png").unlink()
    again = run(folder, "--output", folder / "out")
    assert again.returncode == 0 and "1 of 2 pictures" in again.stdout and "1 skipped" in again.stdout
    assert (folder / "out/unet/old.jpg").stat().st_mtime_ns == first
    assert (folder / "out/unet/below/old.png").is_file()
    anew = run(folder, "--output", folder / "out", "--overwrite")
    assert anew.returncode == 0 and "2 of 2 pictures" in anew.stdout and "skipped" not in anew.stdout
    assert (folder / "out/unet/old.jpg").stat().st_mtime_ns > first


def test_a_file_that_changed_is_colored_again(run, folder, tmp_path):
    (folder / "bad.jpg").unlink()
    assert run(folder, "--output", tmp_path / "out").returncode == 0
    later = time.time() + 10
    os.utime(folder / "old.jpg", (later, later))
    assert "1 of 2 pictures" in run(folder, "--output", tmp_path / "out").stdout


@pytest.mark.parametrize(("kind", "suffix"), [("png", ".png"), ("jpeg", ".jpg"), ("webp", ".webp")])
def test_formats(run, folder, tmp_path, kind, suffix):
    (folder / "bad.jpg").unlink()
    assert run(folder, "--format", kind, "--quality", 60, "--output", tmp_path / "out").returncode == 0
    for place in ("old", "below/old"):
        result = Image.open(tmp_path / f"out/unet/{place}{suffix}")
        assert result.format == kind.upper() and not result.getexif()
        if kind == "jpeg":
            assert {(across, down) for _, across, down, _ in result.layer} == {(1, 1)}, "color is not at full size"


def test_what_a_format_cannot_hold_is_said(run, tmp_path):
    Image.new("L", (17_000, 8)).save(tmp_path / "wide.png")
    done = run(tmp_path / "wide.png", "--format", "webp", "--output", tmp_path / "out")
    assert done.returncode == 1 and "wide.png: WebP holds at most 16383 pixels a side" in done.stderr
    assert not list((tmp_path / "out").rglob("*.*"))


def test_an_output_that_cannot_be_written_is_one_line_per_file(run, folder, tmp_path):
    (folder / "bad.jpg").unlink()
    (tmp_path / "out").write_text("a file, not a folder")
    done = run(folder, "--output", tmp_path / "out")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert [line.rpartition(": ")[2] for line in done.stderr.splitlines()] == ["Not a directory"] * 2


@pytest.mark.slow
def test_two_processes_share_a_folder(run, subprocess_env, tmp_path, photograph):
    (tmp_path / "in").mkdir()
    for number in range(5):
        gray(photograph).resize((64, 48)).save(tmp_path / f"in/{number}.png")
    command = ["accelerate", "launch", "--multi_gpu", "--num_processes=2", "--num_machines=1", "--mixed_precision=no"]
    command += ["--dynamo_backend=no", "--main_process_port=0", "-m", "colorization", "in", "--output", "out"]
    env = subprocess_env | {"ACCELERATE_USE_CPU": "true"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    assert sorted(f.name for f in (tmp_path / "out/unet").iterdir()) == [f"{n}.png" for n in range(5)]
    assert sorted(line.split(" of ")[0] for line in done.stdout.splitlines() if "colored by" in line) == ["2", "3"]


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
    done = subprocess.run(command, cwd=ROOT, env=subprocess_env, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0 and f"{len(before)} skipped" in done.stdout
    for file in tmp_path.glob("out/unet/[0-9]*.png"):
        Image.open(file).load()
        assert before.get(file.name, file.stat().st_mtime_ns) == file.stat().st_mtime_ns


def test_help_answers_at_once(run):
    """Without torch, numpy and Pillow: their imports take seconds on a busy machine."""
    code = "import sys\nsys.argv = ['colorize', '--help']\nimport colorization.__main__ as m\n"
    code += "try: m.main()\nexcept SystemExit: pass\n"
    code += "print([m for m in ('torch', 'numpy', 'PIL', 'huggingface_hub', 'tqdm') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.endswith("[]\n")


def test_equal_names_do_not_overwrite_each_other(run, folder, tmp_path):
    done = run(folder / "old.jpg", folder / "below/old.png", "--output", tmp_path / "out")
    assert done.returncode == 0
    assert sorted(f.name for f in (tmp_path / "out/unet").iterdir()) == ["old.jpg", "old.png"]
    (folder / "below/old.png").rename(folder / "below/old.jpg")
    assert run(folder / "old.jpg", folder / "below/old.jpg", "--output", tmp_path / "two").returncode == 0
    assert sorted(f.name for f in (tmp_path / "two/unet").iterdir()) == ["old-2.jpg", "old.jpg"]


@pytest.mark.slow
def test_colors_are_as_strong_as_asked_for(run, folder, tmp_path):
    chroma = []
    for strength in ("0", "1", "1.5"):
        assert run(folder / "old.jpg", "--strength", strength, "--output", tmp_path / strength).returncode == 0
        pixels = np.asarray(Image.open(tmp_path / strength / "unet/old.jpg")).astype(int)
        chroma.append(np.abs(pixels[..., 0] - pixels[..., 2]).mean())
    assert chroma[0] == 0 and 1.2 * chroma[1] < chroma[2]


@pytest.mark.parametrize("strength", ["-1", "3", "nan", "vivid"])
def test_a_bad_strength_is_one_line(run, strength, tmp_path):
    done = run("old.jpg", f"--strength={strength}", "--output", tmp_path / "out")
    assert done.returncode == 2 and f"argument --strength: '{strength}' is not a number of 0 to 2" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nothing-here.jpg"], "nothing-here.jpg: No such file"),
        (["README.md"], "README.md: this is not"),
        (["tests", "--model", "no such/model/at all"], "neither a model name"),
        (["train"], "no videos, and no pictures"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_1(run, arguments, reason, tmp_path):
    done = run(*arguments, "--output", tmp_path / "out")
    assert done.returncode == 1 and reason in done.stderr and "Traceback" not in done.stderr


def test_an_animation_is_colored_and_its_owner_told(run, tmp_path, photograph):
    frames = [photograph.convert("L").resize((64, 48)), Image.new("L", (64, 48))]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    done = run(tmp_path / "moving.gif", "--output", tmp_path / "out")
    assert done.returncode == 0 and "moving.gif: note: only the first" in done.stderr
