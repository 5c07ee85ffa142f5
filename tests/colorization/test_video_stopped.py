"""Video jobs that are stopped or killed go on where they were; what they hold in memory."""

import random
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from support.clips import ByLightness, clip, finish, panning, times

from colorization.video.colorize import colorize_video

JOB = f"""
import sys; sys.path.insert(0, {str(ROOT / "tests")!r})
from pathlib import Path
import torch; torch.set_num_threads(1)
from support.clips import ByLightness
from colorization.video.colorize import colorize_video
for progress in colorize_video([ByLightness()], Path(sys.argv[1]), Path(sys.argv[2])):
    print(progress.done, flush=True)
"""


def killed(env, source, target, lines, seconds):
    """Run a job and kill it some time after it has told its progress so many times; whether it was still at work."""
    process = subprocess.Popen(
        [sys.executable, "-c", JOB, str(source), str(target)], cwd=ROOT, env=env, stdout=subprocess.PIPE
    )
    for _ in range(lines):
        process.stdout.readline()
    time.sleep(seconds)
    working = process.poll() is None
    process.kill()
    process.wait()
    return working


def resumes_after_kills(env, folder, kills):
    """Kill a job again and again, let it finish, and compare it with one that was let alone."""
    scenes = [frame for seed in range(6) for frame in panning(96, 64, 40, seed)]
    source = clip(folder / "in.mp4", scenes)
    finish(colorize_video([ByLightness()], source, folder / "whole.mp4"))
    rng = random.Random(0)
    for _ in range(kills):
        assert killed(env, source, folder / "out.mp4", rng.randint(1, 7) if kills > 1 else 6, rng.uniform(0, 0.03))
    progress = [progress.done for progress in colorize_video([ByLightness()], source, folder / "out.mp4")]
    assert progress[0] >= 40, "it begins after what was finished"
    assert times(folder / "out.mp4") == times(folder / "whole.mp4")
    assert (folder / "out.mp4").read_bytes() == (folder / "whole.mp4").read_bytes()


@pytest.mark.slow
def test_a_killed_job_continues_and_gives_the_same_video(subprocess_env, tmp_path):
    resumes_after_kills(subprocess_env, tmp_path, 1)


@pytest.mark.nightly
def test_ten_kills_at_random_moments(subprocess_env, tmp_path):
    resumes_after_kills(subprocess_env, tmp_path, 10)


def test_other_settings_begin_anew(tmp_path):
    source = clip(tmp_path / "in.mp4", panning(64, 64, 150), sound=False)
    job = colorize_video([ByLightness()], source, tmp_path / "out.mp4")
    while next(job).done < 132:
        pass
    job.close()
    assert next(colorize_video([ByLightness()], source, tmp_path / "out.mp4")).done >= 120
    assert next(colorize_video([ByLightness()], source, tmp_path / "out.mp4", strength=0.5)).done == 12


@pytest.mark.nightly
def test_memory_is_flat_over_ten_minutes(tmp_path, subprocess_env):
    """15,000 tiny frames: what the process holds after a tenth of them is what it holds at the end."""
    back_and_forth = panning(64, 48, 100) + panning(64, 48, 100)[::-1]
    source = clip(tmp_path / "in.mp4", (back_and_forth[n % 200] for n in range(15_000)))
    code = JOB.replace("print(progress.done, flush=True)", "print(progress.done, p.memory_info().rss, flush=True)")
    code = "import psutil; p = psutil.Process()\n" + code
    lines = subprocess.run(
        [sys.executable, "-c", code, str(source), str(tmp_path / "out.mp4")],
        cwd=ROOT, env=subprocess_env, stdout=subprocess.PIPE, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    memory = {int(done): int(held) for done, held in (line.split() for line in lines)}
    early = max(held for done, held in memory.items() if done <= 1500)
    assert max(memory.values()) - early < 80e6, "all frames would take 140 MB"
    assert times(tmp_path / "out.mp4")[0][-1] == pytest.approx(14_999 / 25)
