"""Options of the trainer: the command line, in groups, and what one run is made from.

Nothing here imports torch, so that `--help` and a mistake in the options are answered at once.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, make_dataclass
from pathlib import Path
from typing import Any, Literal

import tyro
from tyro.conf import OmitArgPrefixes

from train.bounds import bounded, check_bounds
from train.recipes import RECIPES
from train.recipes.configs import OptimizationOptions, RecipeConfig

ALL = "all"


@dataclass(frozen=True)
class DataOptions:
    """What is learned from."""

    dataset: str = "larrygzlb1994/lhq_256"
    """A Hub data set id; a folder of pictures, zip, tar or parquet files, pairs or Lab arrays, or of what `hf download`
    or `save_to_disk` wrote; one such file; or a pattern of files."""
    dataset_config: str | None = None
    """Configuration of a data set that has several."""
    dataset_revision: str | None = None
    """Branch, tag or commit of a Hub data set; a commit makes a run repeatable."""
    train_split: str = "train"
    """Split to train on."""
    image_column: str = "image"
    """Column that holds the pictures; of tar files, the end of their names, such as `jpg`."""
    resolution: int | None = bounded(None, 2, 4096)
    """Side of the training crops in pixels; the recipe's own if not given."""
    max_train_samples: int | None = bounded(None, 1)
    """Train on so many pictures only, the same in every pass."""
    min_colorfulness: float = bounded(8.0, 0)
    """Pictures less colorful (Hasler and Suesstrunk) teach gray: they are skipped and counted."""
    source_power: float = bounded(1.0, 0, 1)
    """A source of n pictures is drawn by n to this power: 1 draws every picture once in an epoch, less draws small
    sources more often. Sources are the column `source`, or the folders of pictures."""
    vary_lightness: bool = True
    """Change gamma, contrast, sharpness and grain of the input at random."""
    degraded_share: float = bounded(0.15, 0, 1)
    """Share of pictures whose lightness is degraded to an old photograph's: other film, faded, grainy, printed."""
    max_broken: float = bounded(0.01, 0, 1)
    """Share of undecodable pictures above which the run stops; they are skipped and counted."""
    lanes: int = bounded(8, 1, 4096)
    """Parts that the data set is dealt into; a multiple of the number of processes, the same for a whole run."""
    dataloader_num_workers: int = bounded(1, 0, 256)
    """Processes that read and decode, beside each training process; 0 does it in the training process, but a data set
    of the Hub is read by one at least."""


@dataclass(frozen=True)
class ValidationOptions:
    """What quality is measured on: while training, and before a push."""

    validation_dataset: str | None = None
    """Photographs to measure on, as --dataset; the training data set if not given."""
    validation_split: str = "validation"
    """Split to measure on; no model may have seen its photographs."""
    validation_share: float = bounded(0.01, 0, 0.5)
    """Where there is no such split: share of the training split that is held out instead, by hash; at least 64 and at
    most 1,000 pictures, and no more than a quarter of them. 0 holds out none."""
    validation_image_column: str | None = None
    """Column that holds the photographs to measure on, if it is another than --image-column."""
    validation_pictures: int = bounded(24, 0, 10_000)
    """How many of them to measure at each checkpoint; 0 for none."""


@dataclass(frozen=True)
class RunOptions:
    """How a run is kept, resumed and watched; nothing here changes what is learned."""

    checkpointing_steps: int = bounded(500, 1)
    """Steps between checkpoints; the averaged weights and a contact sheet are written with them."""
    checkpointing_minutes: float = bounded(10.0, 0.01)
    """Minutes after which a checkpoint is due all the same."""
    checkpoints_total_limit: int = bounded(2, 2)
    """Checkpoints that are kept; two at least, so that a damaged one does not end the run."""
    resume_from_checkpoint: str = "latest"
    """Where to resume: `latest` is the output folder's last checkpoint, if there is one; `none` begins anew and removes
    them; a checkpoint's folder is resumed, and later ones give way to what comes of it."""
    dataset_moved: bool = False
    """Resume although the data set is in another place and its files are not the same: it is the run's own."""
    logging_steps: int = bounded(20, 1)
    """Steps between two points of the curves."""
    report_to: Literal["trackio", "tensorboard", "none"] = "trackio"
    """Where curves are logged besides training.json; both keep them in the output folder."""
    dataset_timeout: float = bounded(120.0, 1)
    """Seconds without a picture, as when the network is gone, after which the run stops; it can be resumed."""
    dry_run: bool = False
    """Show the data, the networks' sizes, ten steps' speed and memory and the projected time; then exit."""
    vgg_weights: Path | None = None
    """Local safetensors of the VGG that a perceptual loss needs; else it comes from the Hub."""
    imagenet_weights: Path | None = None
    """Local safetensors of EfficientNet-Lite0, by timm's names; else the installed package's, or the Hub's."""


@dataclass(frozen=True)
class HubOptions:
    """Publishing on the Hugging Face Hub."""

    push_to_hub: bool = False
    """Measure each model when it is trained, and push it to <hub-namespace>/<hub-prefix>-<recipe>."""
    hub_namespace: str | None = None
    """User or organization to push to."""
    hub_prefix: str = "landscape-colorization"
    """First part of the repositories' names."""
    hub_code: str | None = None
    """Where the models' cards say that the code is: a Space (NAMESPACE/NAME) or the https:// URL of a git repository;
    needed if pyproject.toml states no URL."""
    hub_license: str | None = None
    """License of the weights, as the Hub calls it (apache-2.0, cc-by-4.0, ...); without it the cards state none."""
    hub_private_repo: bool = False
    """Make new repositories private."""


@dataclass(frozen=True)
class Settings:
    """All that one run is made from; what a recipe decides is resolved."""

    recipe: str
    output_dir: Path
    config: RecipeConfig
    resolution: int
    batch_size: int
    """Pictures per step and process."""
    data: DataOptions
    optimization: OptimizationOptions
    validation: ValidationOptions
    run: RunOptions
    hub: HubOptions


@dataclass(frozen=True)
class TrainOptions:
    """Train one colorizer, or all of them one after the other."""

    recipe: str
    """Which to train."""
    output_dir: Path
    """Where the result goes: <output-dir>/<recipe>/."""
    data: OmitArgPrefixes[DataOptions] = field(default_factory=DataOptions)
    optimization: OmitArgPrefixes[OptimizationOptions] = field(default_factory=OptimizationOptions)
    validation: OmitArgPrefixes[ValidationOptions] = field(default_factory=ValidationOptions)
    run: OmitArgPrefixes[RunOptions] = field(default_factory=RunOptions)
    hub: OmitArgPrefixes[HubOptions] = field(default_factory=HubOptions)

    @property
    def recipes(self) -> list[str]:
        """The names of the recipes to train."""
        return [*RECIPES] if self.recipe == ALL else [self.recipe]

    def settings(self, recipe: str) -> Settings:
        """What a run of one recipe is made from.

        Raises:
            ValueError: If the options cannot be used with this recipe.
        """
        config: RecipeConfig = getattr(self, recipe)
        batch_size = self.optimization.train_batch_size or config.train_batch_size
        parts = self.optimization.gradient_accumulation_steps
        if parts > 1 and config.no_accumulation:
            raise ValueError(f"--gradient-accumulation-steps {parts} is not for {recipe}: {config.no_accumulation}")
        if batch_size % parts:
            raise ValueError(f"--gradient-accumulation-steps {parts} does not divide the batch of {batch_size}")
        resolution = self.data.resolution or config.resolution
        if resolution % 2**config.depth:
            raise ValueError(
                f"--resolution is {resolution}, expected a multiple of {2**config.depth} for {recipe} of depth "
                f"{config.depth}"
            )
        return Settings(
            recipe=recipe,
            output_dir=self.output_dir,
            config=config,
            resolution=resolution,
            batch_size=batch_size,
            data=self.data,
            optimization=self.optimization,
            validation=self.validation,
            run=self.run,
            hub=self.hub,
        )

    def check(self) -> None:
        """Refuse options that cannot train anything, before anything is loaded.

        Raises:
            ValueError: With the option's name and what is expected.
        """
        for group in (self.data, self.optimization, self.validation, self.run, self.hub):
            check_bounds(group)
        for recipe in self.recipes:
            check_bounds(getattr(self, recipe), f"{recipe}.")
            self.settings(recipe)
        optimization = self.optimization
        if optimization.init_share and not optimization.init_from:
            raise ValueError("--init-share needs --init-from: weights that were trained apart have no useful mean")
        if optimization.init_share_of and not optimization.init_share:
            raise ValueError("--init-share-of needs --init-share: how much of that model is in what is saved")
        if self.hub.push_to_hub and not self.hub.hub_namespace:
            raise ValueError("--push-to-hub needs --hub-namespace: a Hub user or organization")
        for option, file in (("vgg", self.run.vgg_weights), ("imagenet", self.run.imagenet_weights)):
            if file and not file.is_file():
                raise ValueError(f"--{option}-weights {file} is no file here")


def parse(words: Sequence[str] | None = None) -> TrainOptions:
    """Read a command line: the options above, and a group for each recipe.

    Args:
        words: What follows the command; None takes this process's own.

    Raises:
        ValueError: If the options cannot be used.
        SystemExit: If there is no such option, or its value is of another type.
    """
    groups: list[Any] = [("recipe", Literal[(*RECIPES, ALL)], field())]
    groups += [(name, entry.config_class, field(default_factory=entry.config_class)) for name, entry in RECIPES.items()]
    command_line = make_dataclass("CommandLine", groups, bases=(TrainOptions,), frozen=True)
    options: TrainOptions = tyro.cli(
        command_line, prog="accelerate launch train", description=TrainOptions.__doc__, args=words
    )
    options.check()
    return options


# Options that two sessions of one run may differ in: they change what is kept or shown, not what is learned.
_MAY_DIFFER = {option.name for group in (ValidationOptions, RunOptions, HubOptions) for option in fields(group)} | {
    "dataloader_num_workers",
    "gradient_accumulation_steps",
    "max_broken",
    "dataset",  # as it is written; the data set itself may not, see `train.resume.identity`
    "train_batch_size",  # the batch over all processes may not, see `train.resume.identity`
}


def flattened(settings: Settings) -> dict[str, Any]:
    """Every option that decides what is learned, by its name."""
    groups: tuple[Any, ...] = (
        settings.data,
        settings.optimization,
        settings.validation,
        settings.run,
        settings.hub,
    )
    named = [("", group) for group in groups] + [(f"{settings.recipe}.", settings.config)]
    flat = {
        f"{prefix}{name}": value
        for prefix, group in named
        for name, value in asdict(group).items()
        if name not in _MAY_DIFFER
    }
    return flat | {"resolution": settings.resolution}
