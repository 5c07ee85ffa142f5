"""sRGB and CIE Lab, both ways, in torch: the only place that knows color constants.

Three units meet here and nowhere else:
    rgb         sRGB in [0, 1], (..., 3, H, W)
    lab         CIE units (D65, 2 degree observer), L* in 0..100, a* and b* about +-110, (..., 3, H, W)
    L, ab       network units, both in [-1, 1], (..., 1, H, W) and (..., 2, H, W)

All functions are differentiable with finite gradients, at black, white and the pure primaries too,
because the perceptual losses train through them.
"""

import torch
from torch import Tensor

# IEC 61966-2-1 primaries and the D65 white point with the digits scikit-image uses, so that both agree.
_XYZ_FROM_RGB = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
_WHITE = (0.95047, 1.0, 1.08883)
_L_HALF_RANGE = 50.0
AB_RANGE = 110.0
_GAMUT_STEPS = 12


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """Convert sRGB to CIE Lab.

    Args:
        rgb: sRGB, (..., 3, H, W), in [0, 1].

    Returns:
        lab, (..., 3, H, W), L* in 0..100, a* and b* in about +-110.

    Raises:
        ValueError: If the third dimension from the end is not 3.

    Source:
        IEC 61966-2-1 for sRGB, CIE 15:2004 equations 8.3 to 8.8 for Lab.
    """
    _check_channels(rgb, 3, "rgb")
    xyz = _mix(_linear(rgb), torch.tensor(_XYZ_FROM_RGB)) / _column(_WHITE, rgb)
    # The clamp inside the branch that is not taken keeps the cube root's infinite slope at 0 out of the gradient.
    f = torch.where(xyz > 0.008856, xyz.clamp(min=0.008856) ** (1 / 3), 7.787 * xyz + 16 / 116)
    fx, fy, fz = f.unbind(-3)
    return torch.stack((116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)), dim=-3)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """Convert CIE Lab to sRGB; colors outside the sRGB gamut come out outside [0, 1].

    Args:
        lab: (..., 3, H, W), L* in 0..100.

    Returns:
        rgb, (..., 3, H, W); not clipped, so that gradients live and callers choose (see `fit_gamut`).

    Raises:
        ValueError: If the third dimension from the end is not 3.

    Source:
        The inverse of `rgb_to_lab`.
    """
    _check_channels(lab, 3, "lab")
    lightness, a, b = lab.unbind(-3)
    fy = (lightness + 16) / 116
    f = torch.stack((fy + a / 500, fy, fy - b / 200), dim=-3)
    xyz = torch.where(f > 0.2068966, f**3, (f - 16 / 116) / 7.787) * _column(_WHITE, lab)
    linear = _mix(xyz, torch.linalg.inv(torch.tensor(_XYZ_FROM_RGB, dtype=torch.float64)))
    return torch.where(linear > 0.0031308, 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055, 12.92 * linear)


def luminance(rgb: Tensor) -> Tensor:
    """Convert sRGB to relative luminance, the Y of XYZ; L* is a function of it alone.

    Args:
        rgb: sRGB, (..., 3, H, W), in [0, 1].

    Returns:
        (..., 1, H, W), 0 for black, 1 for white; the luminances of the three primaries add up.
    """
    return _mix(_linear(rgb), torch.tensor(_XYZ_FROM_RGB[1:2], dtype=torch.float64))


def rgb_to_network(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """Split sRGB into what the networks see and what they predict.

    Args:
        rgb: sRGB, (..., 3, H, W), in [0, 1].

    Returns:
        L, (..., 1, H, W), and ab, (..., 2, H, W), both in [-1, 1].
    """
    lab = rgb_to_lab(rgb)
    return lab[..., :1, :, :] / _L_HALF_RANGE - 1, lab[..., 1:, :, :] / AB_RANGE


def network_to_lab(L: Tensor, ab: Tensor) -> Tensor:
    """Join network units into CIE Lab.

    Args:
        L: (..., 1, H, W), in [-1, 1].
        ab: (..., 2, H, W), in [-1, 1].

    Returns:
        lab, (..., 3, H, W).
    """
    return torch.cat(((L + 1) * _L_HALF_RANGE, ab * AB_RANGE), dim=-3)


def network_to_rgb(L: Tensor, ab: Tensor) -> Tensor:
    """Join network units into sRGB; see `lab_to_rgb` for colors outside the gamut."""
    return lab_to_rgb(network_to_lab(L, ab))


def fit_gamut(lab: Tensor) -> Tensor:
    """Pull colors outside the sRGB gamut towards gray until they fit; L* and hue stay.

    Plain clipping of RGB moves lightness by up to 40 L*. Here only the chroma gives way, by bisection of its
    scale, and only for the pixels that need it.

    Args:
        lab: (..., 3, H, W), L* in 0..100.

    Returns:
        rgb, (..., 3, H, W), in [0, 1]. Not for training: the bisection has no useful gradient.
    """
    rgb = lab_to_rgb(lab)
    outside = ((rgb < 0) | (rgb > 1)).any(dim=-3)
    if outside.any():
        pixels = lab.movedim(-3, -1)[outside].T[:, :, None]  # (3, N, 1)
        low, high = torch.zeros_like(pixels[:1]), torch.ones_like(pixels[:1])
        for _ in range(_GAMUT_STEPS):
            scale = (low + high) / 2
            trial = lab_to_rgb(torch.cat((pixels[:1], pixels[1:] * scale)))
            fits = ((trial >= 0) & (trial <= 1)).all(dim=0, keepdim=True)
            low, high = torch.where(fits, scale, low), torch.where(fits, high, scale)
        rgb = rgb.movedim(-3, -1).clone()
        rgb[outside] = lab_to_rgb(torch.cat((pixels[:1], pixels[1:] * low)))[:, :, 0].T
        rgb = rgb.movedim(-1, -3)
    return rgb.clamp(0, 1)


def _linear(rgb: Tensor) -> Tensor:
    """Undo the transfer curve of sRGB."""
    return torch.where(rgb > 0.04045, ((rgb.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4, rgb / 12.92)


def _mix(channels: Tensor, matrix: Tensor) -> Tensor:
    """Apply a matrix of three columns to the channel dimension."""
    return torch.einsum("oc,...chw->...ohw", matrix.to(channels), channels)


def _column(values: tuple[float, ...], like: Tensor) -> Tensor:
    """Shape three numbers (3, 1, 1) so that they broadcast over an image."""
    return torch.tensor(values, dtype=like.dtype, device=like.device).view(-1, 1, 1)


def _check_channels(image: Tensor, channels: int, name: str) -> None:
    """Refuse images whose channels are not third from the end."""
    if image.dim() < 3 or image.shape[-3] != channels:
        raise ValueError(
            f"{name} has shape {tuple(image.shape)}, expected (..., {channels}, H, W): "
            "put the channels before height and width"
        )
