"""The time of whole pictures: from a JPEG file to a JPEG file, in units of Pillow's decoding and encoding of that file.

Part of `python -m benchmarks`. The scan is a photograph enlarged, with grain, in black and white, quality 90; it is
encoded again as Pillow does by default (4:2:0) for the unit, and as the command line does (4:4:4) for the result.
"""

import io
import statistics
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

from benchmarks.timing import Times, as_text, interleaved, ratio
from colorization.colorizer import Colorizer
from colorization.decode import decode
from colorization.inference import AB, apply_color, gray, lightness, predict
from colorization.zoo import ZOO, load

_ROOT = Path(__file__).parent.parent
_QUALITY = 90


def scan(megapixels: float) -> Image.Image:
    """A black-and-white 4:3 photograph with grain, mode RGB."""
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    size = (width, round(width * 3 / 4))
    large = Image.fromarray(data.rocket()).convert("L").resize(size, Image.Resampling.BICUBIC)
    tile = np.random.default_rng(0).normal(0, 3, (512, 512))
    grain = np.tile(tile, (size[1] // 512 + 1, size[0] // 512 + 1))[: size[1], : size[0]]
    return Image.fromarray(np.clip(np.asarray(large) + grain, 0, 255).astype(np.uint8)).convert("RGB")


def encoded(picture: Image.Image, kind: str = "jpeg", **options: object) -> bytes:
    """A picture's file."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


class Way:
    """The way of one scan, stage by stage; each method is one stage, on what the stages before it give."""

    def __init__(self, megapixels: float, models: dict[str, Colorizer]) -> None:
        """Encode the scan, and color it once."""
        self.file = encoded(scan(megapixels), quality=_QUALITY)
        self.models = models
        self.picture = decode(self.file).picture
        self.light = lightness(self.picture)
        self.ab: dict[str, AB] = {name: predict(model, self.light) for name, model in models.items()}
        self.result = apply_color(self.light, self.ab["unet"])

    def codec(self) -> None:
        """The unit: Pillow decodes the file and encodes the picture."""
        picture = Image.open(io.BytesIO(self.file))
        picture.load()
        encoded(picture, quality=_QUALITY)

    def stages(self) -> dict[str, Callable[[], object]]:
        """Every stage, by name."""
        return {
            "codec": self.codec,
            "decode": lambda: decode(self.file),
            "lightness": lambda: lightness(self.picture),
            **{f"network {name}": partial(predict, model, self.light) for name, model in self.models.items()},
            "color": lambda: apply_color(self.light, self.ab["unet"]),
            "encode": lambda: encoded(self.result, quality=_QUALITY, subsampling="4:4:4"),
            "black-and-white copy": lambda: gray(self.picture),
        }

    def formats(self) -> dict[str, Callable[[], object]]:
        """Other ways to encode."""
        return {
            "PNG, level 1": lambda: encoded(self.result, "png", compress_level=1),
            "PNG, level 6": lambda: encoded(self.result, "png", compress_level=6),
            "WebP": lambda: encoded(self.result, "webp", quality=_QUALITY),
        }

    def whole(self, names: tuple[str, ...]) -> Callable[[], object]:
        """From file to files with one or several models, without the time of the networks."""

        def color() -> None:
            light = lightness(decode(self.file).picture)
            for name in names:
                encoded(apply_color(light, self.ab[name]), quality=_QUALITY, subsampling="4:4:4")

        return color


def profile(megapixels: float, rounds: int, formats: bool = False) -> tuple[str, Times]:
    """Time the stages and the whole way of a scan.

    Returns:
        A table in Markdown, and the seconds of each call.
    """
    way = Way(megapixels, {name: load(name) for name in ZOO})
    functions = way.stages() | {
        "JPEG to JPEG, one model": way.whole(("unet",)),
        "JPEG to JPEG, three models": way.whole(tuple(ZOO)),
    }
    times = interleaved(functions | (way.formats() if formats else {}), rounds)
    unit = statistics.median(times["codec"])
    lines = [
        f"{way.light.width * way.light.height / 1e6:.1f} megapixels; the codec takes {1e3 * unit:.0f} ms here",
        "",
        "| | of the codec's time |\n|---|---|",
        *(f"| {name} | {as_text(ratio(taken, times['codec']))} |" for name, taken in times.items() if name != "codec"),
    ]
    return "\n".join(lines), times


def while_busy(megapixels: float, rounds: int) -> float:
    """How many times longer the way takes, networks included, with two processes that never rest beside it."""
    way = Way(megapixels, {"unet": load("unet")})

    def colored() -> None:
        light = lightness(decode(way.file).picture)
        encoded(apply_color(light, predict(way.models["unet"], light)), quality=_QUALITY, subsampling="4:4:4")

    alone = statistics.median(interleaved({"": colored}, rounds)[""])
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        busy = statistics.median(interleaved({"": colored}, rounds)[""])
    finally:
        for other in others:
            other.kill()
            other.wait()
    return busy / alone


def peak_memory(megapixels: float) -> tuple[float, float]:
    """Bytes per pixel that coloring a picture takes at its peak, input and result included; in a fresh process.

    Returns:
        All of it; and what lies beyond the peak of a picture that is as small as what the network sees.
    """
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    code = f"""
from PIL import Image
from colorization import colorize, load
def kilobytes(name):  # not getrusage, which counts the memory of the process that started this one
    return int(open("/proc/self/status").read().split(name)[1].split()[0])
def color(size):
    colorize(model, Image.radial_gradient("L").resize(size).convert("RGB"))
    return kilobytes("VmHWM:")
model = load("unet")
color((320, 240))
open("/proc/self/clear_refs", "w").write("5")  # forgets the peak
before = kilobytes("VmRSS:")
small = color((320, 240))
peak = color(({width}, {width * 3 // 4}))
print(1024 * (peak - before), 1024 * (peak - small))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=_ROOT, capture_output=True, check=True)
    all_of_it, beyond = map(int, done.stdout.split())
    return all_of_it / (megapixels * 1e6), beyond / (megapixels * 1e6)
