"""Degraded lightness, as in old photographs: other film, faded paper, a printer's screen, a soft lens, a poor scan."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from colorization.lab import network_to_rgb, rgb_to_network

_GAMMA = 0.35  # natural logarithm of the largest change of gamma
_CONTRAST = 0.2
_SHARPNESS = 1.0  # 1 is a whole 5x5 binomial blur, -1 as much sharpening
_CAMERA_GRAIN = 0.03  # largest standard deviation, L in [0, 1]

# What the lens sees is weighed by the film's sensitivity to red, green and blue before it is silver: blue-sensitive
# and orthochromatic film see no red, so that skies come out white and lips, bricks and rocks dark.
_FILMS = ((0.02, 0.28, 0.70), (0.08, 0.55, 0.37))
_FADED = (0.40, 0.25)  # how far black rises and white falls at most
_DARK_EDGE = 0.5  # how much light a corner loses at most
_GRAIN = 0.06  # largest standard deviation, L in [0, 1]
_SCREEN = (2.2, 5.0)  # pixels from dot to dot
# ITU-T T.81, table K.1: how coarsely JPEG rounds the luminance's frequencies at quality 50.
_QUANTA = (
    (16, 11, 10, 16, 24, 40, 51, 61), (12, 12, 14, 19, 26, 58, 60, 55), (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62), (18, 22, 37, 56, 68, 109, 103, 77), (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101), (72, 92, 95, 98, 112, 100, 103, 99),
)  # fmt: skip


def vary_lightness(L: Tensor) -> Tensor:
    """Change gamma, contrast, sharpness and grain of every picture of a batch, each at random.

    The photographs at hand come from few sources, mostly small and soft; a network that has seen only those takes
    their tone and softness for the world's. Only its input is changed, never the color that it has to find.

    Args:
        L: Lightness, (B, 1, H, W), in [-1, 1].

    Returns:
        Lightness of the same shape, in [-1, 1].
    """

    def uniform(low: float, high: float) -> Tensor:
        return torch.empty(len(L), 1, 1, 1, device=L.device).uniform_(low, high)

    light = ((L + 1) / 2).clamp(0, 1) ** uniform(-_GAMMA, _GAMMA).exp()
    light = 0.5 + (light - 0.5) * uniform(1 - _CONTRAST, 1 + _CONTRAST)
    light = torch.lerp(light, binomial_blur(light), uniform(-_SHARPNESS, _SHARPNESS))
    light = light + torch.randn_like(light) * uniform(0, _CAMERA_GRAIN)
    return light.clamp(0, 1) * 2 - 1


def degrade(L: Tensor, ab: Tensor, share: float) -> Tensor:
    """Make the lightness of some pictures of a batch that of old photographs of the same scene.

    Old photographs are not new ones without color, and networks that never saw any take faded sky for fog and grain
    for gravel. Each effect comes to each of the chosen pictures with a chance of a third, in the order in which light
    meets them. Sepia needs nothing: the networks are only given the lightness of what is uploaded.

    Args:
        L: Lightness, (B, 1, H, W), in [-1, 1].
        ab: True color, (B, 2, H, W), in [-1, 1]: films see it.
        share: Chance of each picture to be degraded, 0 to 1.

    Returns:
        Lightness of the same shape, in [-1, 1].
    """
    chosen = torch.rand(len(L), device=L.device) < share
    light, ab = (L[chosen] + 1) / 2, ab[chosen]
    for effect in (lambda x: _film(x, ab), _vignette, _soften, _halftone, _fade, _grain, _jpeg):
        applied = torch.rand(len(light), 1, 1, 1, device=L.device) < 1 / 3
        light = torch.where(applied, effect(light).clamp(0, 1), light)
    L = L.clone()
    L[chosen] = light * 2 - 1
    return L


def _film(light: Tensor, ab: Tensor) -> Tensor:
    """As a film with other eyes for color sees it."""
    rgb = network_to_rgb(light * 2 - 1, ab).clamp(0, 1)
    films = torch.tensor(_FILMS, device=light.device)[torch.randint(len(_FILMS), (len(light),), device=light.device)]
    exposed = (rgb**2.2 * films[:, :, None, None]).sum(1, keepdim=True)  # gamma 2.2 stands for sRGB's curve
    L, _ = rgb_to_network((exposed ** (1 / 2.2)).expand(-1, 3, -1, -1))
    return (L + 1) / 2


def _vignette(light: Tensor) -> Tensor:
    """Dark towards the corners."""
    rows, columns = (torch.linspace(-1, 1, side, device=light.device) for side in light.shape[2:])
    distance = (rows[:, None] ** 2 + columns**2) / 2
    return light * (1 - _uniform(light, 0, _DARK_EDGE) * distance)


def _soften(light: Tensor) -> Tensor:
    """Out of focus."""
    return torch.lerp(light, binomial_blur(binomial_blur(light)), _uniform(light, 0, 1))


def _halftone(light: Tensor) -> Tensor:
    """A printer's screen of dots, at any angle, more or less dissolved by the scan."""
    angle, period = _uniform(light, 0, math.pi / 2), _uniform(light, *_SCREEN)
    rows, columns = (torch.arange(side, device=light.device) * 2 * math.pi for side in light.shape[2:])
    u = (rows[:, None] * angle.cos() + columns * angle.sin()) / period
    v = (columns * angle.cos() - rows[:, None] * angle.sin()) / period
    printed = torch.sigmoid(6 * (2 * light - 1 + u.cos() * v.cos()))
    return torch.lerp(light, printed, _uniform(light, 0, 0.5))


def _fade(light: Tensor) -> Tensor:
    """Black that has risen and white that has yellowed."""
    black, white = _uniform(light, 0, _FADED[0]), 1 - _uniform(light, 0, _FADED[1])
    return black + light * (white - black)


def _grain(light: Tensor) -> Tensor:
    """Silver's grain, finer or coarser."""
    noise = torch.randn_like(light)
    coarse = 2 * binomial_blur(noise)
    return light + _uniform(light, 0, _GRAIN) * torch.lerp(noise, coarse, _uniform(light, 0, 1))


def _jpeg(light: Tensor) -> Tensor:
    """Saved at a JPEG quality of 10 to 60."""
    return jpeg(light, _uniform(light, 10, 60))


def jpeg(light: Tensor, quality: Tensor) -> Tensor:
    """What JPEG leaves of lightness: 8x8 cosine transforms, rounded.

    Args:
        light: (B, 1, H, W), in [0, 1].
        quality: (B, 1, 1, 1), 1 to 99, on the Independent JPEG Group's scale.

    Returns:
        Lightness of the same shape, not quite in [0, 1].

    Source:
        ITU-T T.81, A.3.3 and A.3.4.
    """
    number = torch.arange(8, device=light.device)
    cosines = torch.cos((2 * number + 1) * number[:, None] * math.pi / 16) / 2
    cosines[0] /= math.sqrt(2)
    scale = torch.where(quality < 50, 50 / quality, 2 - quality / 50)[..., None, None]
    quanta = (torch.tensor(_QUANTA, device=light.device) * scale).round().clamp(1, 255) / 255
    height, width = light.shape[2:]
    whole = F.pad(light, (0, -width % 8, 0, -height % 8), mode="replicate")
    blocks = whole.unfold(2, 8, 8).unfold(3, 8, 8) - 128 / 255  # (B, 1, H / 8, W / 8, 8, 8)
    rounded = (cosines @ blocks @ cosines.T / quanta).round() * quanta
    pixels = cosines.T @ rounded @ cosines + 128 / 255
    return pixels.transpose(3, 4).reshape(whole.shape)[..., :height, :width]


def _uniform(like: Tensor, low: float, high: float) -> Tensor:
    """A random number for each picture, (B, 1, 1, 1)."""
    return torch.empty(len(like), 1, 1, 1, device=like.device).uniform_(low, high)


def binomial_blur(x: Tensor) -> Tensor:
    """5x5 binomial blur of (B, 1, H, W)."""
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], device=x.device, dtype=x.dtype) / 16
    x = F.conv2d(F.pad(x, (2, 2, 2, 2), mode="replicate"), row.view(1, 1, 1, 5))
    return F.conv2d(x, row.view(1, 1, 5, 1))
