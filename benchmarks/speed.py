"""The time of each network, beside two published ones and beside what its arithmetic alone would take.

Part of `python -m benchmarks`; alone: `python -m benchmarks.speed`. The yardsticks are pix2pix's own generator at its
full size (ngf 64, 54 M parameters) and siggraph17, both on 256x256 pixels with random weights: what a colorizer costs
as published. Each of ours sees a 3:2 photograph at the size that it is run at, in torch and in ONNX Runtime.
"""

import statistics
import sys
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.timing import Times, as_text, interleaved, ratio
from benchmarks.yardsticks import SIZE, PublishedUNet, Siggraph17
from colorization.colorizer import Colorizer
from colorization.guidance import Guidance, Point
from colorization.inference import network_size
from colorization.onnx.convert import convert
from colorization.onnx.model import OnnxColorizer
from colorization.zoo import ZOO, load

_ROUNDS = 15
_MATMUL = 1024  # side of the matrices that the machine's arithmetic is measured with


def relative_times(models: dict[str, Colorizer]) -> dict[str, float]:
    """Time each model at its working size for a 3:2 photograph, and unet_256, turn by turn.

    Returns:
        Median over the rounds of the time of one forward pass, in units of unet_256's in the same round, by name.
    """
    times = interleaved(_forwards({"unet_256": PublishedUNet().eval(), **models}), _ROUNDS, warm_up=2)
    return {name: ratio(times[name], times["unet_256"])[0] for name in models}


def input_size(model: Colorizer) -> tuple[int, int]:
    """What a model sees of a 3:2 photograph, (width, height)."""
    return network_size(model, (600, 400))


def table(rounds: int = _ROUNDS) -> tuple[str, dict[str, float]]:
    """Time all networks.

    Returns:
        A table in Markdown, and the median of each model's time over unet_256's.
    """
    models = {name: load(name) for name in ZOO}
    networks: dict[str, nn.Module] = {"unet_256": PublishedUNet().eval(), "siggraph17": Siggraph17().eval(), **models}
    forwards = _forwards(networks) | {f"{name}, ONNX": _by_onnx(model) for name, model in models.items()}
    guided = [name for name, model in models.items() if model.takes_guidance]
    for name in guided:
        forwards |= _steered(name, models[name])
    a, b = torch.rand(2, _MATMUL, _MATMUL)
    times: Times = interleaved({**forwards, "matmul": lambda: a @ b}, rounds, warm_up=2)
    seconds_per_flop = statistics.median(times["matmul"]) / (2 * _MATMUL**3)
    lines = [
        f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads, medians of {rounds} rounds (and quartiles); "
        f"matrix products: {1e-9 / seconds_per_flop:.0f} GFLOP/s",
        "",
        "| | parameters | input | GFLOP | of unet_256's time | by ONNX Runtime | of siggraph17's time "
        "| over its arithmetic alone |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, network in networks.items():
        width, height = input_size(models[name]) if name in models else (SIZE, SIZE)
        with FlopCounterMode(display=False) as counter:
            forwards[name]()
        millions = sum(p.numel() for p in network.parameters()) / 1e6
        bound = statistics.median(times[name]) / (counter.get_total_flops() * seconds_per_flop)
        by_onnx = as_text(ratio(times[f"{name}, ONNX"], times["unet_256"])) if name in models else ""
        lines.append(
            f"| {name} | {millions:.1f} M | {width}x{height} | {counter.get_total_flops() / 1e9:.1f} "
            f"| {as_text(ratio(times[name], times['unet_256']))} | {by_onnx} "
            f"| {as_text(ratio(times[name], times['siggraph17']))} | {bound:.1f} |"
        )
    for name in guided:
        steered, again = times[f"{name}, steered"], times[f"{name}, steered again"]
        share, repeated = as_text(ratio(steered, times[name])), as_text(ratio(again, steered))
        lines += ["", f"{name} with five points and a mood: {share} of its time without."]
        lines.append(f"Other points for the same picture: {repeated} of that.")
    return "\n".join(lines), {name: ratio(times[name], times["unet_256"])[0] for name in models}


def _forwards(networks: dict[str, nn.Module]) -> dict:
    """A call without arguments for each network, on random lightness of its size."""

    def forward(network: nn.Module) -> object:
        width, height = input_size(network) if isinstance(network, Colorizer) else (SIZE, SIZE)
        L = torch.rand(1, 1, height, width) * 2 - 1
        return lambda: torch.inference_mode()(network)(L)

    return {name: forward(network) for name, network in networks.items()}


def _steered(name: str, model: Colorizer) -> dict[str, Callable[[], object]]:
    """A call without arguments that colors a picture with five points and a mood, and one for an encoded picture."""
    gray = _random_gray(model)
    points = tuple(Point((2 * n + 1) / 10, 0.3 + 0.1 * n, "#7a8b4f") for n in range(5))
    condition = Guidance(points, mood="sunset").condition()
    features = model.features(gray)
    return {
        f"{name}, steered": lambda: model.infer(model.features(gray), condition),
        f"{name}, steered again": lambda: model.infer(features, condition),
    }


def _by_onnx(model: Colorizer) -> Callable[[], object]:
    """A call without arguments of the same model in ONNX Runtime, with as many threads as torch."""
    gray = _random_gray(model)
    exported = OnnxColorizer(convert(model)[0], model.name, torch.get_num_threads())
    return lambda: exported.infer(exported.features(gray))


def _random_gray(model: Colorizer) -> NDArray[np.uint8]:
    """Gray levels in the size that the model sees of a 3:2 photograph, (1, 1, height, width)."""
    width, height = input_size(model)
    return np.random.default_rng(0).integers(0, 256, (1, 1, height, width), np.uint8)


def main() -> None:
    """Print the table; exit code 1 if a network takes more than half of unet_256's time."""
    text, ratios = table()
    print(text)
    sys.exit(any(value > 0.5 for value in ratios.values()))


if __name__ == "__main__":
    main()
