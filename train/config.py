"""The command line of the trainer: dataclasses, read by tyro."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from train.recipes.base import RecipeConfig
from train.recipes.cwgan import CWGANConfig
from train.recipes.pix2pix import Pix2PixConfig
from train.recipes.unet import UNetConfig


@dataclass(frozen=True)
class TrainOptions:
    """Train one colorizer, or all three one after the other."""

    recipe: Literal["pix2pix", "cwgan", "unet", "all"]
    """Which of the three to train."""
    output_dir: Path
    """Where the result goes: <output-dir>/<recipe>/."""
    dataset: str = "larrygzlb1994/lhq_256"
    """A Hub data set id, a folder of images, parquet files, pairs or Lab arrays, or a parquet glob."""
    split: str = "train"
    """Split of the data set."""
    image_column: str = "image"
    """Column that holds the pictures."""
    steps: int = 20_000
    """Optimization steps, one batch each."""
    size: int | None = None
    """Side of the training crops in pixels; the round's own if not given."""
    batch_size: int | None = None
    """Pictures per step and process; the round's own if not given."""
    init_from: str | None = None
    """Start from these weights: a model's name, a folder or a Hub repository id."""
    seed: int = 0
    """Seed of weights, order, crops and flips."""
    min_colorfulness: float = 8.0
    """Pictures less colorful (Hasler and Suesstrunk) teach gray: they are skipped and counted."""
    vary_lightness: bool = True
    """Change gamma, contrast, sharpness and grain of the input at random."""
    old_share: float = 0.15
    """Share of pictures whose lightness is made that of an old photograph: other film, faded, grainy, printed."""
    max_broken: float = 0.01
    """Share of undecodable pictures above which the run stops; they are skipped and counted."""
    lanes: int = 8
    """Parts that the data set is dealt into; a multiple of the number of processes, the same for a whole run."""
    workers: int = 1
    """Processes that decode, beside each training process; 0 decodes in the training process."""
    accumulate: int = 1
    """Work off each batch in so many parts, for less memory."""
    ema_decay: float = 0.999
    """Decay of the averaged weights, which are what is saved."""
    save_every: int = 500
    """Steps between checkpoints; the averaged weights and a contact sheet are written with them."""
    save_minutes: float = 10.0
    """Minutes after which a checkpoint is due all the same."""
    resume: bool = True
    """Resume where the output folder's last checkpoint is; --no-resume begins anew and removes it."""
    dry_run: bool = False
    """Show the data, the networks' sizes, ten steps' speed and memory and the projected time; then exit."""
    tracker: Literal["trackio", "tensorboard", "none"] = "trackio"
    """Where curves are logged besides training.json; both keep them in the output folder."""
    push_to_hub: str | None = None
    """Hub user or organization: measure each model when it is trained, and push it to <this>/<hub-prefix>-<recipe>."""
    hub_prefix: str = "landscape-colorization"
    """First part of the repositories' names."""
    private: bool = False
    """Make new repositories private."""
    evaluation_dataset: str | None = None
    """Photographs to measure on, while training and before a push; the training data set if not given."""
    evaluation_split: str = "validation"
    """Split to measure on; no model may have seen its photographs."""
    validation_pictures: int = 24
    """How many of them to measure at each checkpoint; 0 for none."""
    vgg_weights: Path | None = None
    """Local safetensors of the VGG that a perceptual loss needs; else it comes from the Hub."""
    pix2pix: Pix2PixConfig = field(default_factory=Pix2PixConfig)
    cwgan: CWGANConfig = field(default_factory=CWGANConfig)
    unet: UNetConfig = field(default_factory=UNetConfig)

    def __post_init__(self) -> None:
        """Refuse numbers that cannot train anything, before anything is loaded."""
        for name in ("steps", "save_every", "lanes", "accumulate"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name.replace('_', '-')} is {getattr(self, name)}, expected 1 or more")
        if not 0 <= self.old_share <= 1:
            raise ValueError(f"--old-share is {self.old_share}, expected 0 to 1")
        for name in ("size", "batch_size"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"--{name.replace('_', '-')} is {value}, expected 1 or more")

    def recipe_config(self, name: str) -> RecipeConfig:
        """The options of one recipe."""
        return {"pix2pix": self.pix2pix, "cwgan": self.cwgan, "unet": self.unet}[name]
