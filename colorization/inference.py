"""Pictures of any size in color: the input's own lightness at full size, the predicted ab on top.

`colorize` is the whole way. Its three steps are there for callers that color one picture with several models, or at
several strengths: `lightness` once per picture, `predict` once per model, `apply_color` once per strength. Callers that
steer the colors of a picture again and again call `encode` once per model, and `predict_from` for each guidance.
They give these the inside of the picture's border (`colorization.border`), and put the border back.
"""

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorization import border, lut
from colorization.guidance import Condition, Guidance
from colorization.keep_points import keep_points
from colorization.lab import AB_RANGE, fit_gamut, network_to_lab
from colorization.limits import MAX_STRENGTH
from colorization.moods import MOODS

if TYPE_CHECKING:
    from torch import Tensor

_LONGEST = 4  # the network sees at most this many working sizes of the long side; panoramas get less height

AB = NDArray[np.float32]
"""Predicted color in network units: a and b, (2, h, w), in [-1, 1]."""


class Network(Protocol):
    """What predicts color: a `colorization.colorizer.Colorizer` in torch, or an `onnx.model.OnnxColorizer` without."""

    @property
    def name(self) -> str:
        """What the model is called in the zoo."""

    @property
    def working_size(self) -> int:
        """Short side in pixels that it is run at."""

    @property
    def stride(self) -> int:
        """Height and width of its input are multiples of this."""

    @property
    def digest(self) -> str:
        """SHA-256 of its weights."""

    @property
    def takes_guidance(self) -> bool:
        """Whether points and moods can steer its colors."""

    def features(self, gray: NDArray[np.uint8]) -> Any:
        """Map gray levels, (B, 1, H, W), to what the model keeps of a picture whatever its guidance."""

    def infer(self, features: Any, condition: Condition | None = None) -> NDArray[np.float32]:
        """Map that and guidance to ab in network units, (B, 2, H, W), in [-1, 1].

        Raises:
            GuidanceError: If there is guidance and the model takes none.
        """

    def mood_logits(self, features: Any) -> NDArray[np.float32]:
        """Map what `features` gave to how plausible each mood of `colorization.moods.MOODS` is, (B, moods).

        Raises:
            GuidanceError: If the model takes no guidance.
        """


class Encoded(NamedTuple):
    """What a model keeps of a picture."""

    levels: NDArray[np.uint8]
    """The gray levels that it saw, (h, w)."""
    features: Any


def colorize(
    model: Network, picture: Image.Image, strength: float = 1.0, guidance: Guidance | None = None
) -> Image.Image:
    """Color a picture at its full size.

    The network sees it at the model's working size; only the color it predicts is enlarged, the lightness of the
    result is the input's own, pixel for pixel (colors that sRGB cannot show at that lightness become paler). A flat
    border around the picture, such as an album page, stays gray and is not shown to the network.

    Args:
        model: Any trained colorizer.
        picture: Any size and mode; color is ignored. EXIF orientation is not looked at, see `colorization.decode`.
        strength: What the predicted colors are multiplied by, 0 to 2: 0 is gray, 1 as predicted; more is more
            vivid, and further from the truth on average.
        guidance: Points of color and a mood, for a model that takes them.

    Returns:
        Mode RGB, of exactly the input's size, without metadata.

    Raises:
        FloatingPointError: If the model predicts NaN or infinite numbers.
        GuidanceError: If there is guidance and the model takes none.
        ValueError: If the strength is not a number of 0 to 2.
    """
    check_strength(strength)  # before the work
    light = lightness(picture)
    box = border.find(light)
    inside = border.crop(light, box)
    ab = predict(model, inside, guidance.within(box) if guidance else None)
    return border.put_back(apply_color(inside, ab, strength), light, box)


def lightness(picture: Image.Image) -> Image.Image:
    """The black-and-white version of a picture as one channel: for every pixel the gray of the same L*.

    Args:
        picture: Any size and mode.

    Returns:
        Mode L, of the same size, without metadata; what is gray keeps its level exactly.
    """
    if picture.mode in ("1", "L"):
        light = picture.convert("L")
        light.info = {}
        return light
    return lut.gray_levels(picture.convert("RGB"))


def gray(picture: Image.Image) -> Image.Image:
    """The black-and-white version of a picture: the same L*, no color; mode RGB."""
    return lightness(picture).convert("RGB")


def predict(model: Network, light: Image.Image, guidance: Guidance | None = None) -> AB:
    """Predict the color of a picture at the model's working size.

    Args:
        model: Any trained colorizer.
        light: Mode L, any size, see `lightness`.
        guidance: Points of color and a mood, for a model that takes them. Each point gets its color.

    Returns:
        ab in network units, (2, h, w), in [-1, 1], for `apply_color`.

    Raises:
        FloatingPointError: If the model predicts NaN or infinite numbers.
        GuidanceError: If there is guidance and the model takes none.
    """
    return predict_from(model, encode(model, light), guidance)


def encode(model: Network, light: Image.Image) -> Encoded:
    """Let a model look at a picture, at its working size.

    Args:
        model: Any trained colorizer.
        light: Mode L, any size, see `lightness`.

    Returns:
        For `predict_from`, with any guidance.
    """
    small = light.resize(network_size(model, light.size), Image.Resampling.LANCZOS, reducing_gap=3)
    levels = np.array(small)
    return Encoded(levels, model.features(levels[None, None]))


def predict_from(model: Network, encoded: Encoded, guidance: Guidance | None = None) -> AB:
    """Predict color as `predict` does, from what the same model has encoded; this costs its decoder alone."""
    condition = guidance.condition() if guidance else None
    ab = model.infer(encoded.features, condition)[0]
    if not np.isfinite(ab).all():
        raise FloatingPointError(f"{model.name} predicted colors that are not finite: its weights are damaged")
    return keep_points(ab, encoded.levels, condition) if guidance and guidance.points and condition else ab


def ranked_moods(model: Network, encoded: Encoded) -> list[str]:
    """The names of all moods, the most plausible for a picture first; raises GuidanceError if the model has none."""
    names = list(MOODS)
    return [names[index] for index in np.argsort(-model.mood_logits(encoded.features)[0], kind="stable")]


def apply_color(light: Image.Image, ab: AB, strength: float = 1.0) -> Image.Image:
    """Put predicted color on a picture's own lightness, at its full size.

    Args:
        light: Mode L, (W, H), see `lightness`.
        ab: ab in network units, (2, h, w) of any size; it is enlarged to (H, W).
        strength: What a and b are multiplied by, 0 to 2.

    Returns:
        Mode RGB, (W, H), without metadata. Colors that sRGB cannot show at their lightness become paler.

    Raises:
        ValueError: If the strength is not a number of 0 to 2.
    """
    check_strength(strength)
    if strength == 0 or not ab.any():
        return light.convert("RGB")  # exactly gray
    return lut.put_color(light, ab * np.float32(AB_RANGE * strength))


def check_strength(strength: float) -> None:
    """Refuse a strength of color that is not a number of 0 to 2; raises ValueError."""
    if not 0 <= strength <= MAX_STRENGTH:
        raise ValueError(f"the strength of color is {strength}, expected a number of 0 to {MAX_STRENGTH}")


def to_picture(L: "Tensor", ab: "Tensor") -> Image.Image:
    """Network units to a picture: L (1, H, W) and ab (2, H, W), both in [-1, 1]; inside the gamut at that lightness."""
    rgb = fit_gamut(network_to_lab(L.float().cpu(), ab.float().cpu()))
    return Image.fromarray((rgb * 255).round().byte().permute(1, 2, 0).numpy())


def network_size(model: Network, size: tuple[int, int]) -> tuple[int, int]:
    """The (width, height) at which a model looks at a picture of the given (width, height).

    The short side is the model's working size; both sides are rounded to multiples of its stride.
    """
    scale = min(model.working_size / min(size), _LONGEST * model.working_size / max(size))
    width, height = (max(1, round(side * scale / model.stride)) * model.stride for side in size)
    return width, height
