"""Methods to color a video, compared: `python -m benchmarks.flicker VIDEO... --model unet`.

Every method reads the same black-and-white version of a color video and writes H.264 of the same quality. What comes
out of the files is measured by `colorization.video.flicker`. The methods take turns, a few frames each, in one process,
so that a busy machine slows all of them alike. The table has a row for each, for the gray version, and for the
original. With `--aged` the black-and-white version is that of an old film: exposure that wavers, grain, dust.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from colorization.colorizer import Colorizer
from colorization.contact_sheet import contact_sheet
from colorization.inference import AB, lightness, predict
from colorization.video import ycbcr
from colorization.video.colorize import colorize_video
from colorization.video.container import Frame, Video
from colorization.video.flicker import measure, table
from colorization.video.limits import VideoError
from colorization.video.mp4 import Encoder, concatenate_segments, video_frame
from colorization.video.scenes import KEY_INTERVAL
from colorization.zoo import ZOO, load

_SMOOTHED = 9  # frames in the running mean
_SHEET_FRAMES = 6
_TURN = KEY_INTERVAL
_WAVERS = 0.05  # standard deviation of an old film's exposure from frame to frame, as a share
_GRAIN = 8.0  # levels of 255, standard deviation before it is blurred
_DUST = 5  # specks per frame, on average
_NO_COLOR = np.zeros((2, 1, 1), np.float32)

Method = Callable[[Colorizer, Path, Path], Iterator[object]]


def frame_by_frame(model: Colorizer, source: Path, target: Path) -> Iterator[object]:
    """Color each frame as a picture of its own."""
    return _written(source, target, ((f, light, predict(model, light)) for f, light in _lights(source)))


def smoothed(model: Colorizer, source: Path, target: Path) -> Iterator[object]:
    """Predict each frame, and take the mean of the predictions of the frames around it, wherever things move."""

    def colored() -> Iterator[tuple[Frame, Image.Image, AB]]:
        window: list[tuple[Frame, Image.Image, AB]] = []
        half, at = _SMOOTHED // 2, 0
        for frame, light in _lights(source):
            window.append((frame, light, predict(model, light)))
            if len(window) > half + at:
                yield *window[at][:2], np.mean([ab for *_, ab in window], axis=0)
                if len(window) == _SMOOTHED:
                    window.pop(0)
                else:
                    at += 1
        for rest in range(at, len(window)):
            yield *window[rest][:2], np.mean([ab for *_, ab in window[max(0, rest - half) :]], axis=0)

    return _written(source, target, colored())


def cross_faded(model: Colorizer, source: Path, target: Path) -> Iterator[object]:
    """Predict key frames, and go over from one to the next, wherever things move."""

    def colored() -> Iterator[tuple[Frame, Image.Image, AB]]:
        frames = _lights(source)
        run = list(islice(frames, 1))
        first = predict(model, run[0][1])
        while more := list(islice(frames, KEY_INTERVAL)):
            last = predict(model, more[-1][1])
            run += more
            for number, (frame, light) in enumerate(run[:-1]):
                late = np.float32(number / (len(run) - 1))
                yield frame, light, (1 - late) * first + late * last
            run, first = run[-1:], last
        yield *run[0], first

    return _written(source, target, colored())


def along_motion(model: Colorizer, source: Path, target: Path) -> Iterator[object]:
    """Predict key frames, and carry their color along motion: what `colorize_video` does."""
    return colorize_video([model], source, target)


METHODS: dict[str, Method] = {
    "frame by frame": frame_by_frame,
    f"mean of {_SMOOTHED} frames": smoothed,
    "key frames, cross-faded": cross_faded,
    "key frames, along motion": along_motion,
}


def aged(light: Image.Image, number: int) -> Image.Image:
    """A frame (mode L) as an old film has it; the same number gives the same grain and dust."""
    random = np.random.default_rng(number)
    grain = cv2.GaussianBlur(random.standard_normal((light.height, light.width)).astype(np.float32), (3, 3), 0)
    pixels = np.asarray(light) * np.float32(random.normal(1, _WAVERS)) + 2 * _GRAIN * grain
    for _ in range(random.poisson(_DUST)):
        center = (int(random.integers(light.width)), int(random.integers(light.height)))
        radius = int(random.integers(1, max(2, light.height // 90)))
        cv2.circle(pixels, center, radius, float(random.choice((10, 245))), cv2.FILLED)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def compare(source: Path, model: Colorizer, folder: Path, is_aged: bool) -> tuple[str, Path]:
    """Color one video by every method; returns the table and a contact sheet of some frames."""
    black_white = folder / "gray.mp4"
    for _ in _made_gray(source, black_white, is_aged):
        pass
    files = {name: folder / f"{name}.mp4" for name in METHODS}
    turns = {name: method(model, black_white, files[name]) for name, method in METHODS.items()}
    seconds, processor = dict.fromkeys(METHODS, 0.0), dict.fromkeys(METHODS, 0.0)
    while turns:
        for name in list(turns):
            start, start_processor = time.perf_counter(), time.process_time()
            if next(turns[name], None) is None:
                del turns[name]
            seconds[name] += time.perf_counter() - start
            processor[name] += time.process_time() - start_processor
    scores = measure(source, {"gray": black_white, **files}, {})
    frames = sum(1 for _ in Video(source).frames())
    speeds = {name: frames / taken for name, taken in seconds.items()}
    costs = ", ".join(f"{name} {taken / frames:.3f}" for name, taken in processor.items())
    versions = [black_white, files["frame by frame"], files["key frames, along motion"], source]
    sheet = contact_sheet(_some_frames(versions, frames), ["gray", "frame by frame", "along motion", "original"], 200)
    sheet.save(folder / "sheet.png")
    return f"{table(scores, speeds)}\n\nProcessor seconds per frame: {costs}", folder / "sheet.png"


def _made_gray(source: Path, target: Path, is_aged: bool) -> Iterator[object]:
    """The black-and-white version of a video, in better quality than the colored ones."""
    lights = ((f, aged(light, number) if is_aged else light) for number, (f, light) in enumerate(_lights(source)))
    return _written(source, target, ((f, light, _NO_COLOR) for f, light in lights), crf=10)


def _written(source: Path, target: Path, colored: Iterator, crf: int = 18) -> Iterator[object]:
    """Write frames with their own lightness and the predicted color; gives way after a few."""
    video = Video(source)
    segment = target.with_suffix(".nut")
    first = next(iter(Video(source).frames()))
    width, height = first.picture().size
    with Encoder(segment, video, (width + width % 2, height + height % 2), crf, first.aspect) as encoder:
        for number, (frame, light, ab) in enumerate(colored):
            encoder.write(video_frame(*ycbcr.put_color(light, ab)), frame.time)
            if number % _TURN == 0:
                yield number
    concatenate_segments([segment], number + 1, video, target, frame.duration)
    segment.unlink()


def _lights(source: Path) -> Iterator[tuple[Frame, Image.Image]]:
    for frame in Video(source).frames():
        yield frame, lightness(frame.picture())


def _some_frames(files: list[Path], count: int) -> list[list[Image.Image]]:
    """Evenly spread frames of each file, a row for each."""
    wanted = {round((number + 0.5) * count / _SHEET_FRAMES) for number in range(_SHEET_FRAMES)}
    films = [[f.picture() for n, f in enumerate(Video(file).frames()) if n in wanted] for file in files]
    return [list(row) for row in zip(*films, strict=True)]


def main() -> None:
    """Print a table for each video."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.flicker", description="Compare methods to color a video."
    )
    parser.add_argument("videos", nargs="+", type=Path, metavar="VIDEO", help="videos in color")
    parser.add_argument(
        "--model", default="unet", help=f"{', '.join(ZOO)}, a folder or a Hub id (default: %(default)s)"
    )
    parser.add_argument("--aged", action="store_true", help="make the black-and-white version that of an old film")
    parser.add_argument("--output", type=Path, metavar="DIR", help="where the videos and contact sheets are kept")
    options = parser.parse_args()
    model = load(options.model)
    for video in options.videos:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) if options.output is None else options.output / video.stem
            folder.mkdir(parents=True, exist_ok=True)
            try:
                text, sheet = compare(video, model, folder, options.aged)
            except VideoError as error:
                sys.exit(f"benchmarks.flicker: {video.name}: {error}")
            print(f"{video.name}\n\n{text}\n", flush=True)
            if options.output:
                print(f"contact sheet: {sheet}\n")


if __name__ == "__main__":
    main()
