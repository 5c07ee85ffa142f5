"""EfficientNet-Lite0 without its classifier: the U-Net's encoder."""

import torch.nn.functional as F
from torch import Tensor, nn

# One row per halving after the first; in it (kernel, expand_ratio, channels, repeats) of each stage, the first of which
# has stride 2. Half of the stages have 5x5 kernels.
_HALVINGS: tuple[tuple[tuple[int, int, int, int], ...], ...] = (
    ((3, 6, 24, 2),),
    ((5, 6, 40, 2),),
    ((3, 6, 80, 3), (5, 6, 112, 3)),
    ((5, 6, 192, 4), (3, 6, 320, 1)),
)
WIDTH = 32  # channels of the stem in the published network
HUB_ID = "timm/tf_efficientnet_lite0.in1k"  # the published network, trained on ImageNet


class Convolution(nn.Conv2d):
    """Convolution with bias, padded as the published weights expect: with stride 2 more to the right and below.

    The published network normalizes by batch after each convolution. With the running statistics frozen, so that
    every batch size and any number of processes mean the same network as the averaged weights that are published,
    that is a constant factor and offset per channel: `train.recipes.pretrained` folds them into weights and bias.
    """

    def __init__(self, c_in: int, c_out: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__(c_in, c_out, kernel, stride=stride, padding=kernel // 2 if stride == 1 else 0, groups=groups)
        self.pad = (kernel // 2 - 1, kernel // 2) * 2 if stride == 2 else ()  # left, right, top, bottom
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        nn.init.zeros_(self.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, c_in, H, W) to (B, c_out, H / stride, W / stride); stride 1 or 2."""
        return super().forward(F.pad(x, self.pad) if self.pad else x)


class MBConv(nn.Module):
    """Widen, filter each channel by itself, narrow; with a shortcut where the shape stays.

    Source:
        Sandler et al. 2018, arXiv:1801.04381, table 1; without squeeze and excitation, as in EfficientNet-Lite.
    """

    def __init__(self, c_in: int, c_out: int, kernel: int, expand_ratio: int, stride: int) -> None:
        super().__init__()
        wide = c_in * expand_ratio
        layers = [Convolution(c_in, wide), nn.ReLU6(inplace=True)] if expand_ratio > 1 else []
        layers += [
            Convolution(wide, wide, kernel, stride, groups=wide),
            nn.ReLU6(inplace=True),
            Convolution(wide, c_out),
        ]
        self.body = nn.Sequential(*layers)
        self.shortcut = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, c_in, H, W) to (B, c_out, H / stride, W / stride)."""
        return x + self.body(x) if self.shortcut else self.body(x)


class EfficientNetLite(nn.Module):
    """The stages of EfficientNet-Lite0, grouped by the halvings of the picture.

    The published network takes 8-bit RGB less 127 through 128. For a gray picture that is three times L (apart from the
    small difference between L* and sRGB's own curve); three equal channels are one, with kernels summed.

    Source:
        Tan and Le 2019, arXiv:1905.11946, table 1, in the Lite form of the TPU repository (ReLU6, no squeeze).

    Attributes:
        channels: Of the features after each halving.
    """

    def __init__(self, width: int, depth: int, c_in: int = 1) -> None:
        """Build the stages.

        Args:
            width: Channels of the stem, a multiple of 8; 32 in the published network.
            depth: How many times the picture is halved, 2 to 5.
            c_in: Channels of the input: 1 for L, 3 for RGB.

        Raises:
            ValueError: If there is no such network.
        """
        super().__init__()
        if width < 8 or width % 8 or not 2 <= depth <= len(_HALVINGS) + 1:
            raise ValueError(
                f"got width {width} and depth {depth}, "
                f"expected a width that is a multiple of 8 and a depth of 2 to {len(_HALVINGS) + 1}"
            )
        stem = [Convolution(c_in, width, 3, stride=2), nn.ReLU6(inplace=True)]
        c_in = 16 * width // WIDTH
        stem.append(MBConv(width, c_in, 3, expand_ratio=1, stride=1))
        self.stages, self.channels = nn.ModuleList([nn.Sequential(*stem)]), [c_in]
        for halving in _HALVINGS[: depth - 1]:
            blocks = []
            for stage, (kernel, expand_ratio, channels, repeats) in enumerate(halving):
                for repeat in range(repeats):
                    c_out, stride = channels * width // WIDTH, 2 if stage == repeat == 0 else 1
                    blocks.append(MBConv(c_in, c_out, kernel, expand_ratio, stride))
                    c_in = c_out
            self.stages.append(nn.Sequential(*blocks))
            self.channels.append(c_in)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map (B, c_in, H, W) in [-1, 1] to features (B, channels[i], H / 2^(i+1), W / 2^(i+1))."""
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features
