"""The time of many files, and of the start: `colorization.jobs` beside the sum of its parts.

Part of `python -m benchmarks`.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from benchmarks.full_size import encoded, scan
from colorization import files, jobs
from colorization.colorizer import Colorizer
from colorization.decode import STRANGERS, decode
from colorization.inference import colorize
from colorization.options import PictureOptions
from colorization.zoo import ZOO, load

_ROOT = Path(__file__).parent.parent


def folder_of(count: int, megapixels: float) -> str:
    """Color a folder with all models, as the command line does, and one after the other.

    Returns:
        A sentence with files per second of both, and how busy the processor cores were.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the command line
    models: dict[str, Colorizer] = {name: load(name) for name in ZOO}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        file = encoded(scan(megapixels), quality=90)
        for number in range(count):
            (folder / f"in/{number:03}.jpg").write_bytes(file)
        options = PictureOptions()
        listed = files.find([folder / "in"], folder / "out", STRANGERS.bytes).sources
        start, used = time.perf_counter(), time.process_time()
        failed = sum(bool(outcome.errors) for outcome in jobs.run(listed, models, folder / "out", options))
        elapsed = time.perf_counter() - start
        busy = (time.process_time() - used) / elapsed / len(os.sched_getaffinity(0))
        start = time.perf_counter()
        few = listed[: max(1, count // 10)]
        for job in few:
            picture = decode(job.file.read_bytes()).picture
            for model in models.values():
                colorize(model, picture).save(folder / "one.jpg", quality=90, subsampling="4:4:4")
        one_by_one = (time.perf_counter() - start) / len(few) * count
    torch.set_num_threads(threads)
    if failed:
        raise RuntimeError(f"{failed} of {count} files failed")
    return (
        f"{count} files of {megapixels:g} megapixels with {len(models)} models: {count / elapsed:.2f} files/s, "
        f"{count / one_by_one:.2f} one after the other ({one_by_one / elapsed:.2f} times as many); "
        f"this process kept the cores {busy:.0%} busy"
    )


def start_times(rounds: int) -> str:
    """How long `--help` takes, and a first picture beside later ones, all different, in the same process.

    Returns:
        A sentence.
    """
    helps, firsts = [], []
    code = """
import statistics, sys, time
from PIL import Image
from colorization import colorize, load
model, times = load("unet"), []
for path in sys.argv[1:]:
    picture = Image.open(path).convert("L").resize((1200, 900))
    start = time.perf_counter()
    colorize(model, picture)
    times.append(time.perf_counter() - start)
print(times[0] / statistics.median(times[1:]))
"""
    pictures = sorted(map(str, (_ROOT / "page/photographs").rglob("*.jpg")))
    for turn in range(rounds):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "colorization", "--help"], cwd=_ROOT, capture_output=True, check=True)
        helps.append(time.perf_counter() - start)
        turned = pictures[turn % len(pictures) :] + pictures[: turn % len(pictures)]
        done = subprocess.run([sys.executable, "-c", code, *turned], cwd=_ROOT, capture_output=True, check=True)
        firsts.append(float(done.stdout))
    return (
        f"`colorize --help` takes {statistics.median(helps):.2f} s; "
        f"the first picture takes {statistics.median(firsts):.1f} times a later one"
    )
