"""Speed of the data stream: the loader against a bare Pillow decode of the same bytes, and the wait of each recipe.

`python -m benchmarks.loader --dataset SPEC [--size 128] [--steps 60]`; figures are of this machine, in this run.
"""

import argparse
import io
import itertools
import statistics
import tempfile
import time

from accelerate import Accelerator
from PIL import Image

from train.config import parse
from train.data.dataset import open_stream
from train.data.loader import batches
from train.data.stream import CropStream
from train.loop import Run
from train.recipes import RECIPES

_ROUNDS = 3
_PICTURES = 800  # per round
_WORKERS = {"loader, in the training process": 0, "loader, 1 worker": 1, "loader, 2 workers": 2}


def bare_decode(dataset: str) -> float:
    """Pictures per second that Pillow decodes to RGB, one after the other, in one process."""
    data = [row.encoded() for row in itertools.islice(open_stream(dataset, "train"), _PICTURES)]
    start = time.perf_counter()
    for picture in data:
        Image.open(io.BytesIO(picture)).convert("RGB").load()
    return len(data) / (time.perf_counter() - start)


def loader(dataset: str, size: int, workers: int) -> float:
    """Crops per second that come out of the loader, decoding, cropping and skipping what is gray."""
    stream = batches(CropStream(open_stream(dataset, "train"), size, 0, 8.0), 16, workers)
    next(stream)  # the workers have started
    start = time.perf_counter()
    count = sum(len(crops.pixels) for crops in itertools.islice(stream, _PICTURES // 16))
    return count / (time.perf_counter() - start)


def wait(dataset: str, size: int, name: str, steps: int) -> tuple[float, float]:
    """The part of a recipe's step that is waiting for data, and its pictures per second, after ten steps."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["--recipe", name, "--output-dir", folder, "--dataset", dataset, "--resolution", str(size)]
        words += ["--unet.perceptual-weight", "0"]  # without VGG the step is shorter, so the wait counts for more
        run = Run(parse([*words, "--validation-pictures", "0"]).settings(name), Accelerator())
        run.log.bar.disable = True
        waited, before = 0.0, time.perf_counter()
        for number, crops in enumerate(itertools.islice(filter(None, run.batches()), steps + 10)):
            now = time.perf_counter()
            if number == 10:
                start, waited, seen = now, 0.0, run.stage.pictures_seen
            waited += now - before if number > 10 else 0.0
            run.step(crops, waited=0.0)
            before = time.perf_counter()
        elapsed = before - start
        return waited / elapsed, (run.stage.pictures_seen - seen) / elapsed


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    labels = ("bare Pillow decode", *_WORKERS)
    speeds: dict[str, list[float]] = {label: [] for label in labels}
    for _ in range(_ROUNDS):  # interleaved, so that a slower minute slows all
        speeds[labels[0]].append(bare_decode(options.dataset))
        for label, workers in _WORKERS.items():
            speeds[label].append(loader(options.dataset, options.size, workers))
    base = statistics.median(speeds[labels[0]])
    print(f"| medians of {_ROUNDS} rounds of {_PICTURES} pictures | pictures/s | of a bare decode |\n|---|---|---|")
    for label, rates in speeds.items():
        print(f"| {label} | {statistics.median(rates):.0f} | {statistics.median(rates) / base:.0%} |")
    print("\n| recipe | pictures/s | wait for data |\n|---|---|---|")
    for name in RECIPES:
        share, rate = wait(options.dataset, options.size, name, options.steps)
        print(f"| {name} | {rate:.0f} | {share:.1%} |", flush=True)


if __name__ == "__main__":
    main()
