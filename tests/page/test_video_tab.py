"""The Video tab of the real page, in a real browser."""

import os
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from support.clips import clip, packets, panning, pictures, times
from support.pages import opened_at

from page.video import LIMITS


@pytest.fixture
def tab(browser, server):
    """The Video tab of a freshly opened page."""
    with opened_at(browser, server, "Video", size=(1400, 1000), seconds=120) as page:
        yield page


def begin(tab, file):
    tab.locator("#video-upload input[type=file]").set_input_files(file)
    tab.locator("#video-upload").get_by_text(file.name.split(".")[0]).first.wait_for()
    tab.get_by_role("button", name="Color the video").click()


def test_a_clip_of_two_seconds_is_colored(tab, tmp_path):
    source = clip(tmp_path / "old.mp4", panning(160, 96, 50))
    begin(tab, source)
    tab.locator("#video-status").get_by_text("Frame").wait_for()
    video = tab.locator("#video-result video")
    video.wait_for()
    tab.locator("#video-status").get_by_text("Done.").wait_for()
    assert video.evaluate("async v => { await v.play(); return [v.videoWidth, v.videoHeight]; }") == [160, 96]
    urllib.request.urlretrieve(video.evaluate("v => v.currentSrc || v.src"), tmp_path / "color.mp4")
    assert times(tmp_path / "color.mp4")[0] == pytest.approx(times(source)[0], abs=1e-3)
    assert packets(tmp_path / "color.mp4", "audio") == packets(source, "audio")
    assert np.mean([np.abs(p[..., 0].astype(int) - p[..., 2]).mean() for p in pictures(tmp_path / "color.mp4")]) > 1
    tab.screenshot(path=Path(os.environ.get("SCREENSHOTS", tmp_path)) / "video.png", full_page=True)


def test_all_models_side_by_side(tab, tmp_path):
    source = clip(tmp_path / "old.mp4", panning(160, 96, 5), sound=False)
    picker = tab.get_by_label("Model")
    picker.fill("all")
    picker.press("Enter")
    begin(tab, source)
    video = tab.locator("#video-result video")
    video.wait_for()
    assert video.evaluate("async v => { await v.play(); return [v.videoWidth, v.videoHeight]; }") == [480, 96]


def test_cancel(tab, tmp_path):
    begin(tab, clip(tmp_path / "long.mp4", panning(160, 96, 600), sound=False))
    tab.locator("#video-status").get_by_text("Frame").wait_for()
    tab.get_by_role("button", name="Cancel").click()
    tab.locator("#video-status").get_by_text("Stopped.").wait_for()
    start = tab.get_by_role("button", name="Color the video")
    assert start.is_enabled() and not tab.locator("#video-result video").count()


def test_limits_are_stated_and_kept(tab, tmp_path):
    assert tab.get_by_text(f"{LIMITS.seconds:.0f} seconds").first.is_visible()
    begin(tab, clip(tmp_path / "long.mp4", panning(64, 64, 70), rate=1, sound=False))
    tab.get_by_text("This video cannot be colored: it lasts 70 seconds, at most 60 seconds are accepted").wait_for()
    tab.get_by_role("button", name="Color the video").and_(tab.locator(":enabled")).wait_for()


def test_a_bad_file_is_a_sentence(tab, tmp_path):
    (tmp_path / "text.mp4").write_text("ffconcat version 1.0\nfile neighbor.mp4\n")
    begin(tab, tmp_path / "text.mp4")
    tab.get_by_text("This video cannot be colored: this is not an MP4").wait_for()
