"""Round 3: the convolutional U-Net trained with a perceptual loss."""

from torch import Tensor, nn

from colorization.colorizer import Colorizer
from colorization.models.blocks import double, norm, start_gray, up_and_join, widths


class UNet(Colorizer):
    """U-Net with 5x5 stride-2 convolutions on the way down and upsample + 3x3 convolution on the way up.

    The wide kernels see more of a sky or a slope per level; upsampling by interpolation leaves no checkerboard.
    ab is predicted at half resolution and doubled: colour needs no more, and it halves the time.
    """

    name = "unet"

    def __init__(self, width: int = 32, depth: int = 5, working_size: int = 320) -> None:
        super().__init__(width, depth, working_size)
        channels = widths(width, depth, cap=8)  # 32, 64, 128, 256, 256
        self.down = nn.ModuleList(
            self._layer(c_in, c_out, kernel=5, stride=2)
            for c_in, c_out in zip([1, *channels[:-1]], channels, strict=True)
        )
        self.up = nn.ModuleList(
            self._layer(below + skip, skip, kernel=3)
            for below, skip in zip(channels[:0:-1], channels[-2::-1], strict=True)
        )
        self.head = start_gray(nn.Conv2d(channels[0], 2, 3, padding=1))

    @staticmethod
    def _layer(c_in: int, c_out: int, kernel: int, stride: int = 1) -> nn.Sequential:
        conv = nn.Conv2d(c_in, c_out, kernel, stride=stride, padding=kernel // 2)
        return nn.Sequential(conv, norm(c_out), nn.ReLU())

    def predict(self, L: Tensor) -> Tensor:
        """Map L (B, 1, H, W) to ab before the final tanh, (B, 2, H, W)."""
        skips, x = [], L
        for down in self.down:
            x = down(x)
            skips.append(x)  # (B, channels[level], H / 2^(level+1), W / 2^(level+1))
        x = skips.pop()
        for up in self.up:
            x = up(up_and_join(x, skips.pop()))
        return double(self.head(x))
