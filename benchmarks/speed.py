"""How long each model takes beside pix2pix's own generator: `python -m benchmarks.speed`.

The yardstick is the U-Net of the pix2pix paper at its full size (ngf 64, 54 M parameters) on 256x256, with random
weights: what a colorizer of this lineage costs as published. Each of ours sees a 3:2 photograph at the size that it is
run at. One run, all interleaved, so that a busy machine slows all of them alike.
"""

import statistics
import sys
import time

import torch
from torch import Tensor, nn

from colorization.colorizer import Colorizer
from colorization.inference import network_size
from colorization.zoo import ZOO, load

_CHANNELS = (64, 128, 256, 512, 512, 512, 512, 512)  # Isola et al. 2017, section 6.1.1: C64-C128-C256-C512-...
_ROUNDS = 15


class PublishedUNet(nn.Module):
    """The encoder and decoder of the paper's layer table, 4x4 stride-2, batch normalized, with skip connections."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for level, (c_in, c_out) in enumerate(zip((1, *_CHANNELS[:-1]), _CHANNELS, strict=True)):
            bare = level in (0, len(_CHANNELS) - 1)
            self.down.append(
                nn.Sequential(
                    nn.Conv2d(c_in, c_out, 4, 2, 1, bias=bare),
                    nn.Identity() if bare else nn.BatchNorm2d(c_out),
                    nn.LeakyReLU(0.2),
                )
            )
        for level in reversed(range(len(_CHANNELS))):
            c_in = _CHANNELS[level] * (1 if level == len(_CHANNELS) - 1 else 2)
            c_out = _CHANNELS[level - 1] if level else 2
            self.up.append(
                nn.Sequential(
                    nn.ConvTranspose2d(c_in, c_out, 4, 2, 1, bias=level == 0),
                    nn.BatchNorm2d(c_out) if level else nn.Tanh(),
                    nn.ReLU() if level else nn.Identity(),
                )
            )

    def forward(self, L: Tensor) -> Tensor:
        """Map (B, 1, 256, 256) to (B, 2, 256, 256)."""
        skips, x = [], L
        for down in self.down:
            x = down(x)
            skips.append(x)
        x = self.up[0](skips.pop())
        for up in self.up[1:]:
            x = up(torch.cat((x, skips.pop()), dim=1))
        return x


@torch.inference_mode()
def medians(models: dict[str, Colorizer]) -> dict[str, float]:
    """Time each model at its working size for a 3:2 photograph, and the yardstick, turn by turn.

    Returns:
        Median seconds of one forward pass, by name; the yardstick's is `unet_256`.
    """
    networks: dict[str, nn.Module] = {"unet_256": PublishedUNet().eval(), **models}
    inputs = {name: torch.rand(1, 1, *reversed(input_size(model))) * 2 - 1 for name, model in models.items()}
    inputs["unet_256"] = torch.rand(1, 1, 256, 256) * 2 - 1
    times: dict[str, list[float]] = {name: [] for name in networks}
    for number in range(_ROUNDS + 2):
        for name, network in networks.items():
            start = time.perf_counter()
            network(inputs[name])
            if number >= 2:  # the first calls choose their kernels
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in times.items()}


def input_size(model: Colorizer) -> tuple[int, int]:
    """What a model sees of a 3:2 photograph, (width, height)."""
    return network_size(model, (600, 400))


def main() -> None:
    """Time all and print medians and ratios; exit code 1 if one takes more than half of the yardstick's time."""
    models = {name: load(name) for name in ZOO}
    times = medians(models)
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads, medians of {_ROUNDS}")
    print("| | parameters | input | ms | of unet_256's time |\n|---|---|---|---|---|")
    ratios = {name: taken / times["unet_256"] for name, taken in times.items()}
    for name, network in {"unet_256": PublishedUNet(), **models}.items():
        width, height = input_size(models[name]) if name in models else (256, 256)
        millions = sum(p.numel() for p in network.parameters()) / 1e6
        print(f"| {name} | {millions:.1f} M | {width}x{height} | {1e3 * times[name]:.0f} | {ratios[name]:.2f} |")
    sys.exit(any(ratio > 0.5 for name, ratio in ratios.items() if name in models))


if __name__ == "__main__":
    main()
