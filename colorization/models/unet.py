"""Round 3: the convolutional U-Net trained with a perceptual loss."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from colorization.colorizer import Colorizer
from colorization.guidance import Condition
from colorization.models.blocks import norm, start_gray, upsample, upsample_and_join
from colorization.models.efficientnet_lite import EfficientNetLite
from colorization.models.guided import Guided


class DecoderLayer(nn.Sequential):
    """3x3 convolution, normalization and ReLU, with what points add before the normalization and a mood after it."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__(nn.Conv2d(c_in, c_out, 3, padding=1), norm(c_out), nn.ReLU(inplace=True))

    def forward(self, x: Tensor, points: Tensor | None = None, mood: Tensor | None = None) -> Tensor:
        """Map (B, c_in, H, W), and additions of (B, c_out, H, W) and (B, c_out, 1, 1), to (B, c_out, H, W)."""
        x = self[0](x)
        x = self[1](x if points is None else x + points)
        return self[2](x if mood is None else x + mood)


class UNet(Colorizer):
    """U-Net with EfficientNet-Lite0's 3x3 and 5x5 stages as encoder, upsampling + 3x3 convolution as decoder.

    The encoder is pretrained on ImageNet, which teaches more about objects than a few thousand landscapes can; 5x5
    kernels give a larger receptive field per level; upsampling by interpolation avoids checkerboard artifacts. ab is
    predicted at half resolution and upsampled: color needs no more, and it halves the time.
    """

    name = "unet"

    def __init__(self, width: int = 32, depth: int = 5, working_size: int = 320, guided: bool = False) -> None:
        super().__init__(width, depth, working_size)
        self.encoder = EfficientNetLite(width, depth)
        skips = self.encoder.channels[-2::-1]
        outs = [width * min(4, 2**level) for level in range(depth - 1)][::-1]  # 128, 128, 64, 32
        ins = [self.encoder.channels[-1], *outs[:-1]]
        self.decoder = nn.ModuleList(
            DecoderLayer(below + skip, c_out) for below, skip, c_out in zip(ins, skips, outs, strict=True)
        )
        self.head = start_gray(nn.Conv2d(outs[-1], 2, 3, padding=1))
        self.guidance = Guided(self.encoder.channels, outs) if guided else None
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a fifth faster on processors

    def encode(self, L: Tensor) -> list[Tensor]:
        """Map L (B, 1, H, W) to features (B, encoder.channels[i], H / 2^(i+1), W / 2^(i+1))."""
        return self.encoder(L)

    @property
    def takes_guidance(self) -> bool:
        """Whether it was made to."""
        return self.guidance is not None

    def decode(self, features: list[Tensor], condition: Condition | None = None) -> Tensor:
        """Map the encoder's features, and guidance, to ab before the final tanh, (B, 2, H, W)."""
        points = self.guidance.by_points(features, condition) if self.guidance and condition else None
        moods = self.guidance.by_mood(condition) if self.guidance and condition else None
        *skips, x = features
        for level, layer in enumerate(self.decoder):
            x = layer(upsample_and_join(x, skips.pop()), points and points[level], moods and moods[level])
        return upsample(self.head(x).contiguous())  # two channels are upsampled faster in planes

    @torch.inference_mode()
    def mood_logits(self, features: list[Tensor]) -> NDArray[np.float32]:
        """Map features to how plausible each mood of `colorization.moods.MOODS` is, (B, moods)."""
        return self.guidance.rank_moods(features).cpu().numpy() if self.guidance else super().mood_logits(features)
