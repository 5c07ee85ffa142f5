"""Videos on the command line."""

import pytest
from support.clips import clip, panning, pictures


def test_videos_and_pictures_in_one_call(colorization, photograph, tmp_path):
    folder = tmp_path / "holidays"
    folder.mkdir()
    photograph.convert("L").save(folder / "hill.jpg")
    clip(folder / "lake.avi", panning(96, 64, 14), codec="mpeg4", sound=False)
    (folder / "bad.mp4").write_text("no video")
    done = colorization(folder, "--model", "pix2pix", "--output", tmp_path / "out", "--report")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "1 of 1 pictures" in done.stdout and "1 of 2 videos" in done.stdout
    assert f"{folder}/bad.mp4: this is not an MP4" in done.stderr
    assert sorted(f.name for f in (tmp_path / "out/pix2pix").iterdir()) == ["hill.jpg", "lake.mp4"]
    assert len(pictures(tmp_path / "out/pix2pix/lake.mp4")) == 14
    rows = [line.split("|")[1].strip() for line in done.stdout.splitlines() if line.startswith("| ")]
    assert rows == ["version", "gray", "frame by frame", "pix2pix", "original"]
    assert "times as fast as frame by frame" in done.stdout
    again = colorization(folder / "lake.avi", "--model", "pix2pix", "--output", tmp_path / "out")
    assert again.returncode == 0 and "0 of 1 videos" in again.stdout
    assert "1 skipped, their results are there" in again.stdout


@pytest.mark.slow
def test_all_models_in_one_video(colorization, tmp_path):
    source = clip(tmp_path / "lake.mp4", panning(96, 64, 3))
    done = colorization(source, "--model", "all", "--side-by-side", "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert pictures(tmp_path / "out/side-by-side/lake.mp4")[0].shape == (64, 3 * 96, 3)
