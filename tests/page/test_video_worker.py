"""Videos in a process of their own: real files, real kills."""

import asyncio
import contextlib
import csv
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import ROOT
from support.children import has_ended, video_workers, wait_for
from support.clips import clip, panning, pictures

from colorization.guidance import Guidance
from colorization.video.container import Video
from colorization.video.limits import VideoError
from colorization.zoo import locate
from page.tabs.video import LIMITS
from page.workers.video_job import Bounds, color, warm

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks at processes through /proc")


def in_a_loop(coroutine):
    """Run a coroutine in a thread, as this one may have playwright's loop."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, coroutine).result()


def run(source, target, bounds=None, act=None):
    """Do a whole job; `act` is called with the worker's id at every progress, so the worker must live until then."""

    async def job():
        seen = []
        async with contextlib.aclosing(color([locate("unet")], source, target, LIMITS, bounds)) as steps:
            async for progress in steps:
                if progress:
                    seen.append(progress)
                    if act:
                        act(video_workers(os.getpid())[0], progress)
        return seen

    try:
        return in_a_loop(job())
    finally:
        assert not video_workers(os.getpid())


def run_until(source, target, reached):
    """Begin a job, and stop reading it at some progress; the worker's id, and that progress."""

    async def job():
        async with contextlib.aclosing(color([locate("unet")], source, target, LIMITS)) as steps:
            async for progress in steps:
                if progress and reached(progress):
                    return video_workers(os.getpid())[0], progress

    return in_a_loop(job())


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """A clip that takes a while."""
    return clip(tmp_path_factory.mktemp("long") / "long.mp4", panning(160, 96, 400), sound=False)


def test_a_killed_worker_costs_one_user_a_sentence(long, tmp_path):
    with pytest.raises(VideoError, match="reading it ended unexpectedly: try again"):
        run(long, tmp_path / "color.mp4", act=lambda worker, _: os.kill(worker, signal.SIGKILL))


def test_a_worker_has_no_secrets_and_lets_others_go_first(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    told = []

    def look(worker, progress):
        process = Path(f"/proc/{worker}")
        if told or not progress.preview:
            return
        assert progress.preview.read_bytes().startswith(b"\xff\xd8")
        told.append((process / "environ").read_bytes())
        told.append((process / "stat").read_text().rpartition(")")[2].split()[16])  # field 19, niceness
        limits = {line[:26].strip(): line[26:].split()[0] for line in (process / "limits").read_text().splitlines()}
        told.append((limits["Max data size"], limits["Max core file size"]))

    short = clip(tmp_path / "short.mp4", panning(160, 96, 5), sound=False)
    *_, last = run(short, tmp_path / "color.mp4", act=look)
    assert last.done == 5 and len(pictures(tmp_path / "color.mp4")) == 5
    environ, niceness, limits = told
    assert b"hf_secret" not in environ and b"PATH=" in environ
    assert int(niceness) == min(19, os.nice(0) + 5)
    assert limits == (str(Bounds().memory), "0")


def test_memory_is_bounded(tmp_path):
    large = clip(tmp_path / "large.mp4", panning(1920, 1080, 3), sound=False)
    with pytest.raises(VideoError, match="it takes too much memory: make it smaller"):
        run(large, tmp_path / "color.mp4", Bounds(memory=700_000_000))


def test_a_mood_goes_to_the_model_which_may_refuse_it(long, tmp_path):
    async def job():
        mood = Guidance(mood="sunset")
        async for _ in color([locate("pix2pix")], long, tmp_path / "color.mp4", LIMITS, guidance=mood):
            pass

    with pytest.raises(VideoError, match="pix2pix takes no points and no mood"):
        in_a_loop(job())


def test_a_job_that_takes_too_long_is_ended(long, tmp_path):
    with pytest.raises(VideoError, match="takes more than 0 minutes here"):
        run(long, tmp_path / "color.mp4", Bounds(seconds=1))


def test_a_job_that_fills_the_disk_is_ended(long, tmp_path):
    with pytest.raises(VideoError, match="in color it takes more than 0 MB: cut it"):
        run(long, tmp_path / "color.mp4", Bounds(disk=1000))


def test_a_process_waits_for_its_job_and_is_replaced_when_it_was_killed(long, tmp_path):
    def first_picture():
        return run_until(long, tmp_path / "color.mp4", lambda progress: progress.preview)

    warm([locate("unet")])
    (waiting,) = video_workers(os.getpid())
    warm([locate("unet")])
    assert video_workers(os.getpid()) == [waiting]
    wait_for(lambda: "torch" in Path(f"/proc/{waiting}/maps").read_text())
    assert first_picture()[0] == waiting and has_ended(waiting)
    warm([locate("unet")])
    (killed,) = video_workers(os.getpid())
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: has_ended(killed))
    worker, progress = first_picture()
    assert worker != killed and progress.done == 0  # a picture before the first run of frames is colored


@pytest.mark.slow
def test_a_worker_that_stands_still_is_ended(long, tmp_path):
    def stop(worker, progress):
        if progress.started:
            os.kill(worker, signal.SIGSTOP)

    with pytest.raises(VideoError, match="has made no progress for 30 seconds: try again"):
        run(long, tmp_path / "color.mp4", Bounds(silent_seconds=30), stop)


def test_who_stops_reading_ends_the_worker(long, tmp_path):
    assert has_ended(run_until(long, tmp_path / "color.mp4", lambda progress: True)[0])


def test_whoever_is_cancelled_while_waiting_ends_the_worker(long, tmp_path):
    async def cancel():
        async def read():
            async for _ in color([locate("unet")], long, tmp_path / "color.mp4", LIMITS):
                pass

        task = asyncio.create_task(read())
        await asyncio.sleep(1.5)
        (worker,) = video_workers(os.getpid())
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return worker

    assert has_ended(in_a_loop(cancel()))


def test_no_worker_outlives_the_page(long, tmp_path):
    code = """if True:
        import asyncio, sys
        from pathlib import Path
        from colorization.zoo import locate
        from page.tabs.video import LIMITS
        from page.workers.video_job import color
        async def main():
            async for _ in color([locate("unet")], Path(sys.argv[1]), Path(sys.argv[2]), LIMITS):
                print("working", flush=True)
        asyncio.run(main())
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", code, long, tmp_path / "color.mp4"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout.readline() == "working\n"
    (worker,) = video_workers(parent.pid)
    parent.kill()
    parent.wait()
    wait_for(lambda: has_ended(worker))


@pytest.mark.slow
def test_sentences_about_hostile_files_come_through(shared, tmp_path):
    with (shared / "corpus/manifest_videos.csv").open() as rows:
        files = [shared / "corpus" / row["file"] for row in csv.DictReader(rows) if row["expect"].startswith("clear-")]
    refused = 0
    for file in files:
        target = tmp_path / file.stem / "color.mp4"
        target.parent.mkdir()
        try:
            for _ in Video(file, LIMITS).frames():
                pass
        except VideoError as here:
            with pytest.raises(VideoError) as there:
                run(file, target)
            assert str(there.value) == str(here) and not list(target.parent.iterdir())
            refused += 1
        else:  # damaged, and the rest of it can be shown
            assert run(file, target)[-1].notes
    assert refused > 5
