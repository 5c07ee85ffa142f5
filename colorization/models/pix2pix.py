"""Round 1: the U-Net of pix2pix."""

import torch
from torch import Tensor, nn

from colorization.colorizer import Colorizer
from colorization.models.blocks import norm, start_gray, widths


class Pix2Pix(Colorizer):
    """U-Net of plain 4x4 stride-2 Conv2d down and ConvTranspose2d up, with skip connections, without dropout.

    Source:
        Isola et al. 2017, arXiv:1611.07004, section 6.1.1, with group instead of batch normalization.
    """

    name = "pix2pix"

    def __init__(self, width: int = 32, depth: int = 5, working_size: int = 256, cap: int = 8) -> None:
        super().__init__(width, depth, working_size)
        self.cap = cap
        channels = widths(width, depth, cap)  # 32, 64, 128, 256, 256
        self.encoder = nn.ModuleList(
            self._encode(c_in, c_out, first=level == 0)
            for level, (c_in, c_out) in enumerate(zip([1, *channels[:-1]], channels, strict=True))
        )
        # Every level but the lowest takes the level below joined with its own encoder features.
        ins = [channels[-1], *(2 * c for c in channels[-2::-1])]
        self.decoder = nn.ModuleList(
            self._decode(c_in, c_out) for c_in, c_out in zip(ins[:-1], channels[-2::-1], strict=True)
        )
        self.head = start_gray(nn.ConvTranspose2d(ins[-1], 2, 4, stride=2, padding=1))

    @staticmethod
    def _encode(c_in: int, c_out: int, first: bool) -> nn.Sequential:
        conv = nn.Conv2d(c_in, c_out, 4, stride=2, padding=1)
        return nn.Sequential(conv, *([] if first else [norm(c_out)]), nn.LeakyReLU(0.2, inplace=True))

    @staticmethod
    def _decode(c_in: int, c_out: int) -> nn.Sequential:
        return nn.Sequential(
            nn.ConvTranspose2d(c_in, c_out, 4, stride=2, padding=1), norm(c_out), nn.ReLU(inplace=True)
        )

    def encode(self, L: Tensor) -> list[Tensor]:
        """Map L (B, 1, H, W) to features (B, channels[i], H / 2^(i+1), W / 2^(i+1))."""
        features, x = [], L
        for layer in self.encoder:
            x = layer(x)
            features.append(x)
        return features

    def decode(self, features: list[Tensor], condition: None = None) -> Tensor:
        """Map the encoder's features to ab before the final tanh, (B, 2, H, W)."""
        *skips, x = features
        for layer in self.decoder:
            x = torch.cat((layer(x), skips.pop()), dim=1)
        return self.head(x)
