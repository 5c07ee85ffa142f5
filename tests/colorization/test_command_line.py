"""`python -m colorization` as users run it."""

import subprocess
import sys

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
    assert written == sorted(f"{name}/{place}" for name in NAMES for place in ("below/old.png", "old.png"))
    result = Image.open(tmp_path / "out/unet/old.png")
    assert result.size == photograph.size and result.mode == "RGB" and not result.info
    pixels = np.asarray(result).astype(int)
    assert np.abs(pixels[..., 0] - pixels[..., 2]).mean() > 1, "still gray"
    assert "2 of 3 pictures" in done.stdout


def test_good_files_give_exit_code_0_and_a_second_run_skips_results(run, folder, tmp_path):
    (folder / "bad.jpg").unlink()
    assert run(folder, "--output", folder / "out").returncode == 0
    again = run(folder, "--output", folder / "out")
    assert again.returncode == 0 and "2 of 2 pictures" in again.stdout


def test_equal_names_do_not_overwrite_each_other(run, folder, tmp_path):
    done = run(folder / "old.jpg", folder / "below/old.png", "--output", tmp_path / "out")
    assert done.returncode == 0
    assert sorted(f.name for f in (tmp_path / "out/unet").iterdir()) == ["old-2.png", "old.png"]


def test_colors_are_as_strong_as_asked_for(run, folder, tmp_path):
    chroma = []
    for strength in ("0", "1", "1.5"):
        assert run(folder / "old.jpg", "--strength", strength, "--output", tmp_path / strength).returncode == 0
        pixels = np.asarray(Image.open(tmp_path / strength / "unet/old.png")).astype(int)
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
        (["train"], "no pictures found"),
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
