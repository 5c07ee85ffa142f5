"""sRGB and CIE Lab, both ways, for tensors of torch and arrays of numpy: the only place that knows color constants.

Three units meet here and nowhere else:
    rgb         sRGB in [0, 1], (..., 3, H, W)
    lab         CIE units (D65, 2 degree observer), L* in 0..100, a* and b* about +-110, (..., 3, H, W)
    L, ab       network units, both in [-1, 1], (..., 1, H, W) and (..., 2, H, W)

Each function returns the kind, type and device that it is given, and runs without torch where it is given arrays. In
torch all are differentiable with finite gradients, at black, white and the pure primaries too, because the perceptual
losses train through them.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import array_api_compat.numpy  # noqa: F401 - array_namespace would import it in the time of the first picture
import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Array = TypeVar("Array", "Tensor", NDArray[Any])

# IEC 61966-2-1 primaries and the D65 white point with the digits scikit-image uses, so that both agree.
_XYZ_FROM_RGB = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
_WHITE = (0.95047, 1.0, 1.08883)
# Lab is computed with single precision's digits in double precision too: the lookup tables came from them so far, and
# with others a pixel in some million would be another level.
_XYZ_FROM_RGB_SINGLE = np.array(_XYZ_FROM_RGB, np.float32).tolist()
_RGB_FROM_XYZ = np.linalg.inv(_XYZ_FROM_RGB).tolist()
_L_HALF_RANGE = 50.0
AB_RANGE = 110.0
_GAMUT_STEPS = 12


def rgb_to_lab(rgb: Array) -> Array:
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
    xp = array_namespace(rgb)
    xyz = _mix(_linear(rgb), _XYZ_FROM_RGB_SINGLE) / _column(_WHITE, rgb)
    # The clamp inside the branch that is not taken keeps the cube root's infinite slope at 0 out of the gradient.
    f = xp.where(xyz > 0.008856, xp.clip(xyz, min=0.008856) ** (1 / 3), 7.787 * xyz + 16 / 116)
    fx, fy, fz = xp.unstack(f, axis=-3)
    return xp.stack((116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)), axis=-3)


def lab_to_rgb(lab: Array) -> Array:
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
    xp = array_namespace(lab)
    lightness, a, b = xp.unstack(lab, axis=-3)
    fy = (lightness + 16) / 116
    f = xp.stack((fy + a / 500, fy, fy - b / 200), axis=-3)
    xyz = xp.where(f > 0.2068966, f * f * f, (f - 16 / 116) / 7.787) * _column(_WHITE, lab)
    linear = _mix(xyz, _RGB_FROM_XYZ)
    return xp.where(linear > 0.0031308, 1.055 * xp.clip(linear, min=0.0031308) ** (1 / 2.4) - 0.055, 12.92 * linear)


def luminance(rgb: Array) -> Array:
    """Convert sRGB to relative luminance, the Y of XYZ; L* is a function of it alone.

    Args:
        rgb: sRGB, (..., 3, H, W), in [0, 1].

    Returns:
        (..., 1, H, W), 0 for black, 1 for white; the luminances of the three primaries add up.
    """
    return _mix(_linear(rgb), _XYZ_FROM_RGB[1:2])


def rgb_to_network(rgb: Array) -> tuple[Array, Array]:
    """Split sRGB into what the networks see and what they predict.

    Args:
        rgb: sRGB, (..., 3, H, W), in [0, 1].

    Returns:
        L, (..., 1, H, W), and ab, (..., 2, H, W), both in [-1, 1].
    """
    lab = rgb_to_lab(rgb)
    return lab[..., :1, :, :] / _L_HALF_RANGE - 1, lab[..., 1:, :, :] / AB_RANGE


def gray_to_network(gray: Array) -> Array:
    """Find what the networks see of grays: sRGB of equal channels, (N,) in [0, 1], to L, (N,) in [-1, 1]."""
    L, _ = rgb_to_network(array_namespace(gray).broadcast_to(gray, (3, 1, gray.shape[0])))
    return L[0, 0]


def network_to_lab(L: Array, ab: Array) -> Array:
    """Join network units into CIE Lab.

    Args:
        L: (..., 1, H, W), in [-1, 1].
        ab: (..., 2, H, W), in [-1, 1].

    Returns:
        lab, (..., 3, H, W).
    """
    return array_namespace(L, ab).concat(((L + 1) * _L_HALF_RANGE, ab * AB_RANGE), axis=-3)


def network_to_rgb(L: Array, ab: Array) -> Array:
    """Join network units into sRGB; see `lab_to_rgb` for colors outside the gamut."""
    return lab_to_rgb(network_to_lab(L, ab))


def fit_gamut(lab: Array) -> Array:
    """Pull colors outside the sRGB gamut towards gray until they fit; L* and hue stay.

    Plain clipping of RGB moves lightness by up to 40 L*. Here only the chroma gives way, by bisection of its
    scale, and only for the pixels that need it.

    Args:
        lab: (..., 3, H, W), L* in 0..100.

    Returns:
        rgb, (..., 3, H, W), in [0, 1]. Not for training: the bisection has no useful gradient.
    """
    xp = array_namespace(lab)
    rgb = lab_to_rgb(lab)
    outside = xp.any((rgb < 0) | (rgb > 1), axis=-3)
    if xp.any(outside):
        pixels = xp.moveaxis(lab, -3, -1)[outside].T[:, :, None]  # (3, N, 1)
        low, high = xp.zeros_like(pixels[:1]), xp.ones_like(pixels[:1])
        for _ in range(_GAMUT_STEPS):
            scale = (low + high) / 2
            trial = lab_to_rgb(xp.concat((pixels[:1], pixels[1:] * scale), axis=0))
            fits = xp.all((trial >= 0) & (trial <= 1), axis=0, keepdims=True)
            low, high = xp.where(fits, scale, low), xp.where(fits, high, scale)
        rgb = xp.asarray(xp.moveaxis(rgb, -3, -1), copy=True)
        rgb[outside] = lab_to_rgb(xp.concat((pixels[:1], pixels[1:] * low), axis=0))[:, :, 0].T
        rgb = xp.moveaxis(rgb, -1, -3)
    return xp.clip(rgb, 0, 1)


def _linear(rgb: Array) -> Array:
    """Undo the transfer curve of sRGB."""
    xp = array_namespace(rgb)
    return xp.where(rgb > 0.04045, ((xp.clip(rgb, min=0.04045) + 0.055) / 1.055) ** 2.4, rgb / 12.92)


def _mix(channels: Array, matrix: Sequence[Sequence[float]]) -> Array:
    """Apply a matrix of three columns to the channel dimension."""
    xp = array_namespace(channels)
    weights = xp.asarray(matrix, dtype=channels.dtype, device=device(channels))
    return xp.einsum("oc,...chw->...ohw", weights, channels)


def _column(values: Sequence[float], like: Array) -> Array:
    """Shape three numbers (3, 1, 1) so that they broadcast over an image."""
    return array_namespace(like).asarray(values, dtype=like.dtype, device=device(like)).reshape(-1, 1, 1)


def _check_channels(image: Array, channels: int, name: str) -> None:
    """Refuse images whose channels are not third from the end."""
    if image.ndim < 3 or image.shape[-3] != channels:
        raise ValueError(
            f"{name} has shape {tuple(image.shape)}, expected (..., {channels}, H, W): "
            "put the channels before height and width"
        )
