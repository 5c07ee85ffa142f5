"""Published networks as yardsticks of speed, by the layer tables of their papers, with random weights."""

import torch
from torch import Tensor, nn

_CHANNELS = (64, 128, 256, 512, 512, 512, 512, 512)  # Isola et al. 2017, section 6.1.1: C64-C128-C256-C512-...
SIZE = 256  # pixels a side, what both were published at


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


class Siggraph17(nn.Module):
    """The network of "Real-time user-guided colorization", as it is run without a user's hints.

    Source:
        Zhang et al. 2017, arXiv:1705.02999, section 3.4: ten blocks of 3x3 convolutions, each block after the first
        three on half the size, two of them dilated, three shortcuts. 34 M parameters.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = self._block(4, 64, count=2)
        self.conv2 = self._block(64, 128, count=2)
        self.conv3 = self._block(128, 256, count=3)
        self.conv4 = self._block(256, 512, count=3)
        self.conv5 = self._block(512, 512, count=3, dilation=2)
        self.conv6 = self._block(512, 512, count=3, dilation=2)
        self.conv7 = self._block(512, 512, count=3)
        self.up8, self.skip8 = self._up(512, 256), nn.Conv2d(256, 256, 3, padding=1)
        self.conv8 = nn.Sequential(nn.ReLU(), self._block(256, 256, count=2))
        self.up9, self.skip9 = self._up(256, 128), nn.Conv2d(128, 128, 3, padding=1)
        self.conv9 = nn.Sequential(nn.ReLU(), self._block(128, 128, count=1))
        self.up10, self.skip10 = self._up(128, 128), nn.Conv2d(64, 128, 3, padding=1)
        self.conv10 = nn.Sequential(nn.ReLU(), nn.Conv2d(128, 128, 3, padding=1), nn.LeakyReLU(0.2))
        self.head = nn.Sequential(nn.Conv2d(128, 2, 1), nn.Tanh())

    @staticmethod
    def _block(c_in: int, c_out: int, count: int, dilation: int = 1) -> nn.Sequential:
        layers: list[nn.Module] = []
        for number in range(count):
            channels = c_out if number else c_in
            layers += [nn.Conv2d(channels, c_out, 3, padding=dilation, dilation=dilation), nn.ReLU()]
        return nn.Sequential(*layers, nn.BatchNorm2d(c_out))

    @staticmethod
    def _up(c_in: int, c_out: int) -> nn.ConvTranspose2d:
        return nn.ConvTranspose2d(c_in, c_out, 4, stride=2, padding=1)

    def forward(self, L: Tensor) -> Tensor:
        """Map (B, 1, H, W) to (B, 2, H, W); H and W are multiples of 8."""
        hints = torch.zeros(L.shape[0], 3, *L.shape[2:])  # ab and a mask of where they are given
        first = self.conv1(torch.cat((L, hints), dim=1))
        second = self.conv2(first[:, :, ::2, ::2])
        third = self.conv3(second[:, :, ::2, ::2])
        x = self.conv7(self.conv6(self.conv5(self.conv4(third[:, :, ::2, ::2]))))
        x = self.conv8(self.up8(x) + self.skip8(third))
        x = self.conv9(self.up9(x) + self.skip9(second))
        return self.head(self.conv10(self.up10(x) + self.skip10(first)))
