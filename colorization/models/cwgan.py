"""Round 2: the residual U-Net of the conditional WGAN."""

from torch import Tensor, nn

from colorization.colorizer import Colorizer
from colorization.models.blocks import norm, start_gray, upsample, upsample_and_join, widths


class ResBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut; stride 2 halves the picture.

    Source:
        He et al. 2016, arXiv:1603.05027, figure 1b (full pre-activation).
    """

    def __init__(self, c_in: int, c_out: int, stride: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.body = nn.Sequential(
            norm(c_in),
            nn.ReLU(inplace=True),
            nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1),
            norm(c_out),
            nn.ReLU(inplace=True),
            nn.Dropout2d(dropout),
            nn.Conv2d(c_out, c_out, 3, padding=1),
        )
        pool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        project = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()
        self.shortcut = nn.Sequential(pool, project)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, c_in, H, W) to (B, c_out, H / stride, W / stride)."""
        return self.shortcut(x) + self.body(x)


class CWGAN(Colorizer):
    """U-Net of residual blocks with dropout in the decoder; ab is predicted at half resolution and upsampled."""

    name = "cwgan"

    def __init__(
        self, width: int = 32, depth: int = 5, working_size: int = 224, dropout: float = 0.1, cap: int = 6
    ) -> None:
        super().__init__(width, depth, working_size)
        self.dropout = dropout
        self.cap = cap
        channels = widths(width, depth, cap)  # 32, 64, 128, 192, 192
        self.stem = nn.Conv2d(1, channels[0], 3, stride=2, padding=1)
        self.encoder = nn.ModuleList(
            ResBlock(c_in, c_out, stride=2) for c_in, c_out in zip(channels[:-1], channels[1:], strict=True)
        )
        self.decoder = nn.ModuleList(
            ResBlock(below + skip, skip, dropout=dropout)
            for below, skip in zip(channels[:0:-1], channels[-2::-1], strict=True)
        )
        self.head = nn.Sequential(
            norm(channels[0]), nn.ReLU(inplace=True), start_gray(nn.Conv2d(channels[0], 2, 3, padding=1))
        )

    def encode(self, L: Tensor) -> list[Tensor]:
        """Map L (B, 1, H, W) to features (B, channels[i], H / 2^(i+1), W / 2^(i+1))."""
        features = [self.stem(L)]
        for block in self.encoder:
            features.append(block(features[-1]))
        return features

    def decode(self, features: list[Tensor], condition: None = None) -> Tensor:
        """Map the encoder's features to ab before the final tanh, (B, 2, H, W)."""
        *skips, x = features
        for block in self.decoder:
            x = block(upsample_and_join(x, skips.pop()))
        return upsample(self.head(x))
