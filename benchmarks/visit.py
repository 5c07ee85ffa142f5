"""A visit in a real browser: python -m benchmarks.visit http://127.0.0.1:7860.

One visitor, nobody else: seconds until the page shows its first picture, from an upload to its first color, and from
the choice of a strength and of a point of color to the picture on the screen; then from a click to a film's first frame
in color, and to its end. Measure on an idle machine.
"""

import io
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import av
import tyro
from PIL import Image

from benchmarks.load import encoded

_SIZES = {"2 megapixels": (1732, 1155), "12 megapixels": (4243, 2828)}
_CHOOSING = 8.0  # seconds that a visitor takes to find a film: the process for it starts meanwhile
_FILM = 640, 360, 25, 50  # width and height, frames per second, frames
_SHOWN = """
  const images = () => [...document.querySelectorAll("#viewer .frame img")];
  const frame = () => new Promise(requestAnimationFrame);
  const drawn = async (image) => { await image.decode().catch(() => {}); await frame(); };
"""
# Seconds since the navigation began, when the example's colors are on the screen.
_FIRST = f"""async () => {{
  {_SHOWN}
  while (!images()[1]?.src) await frame();
  await drawn(images()[1]);
  return performance.now() / 1000;
}}"""
# Begins to look before something is done: `window.seconds` becomes the time until another colored picture is drawn.
_WATCH = f"""() => {{
  {_SHOWN}
  const before = images()[1]?.src, start = performance.now();
  window.seconds = (async () => {{
    while (!images()[1]?.src || images()[1].src === before) await frame();
    await drawn(images()[1]);
    return (performance.now() - start) / 1000;
  }})();
}}"""


@dataclass(frozen=True)
class VisitOptions:
    """Measure how long a visitor waits on a running page."""

    url: tyro.conf.Positional[str]
    """Its address."""
    times: int = 20
    """How often each is measured; points are 64 at most."""
    films: int = 3
    """How often the film is colored."""
    browser: Path = Path("/usr/bin/chromium")
    """Chromium's program."""


def visit(options: VisitOptions) -> Iterator[tuple[str, list[float]]]:
    """Do what a visitor does, and yield what it is called and the seconds that it took each time."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        window = playwright.chromium.launch(executable_path=options.browser, args=["--no-sandbox", "--disable-gpu"])
        page = window.new_page(viewport={"width": 1366, "height": 768})
        page.set_default_timeout(120_000)

        def until_drawn(act: Callable[[], object]) -> float:
            page.evaluate(_WATCH)
            act()
            return float(page.evaluate("() => window.seconds"))

        def first() -> float:
            page.evaluate("() => sessionStorage.clear()")
            page.goto(options.url)
            return float(page.evaluate(_FIRST))

        page.goto(options.url)
        yield "the page to its first picture", [first() for _ in range(options.times)]

        chooser = page.locator("#upload input[type=file]")
        for name, size in _SIZES.items():
            seconds = []
            for number in range(options.times):
                photograph = Path(folder) / f"{number}.jpg"
                photograph.write_bytes(encoded(number, size))
                seconds.append(until_drawn(partial(chooser.set_input_files, photograph)))
                page.locator("#viewer .tile").nth(10).wait_for()  # the last mood: nothing else is at work
            yield f"an upload of {name} to its first color", seconds

        strength = page.locator("#viewer #strength input")
        steps = ["ArrowLeft", "ArrowRight"] * options.times
        seconds = [until_drawn(partial(strength.press, key)) for key in steps[: options.times]]
        yield "a strength to its picture", seconds

        seconds = []
        for x, y in _places(options.times):
            box = page.locator("#viewer .frame img").first.bounding_box()
            assert box
            page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
            swatch = page.locator("#viewer .swatch")
            swatch.nth(7).wait_for()
            seconds.append(until_drawn(swatch.first.click))
            page.keyboard.press("Escape")
        yield "a point of color to its picture", seconds

        first_frames, ends = [], []
        for number in range(options.films):
            page.goto(options.url)
            page.get_by_role("tab", name="Video").click()
            page.wait_for_timeout(1000 * _CHOOSING)
            film = _film(Path(folder) / f"film-{number}.mp4", number)
            page.locator("#video-upload input[type=file]").set_input_files(film)
            page.locator("#video-upload").get_by_text(film.stem).first.wait_for()
            start = time.perf_counter()
            page.get_by_role("button", name="Color the video").click()
            page.locator("#video-result img").wait_for()
            first_frames.append(time.perf_counter() - start)
            page.locator("#video-result video").wait_for()
            ends.append(time.perf_counter() - start)
        yield "a film of two seconds to its first frame in color", first_frames
        yield "a film of two seconds to its end", ends
        window.close()


def _places(count: int) -> Iterator[tuple[float, float]]:
    """Points that lie apart, in [0, 1]: none is a click on one of before."""
    columns = 8
    for number in range(count):
        yield (number % columns + 1) / (columns + 1), (number // columns + 1) / (count // columns + 2)


def _film(file: Path, seed: int) -> Path:
    """Write a film of two seconds: a camera that pans over a photograph."""
    width, height, rate, frames = _FILM
    photograph = Image.open(io.BytesIO(encoded(seed, (2 * width, height))))
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            at = 4 * number
            container.mux(stream.encode(av.VideoFrame.from_image(photograph.crop((at, 0, at + width, height)))))
        container.mux(stream.encode(None))
    return file


def main() -> None:
    """Print a line for each."""
    options = tyro.cli(VisitOptions, prog="python -m benchmarks.visit")
    for name, seconds in visit(options):
        middle, longest = statistics.median(seconds), max(seconds)
        print(f"{name}: median {middle:.2f} s of {len(seconds)}, {longest:.2f} s at most", flush=True)


if __name__ == "__main__":
    main()
