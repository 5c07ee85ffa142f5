"""Projected discriminator: colored pictures are judged by the features that a frozen ImageNet network finds in them."""

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from colorization.models.blocks import enlarged
from colorization.models.efficientnet_lite import EfficientNetLite

_CHANNELS = 48
_STRIDED = (0, 1, 2, 2)  # convolutions of stride 2 in each head, from 1/32 to 1/4 of the size


class ProjectedFeatures(nn.Module):
    """Features of EfficientNet-Lite0 at 1/32 to 1/4 of the size, mixed at random across channels and scales; frozen.

    A head could follow a single channel that gives colored pictures away; of mixtures it must look at all.

    Source:
        Sauer et al. 2021, arXiv:2111.01007, section 3.2, with features scaled to a mean square of 1.
    """

    def __init__(self, network: EfficientNetLite) -> None:
        """Draw the mixtures, which a checkpoint has to hold.

        Args:
            network: For RGB, with its ImageNet weights.
        """
        super().__init__()
        self.network = network
        channels = network.channels[:0:-1]  # from 1/32 to 1/4 of the size
        self.across_channels = nn.ModuleList(nn.Conv2d(c, _CHANNELS, 1, bias=False) for c in channels)
        convolutions = (nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1, bias=False) for _ in channels)
        self.across_scales = nn.ModuleList(convolutions)
        for weight in (*self.across_channels.parameters(), *self.across_scales.parameters()):
            nn.init.kaiming_normal_(weight, nonlinearity="linear")
        self.requires_grad_(False).eval()

    def forward(self, rgb: Tensor) -> list[Tensor]:
        """Map rgb (B, 3, H, W) in [0, 1] to features (B, 48, H / 32, W / 32) to (B, 48, H / 4, W / 4)."""
        features = self.network((rgb * 255 - 127) / 128)[:0:-1]
        mixed: list[Tensor] = []
        for x, channels, scales in zip(features, self.across_channels, self.across_scales, strict=True):
            y = channels(_scaled(x))
            if mixed:
                y = y + enlarged(mixed[-1], y.shape[2:])
            mixed.append(_scaled(scales(y)))
        return mixed


class ProjectedHeads(nn.Module):
    """Logits or scores for projected features, one small network per scale.

    Source:
        Sauer et al. 2021, arXiv:2111.01007, section 3.1: one discriminator per scale.
    """

    def __init__(self, normalize: bool) -> None:
        """Build the heads.

        Args:
            normalize: Whether weights have spectral norm, which a critic with a gradient penalty does without.
        """
        super().__init__()

        def convolution(c_out: int, stride: int = 1) -> nn.Module:
            layer = nn.Conv2d(_CHANNELS, c_out, 3, stride=stride, padding=1)
            return spectral_norm(layer) if normalize else layer

        def head(strided: int) -> nn.Sequential:
            layers: list[nn.Module] = []
            for stride in (*[2] * strided, 1):
                layers += [convolution(_CHANNELS, stride), nn.LeakyReLU(0.2)]
            return nn.Sequential(*layers, convolution(1))

        self.heads = nn.ModuleList(map(head, _STRIDED))

    def forward(self, *features: Tensor) -> Tensor:
        """Map the features of `ProjectedFeatures` to (B, places of all scales), in fp32 as for `Critic`."""
        with torch.autocast(features[0].device.type, enabled=False):
            return torch.cat([head(x).flatten(1) for head, x in zip(self.heads, features, strict=True)], dim=1)


def _scaled(x: Tensor) -> Tensor:
    """Scale the features of each picture to a mean square of 1."""
    return x / x.square().mean(dim=(1, 2, 3), keepdim=True).sqrt().clamp(min=1e-3)
