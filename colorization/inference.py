"""Any picture in, the same picture in color out: its own lightness at full size, the model's ab on top."""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from colorization.colorizer import Colorizer
from colorization.lab import fit_gamut, network_to_lab, rgb_to_network

MAX_STRENGTH = 2  # of color; beyond it most colors are at the edge of what sRGB can show
_LONGEST = 4  # the network sees at most this many working sizes of the long side; panoramas get less height
_STRIP_PIXELS = 1_000_000  # full-size color conversion goes strip by strip: memory stays that of a small picture


@torch.inference_mode()
def colorize(model: Colorizer, picture: Image.Image, strength: float = 1.0) -> Image.Image:
    """Color a picture at its full size.

    The network sees it at the model's working size; only the color it predicts is enlarged, the lightness of the
    result is the input's own, pixel for pixel (colors that sRGB cannot show at that lightness become paler).

    Args:
        model: Any trained colorizer.
        picture: Any size and mode; color is ignored. EXIF orientation is not looked at, see `colorization.decode`.
        strength: What the predicted colors are multiplied by, 0 to 2: 0 is gray, 1 as predicted; more is more
            vivid, and further from the truth on average.

    Returns:
        Mode RGB, of exactly the input's size, without metadata.

    Raises:
        FloatingPointError: If the model predicts NaN or infinite numbers.
        ValueError: If the strength is not a number of 0 to 2.
    """
    if not 0 <= strength <= MAX_STRENGTH:
        raise ValueError(f"the strength of color is {strength}, expected a number of 0 to {MAX_STRENGTH}")
    rgb = picture.convert("RGB")
    device = next(model.parameters()).device
    small = rgb.resize(network_size(model, rgb.size), Image.Resampling.LANCZOS, reducing_gap=3)
    L, _ = rgb_to_network(_to_tensor(np.asarray(small)).to(device)[None])
    ab = model(L).float().cpu() * strength
    if not ab.isfinite().all():
        raise FloatingPointError(f"{model.name} predicted colors that are not finite: its weights are damaged")
    ab = F.interpolate(ab, size=(rgb.height, rgb.width), mode="bilinear", align_corners=False)[0]
    pixels = np.array(rgb)
    for rows in _strips(pixels):
        light, _ = rgb_to_network(_to_tensor(pixels[rows]))
        pixels[rows] = _to_pixels(light, ab[:, rows])
    return Image.fromarray(pixels)


def gray(picture: Image.Image) -> Image.Image:
    """The black-and-white version of a picture: the same L*, no color; mode RGB."""
    pixels = np.array(picture.convert("RGB"))
    for rows in _strips(pixels):
        light, ab = rgb_to_network(_to_tensor(pixels[rows]))
        # One channel for all three: D65 rounded to five digits leaves them up to one level apart.
        pixels[rows] = _to_pixels(light, torch.zeros_like(ab))[..., 1:2]
    return Image.fromarray(pixels)


def to_picture(L: Tensor, ab: Tensor) -> Image.Image:
    """Network units to a picture: L (1, H, W) and ab (2, H, W), both in [-1, 1]."""
    return Image.fromarray(_to_pixels(L.float().cpu(), ab.float().cpu()))


def network_size(model: Colorizer, size: tuple[int, int]) -> tuple[int, int]:
    """The (width, height) at which a model looks at a picture of the given (width, height).

    The short side is the model's working size; both sides are rounded to multiples of its stride.
    """
    scale = min(model.working_size / min(size), _LONGEST * model.working_size / max(size))
    width, height = (max(1, round(side * scale / model.stride)) * model.stride for side in size)
    return width, height


def _strips(pixels: np.ndarray) -> list[slice]:
    """Cut (H, W, 3) into runs of rows of about a megapixel."""
    height = max(1, _STRIP_PIXELS // pixels.shape[1])
    return [slice(top, top + height) for top in range(0, pixels.shape[0], height)]


def _to_tensor(pixels: np.ndarray) -> Tensor:
    """uint8 (H, W, 3) to float (3, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(pixels)).permute(2, 0, 1).float() / 255


def _to_pixels(L: Tensor, ab: Tensor) -> np.ndarray:
    """Network units (1, H, W) and (2, H, W) to uint8 (H, W, 3), inside the gamut at that lightness."""
    rgb = fit_gamut(network_to_lab(L, ab))
    return (rgb * 255).round().byte().permute(1, 2, 0).numpy()
