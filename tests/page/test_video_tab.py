"""The Video tab of the real page, in a real browser."""

import io
import os
import signal
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.children import has_ended, video_workers, wait_for
from support.clips import clip, packets, panning, pictures, times
from support.pages import choose, opened_at
from support.served import served

from page.tabs.video import LIMITS


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
    tab.locator("#video-result img").wait_for()  # the first frame in color
    tab.locator("#video-status").get_by_text("Frame").wait_for()
    video = tab.locator("#video-result video")
    video.wait_for()
    tab.locator("#video-status").get_by_text("Done.").wait_for()
    assert video.evaluate("async v => { await v.play(); return [v.videoWidth, v.videoHeight]; }") == [160, 96]
    with tab.expect_download() as download:
        tab.get_by_role("link", name="Download the video").click()
    assert download.value.suggested_filename == "old-color.mp4"
    download.value.save_as(tmp_path / "color.mp4")
    assert times(tmp_path / "color.mp4")[0] == pytest.approx(times(source)[0], abs=1e-3)
    assert packets(tmp_path / "color.mp4", "audio") == packets(source, "audio")
    assert np.mean([np.abs(p[..., 0].astype(int) - p[..., 2]).mean() for p in pictures(tmp_path / "color.mp4")]) > 1
    tab.screenshot(path=Path(os.environ.get("SCREENSHOTS", tmp_path)) / "video.png", full_page=True)
    before_and_after(tab)


def before_and_after(tab):
    """The divider is dragged and moved by keys; left of it the video has no color."""
    divider = tab.get_by_label("Divider between black and white and color")
    handle = tab.locator("#video-result .line i").bounding_box()
    tab.mouse.move(handle["x"] + 22, handle["y"] + 22)
    tab.mouse.down()
    tab.mouse.move(handle["x"] + 122, handle["y"] + 22, steps=3)
    tab.mouse.up()
    dragged = int(divider.input_value())
    assert dragged > 55
    divider.focus()
    divider.press("ArrowRight")
    assert int(divider.input_value()) == dragged + 1
    shot = Image.open(io.BytesIO(tab.locator("#video-result .frame").screenshot())).convert("RGB")
    width, height = shot.size
    middle = np.asarray(shot.crop((0, height // 3, width, height // 2))).astype(int)  # between names and controls
    chroma = np.ptp(middle, axis=2).mean(axis=0)
    assert chroma[: width // 2].max() <= 1 and chroma[width * 4 // 5 :].min() > 3


def test_all_models_side_by_side(tab, tmp_path):
    source = clip(tmp_path / "old.mp4", panning(160, 96, 5), sound=False)
    choose(tab.get_by_label("Model"), "all, side by side")
    tab.locator("#video-strength input[type=number]").fill("0")
    begin(tab, source)
    video = tab.locator("#video-result video")
    video.wait_for()
    urllib.request.urlretrieve(video.evaluate("v => v.currentSrc || v.src"), tmp_path / "color.mp4")
    assert max(np.ptp(picture.astype(int), axis=2).mean() for picture in pictures(tmp_path / "color.mp4")) < 1
    assert video.evaluate("async v => { await v.play(); return [v.videoWidth, v.videoHeight]; }") == [480, 96]


def test_limits_are_stated_and_kept(tab, tmp_path):
    tab.get_by_text(f"{LIMITS.seconds:.0f} seconds").first.wait_for()
    begin(tab, clip(tmp_path / "long.mp4", panning(64, 64, 70), rate=1, sound=False))
    tab.get_by_text("This video cannot be colored: it lasts 70 seconds, at most 60 seconds are accepted").wait_for()
    tab.get_by_role("button", name="Color the video").and_(tab.locator(":enabled")).wait_for()


def test_a_bad_file_is_a_sentence(tab, tmp_path):
    (tmp_path / "text.mp4").write_text("ffconcat version 1.0\nfile neighbor.mp4\n")
    begin(tab, tmp_path / "text.mp4")
    tab.get_by_text("This video cannot be colored: this is not an MP4").wait_for()


@pytest.fixture(scope="module")
def site(subprocess_env, tmp_path_factory):
    """A page whose processes and files are looked at."""
    with served(subprocess_env, tmp_path_factory.mktemp("site")) as site:
        yield site
        assert "Traceback" not in site.log.read_text()


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """A clip that takes minutes."""
    return clip(tmp_path_factory.mktemp("long") / "long.mp4", panning(160, 96, 1500), sound=False)


@contextmanager
def at_work(browser, site, file):
    """The Video tab of a page, as soon as the first frames of a video are shown there."""
    with opened_at(browser, site.url, "Video", size=(1400, 1000), seconds=120) as tab:
        begin(tab, file)
        tab.locator("#video-status p").wait_for(timeout=10_000)  # a second on an idle machine
        tab.locator("#video-result img").wait_for()
        tab.locator("#video-status").get_by_text("s left").wait_for()
        yield tab


def folders(site):
    return [folder for folder in site.log.parent.glob("files/*/video-*") if folder.is_dir()]


def nothing_is_left(site):
    """Nothing but a process that waits for the next video."""
    wait_for(lambda: len(video_workers(site.process.pid)) == 1 and not folders(site))
    assert site.http.get("/healthz").json()["at_work"] == 0


def test_cancel(browser, site, long, tmp_path):
    with at_work(browser, site, long) as tab:
        assert len(video_workers(site.process.pid)) == len(folders(site)) == 1
        tab.screenshot(path=Path(os.environ.get("SCREENSHOTS", tmp_path)) / "video-at-work.png", full_page=True)
        tab.get_by_role("button", name="Cancel").click()
        tab.locator("#video-status").get_by_text("Stopped.").wait_for()
        tab.get_by_role("button", name="Color the video").and_(tab.locator(":enabled")).wait_for()
        nothing_is_left(site)
        time.sleep(1)  # whatever was still on its way
        assert tab.locator("#video-status").inner_text() == "Stopped."
        assert tab.get_by_role("button", name="Cancel").is_disabled() and tab.locator("#video-result video").is_hidden()


@pytest.mark.slow
def test_who_waits_for_another_video_is_told_and_can_cancel(browser, site, long):
    with at_work(browser, site, long) as first:
        with opened_at(browser, site.url, "Video", seconds=120) as second:
            begin(second, long)
            second.locator("#video-status").get_by_text("Waiting for its turn").wait_for()
            wait_for(lambda: site.http.get("/healthz").json()["waiting"] == 1)
            second.get_by_role("button", name="Cancel").click()
            second.locator("#video-status").get_by_text("Stopped.").wait_for()
            assert site.http.get("/healthz").json() == {"status": "ok", "waiting": 0, "at_work": 1}
        assert first.locator("#video-status").inner_text().startswith("Frame")
    nothing_is_left(site)


def test_a_visitor_who_leaves_stops_the_job(browser, site, long):
    with at_work(browser, site, long):
        pass
    nothing_is_left(site)


@pytest.mark.slow
def test_a_killed_worker_is_a_sentence_and_the_page_goes_on(browser, site, long, tmp_path):
    with at_work(browser, site, long) as tab:
        (worker,) = video_workers(site.process.pid)
        os.kill(worker, signal.SIGKILL)
        tab.get_by_text("This video cannot be colored: reading it ended unexpectedly").wait_for()
        nothing_is_left(site)
        assert site.log.read_text().count("video worker: died (code -9)") == 1
        tab.locator("#video-upload").get_by_label("Clear").click()
        before = site.memory(workers=False)
        begin(tab, clip(tmp_path / "short.mp4", panning(160, 96, 5), sound=False))
        tab.locator("#video-result video").wait_for()
        (folder,) = folders(site)
        assert [file.name for file in folder.iterdir()] == ["short-color.mp4"]
        assert site.memory(workers=False) < before + 30  # MB; FFmpeg and the networks were elsewhere


@pytest.mark.slow
def test_the_page_ends_in_time_with_a_job_under_way(browser, subprocess_env, long, tmp_path):
    with served(subprocess_env, tmp_path) as site, at_work(browser, site, long):
        (worker,) = video_workers(site.process.pid)
        start = time.monotonic()
        site.process.send_signal(signal.SIGTERM)
        assert site.process.wait(12) == 0 and time.monotonic() - start < 10.5
        wait_for(lambda: has_ended(worker), seconds=5)
        assert "Traceback" not in site.log.read_text()
