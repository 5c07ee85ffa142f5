"""Options of the recipes: what all share, and each recipe's own.

Nothing here imports torch, so that `--help` and a mistake in the options are answered at once.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from train.bounds import bounded

VGGName = Literal["vgg16", "vgg19"]
PRETRAINED_WIDTH = 32  # of the U-Net whose encoder ImageNet's weights fit


@dataclass(frozen=True)
class OptimizationOptions:
    """How long and in which steps the weights are changed."""

    max_train_steps: int = bounded(20_000, 1)
    """Optimization steps, one batch each."""
    train_batch_size: int | None = bounded(None, 1, 65536)
    """Pictures per step and process; the recipe's own if not given."""
    gradient_accumulation_steps: int = bounded(1, 1, 65536)
    """Work off each batch in so many parts, for less memory; the batch stays --train-batch-size."""
    lr_warmup_steps: int | None = bounded(None, 0)
    """Steps over which the learning rate rises; the recipe's own if not given."""
    max_grad_norm: float | None = bounded(None, 1e-12)
    """Clip gradients to this norm; no clipping if not given."""
    ema_decay: float = bounded(0.999, 0, 0.999999)
    """Decay of the averaged weights, which are what is saved."""
    init_from: str | None = None
    """Start from these weights: a model's name, a folder or a Hub repository id."""
    init_share: float = bounded(0.0, 0, 0.999999)
    """Share of the starting weights in those that are saved; the mean of before and after can be better than both."""
    init_share_of: str | None = None
    """Another model, whose weights are that share instead: a name, a folder or a Hub repository id."""
    seed: int = bounded(0, 0, 2**32 - 1)
    """Seed of weights, order, crops and flips."""


@dataclass(frozen=True)
class RecipeConfig:
    """Options that every recipe has.

    Attributes:
        name: The recipe's name, the same as the model's.
        resolution, train_batch_size: What is taken where the command line does not say.
        vgg: The network of the perceptual loss, where `perceptual_weight` is not 0.
        no_accumulation: Why a batch cannot be worked off in parts; empty if it can.
    """

    name: ClassVar[str]
    resolution: ClassVar[int]
    train_batch_size: ClassVar[int]
    vgg: ClassVar[VGGName] = "vgg19"
    no_accumulation: ClassVar[str] = ""

    width: int = bounded(32, 1, 4096)
    """Channels at half resolution; larger networks come from larger widths."""
    depth: int = bounded(5, 1, 10)
    """How many times the picture is halved in the encoder."""
    learning_rate: float = bounded(2e-4, 0)
    """Peak learning rate of the generator."""
    l1_weight: float = bounded(100.0, 0)
    """Weight of L1 on ab."""
    color_weight: float = bounded(0.0, 0)
    """Weight of L1 on ab, weighted by chroma."""
    perceptual_weight: float = bounded(0.0, 0)
    """Weight of the VGG perceptual loss; 0 needs no VGG."""
    perceptual_crop: int = bounded(0, 0)
    """Side of the random square that a perceptual loss looks at, as a VGG costs more than the rest; 0 is all of it."""
    feature_weight: float = bounded(0.0, 0)
    """Weight of feature distillation: the encoder learns to reproduce EfficientNet-Lite0's ImageNet features."""
    teacher: tuple[str, ...] = ()
    """Trained models to learn from beside the truth: models' names, folders or Hub repository ids."""
    teacher_weight: float = bounded(0.0, 0)
    """Weight of L1 between the generator's ab and the mean of the teachers'."""

    @property
    def judges_features(self) -> bool:
        """Whether its adversary judges a frozen ImageNet network's features of the colored picture."""
        return False

    def colorizer_arguments(self) -> dict[str, Any]:
        """What the generator's class is called with, beside its working size."""
        return {"width": self.width, "depth": self.depth}


@dataclass(frozen=True)
class Pix2PixConfig(RecipeConfig):
    """pix2pix: a BCE GAN loss of weight 1 + L1; constant learning rate, no dropout."""

    name = "pix2pix"
    resolution, train_batch_size = 256, 16
    no_accumulation = (
        "its generator's one forward pass serves the discriminator's step and its own, so all parts' graphs would be "
        "kept and no memory saved; lower --train-batch-size, or use more processes"
    )

    cap: int = bounded(8, 1, 64)
    """Channels grow with each halving up to so many times the width."""
    l1_steps: int = bounded(0, 0)
    """Steps of L1 alone before the discriminator joins; a generator that starts well needs less adversarial time."""

    def colorizer_arguments(self) -> dict[str, Any]:
        """What the generator's class is called with, beside its working size."""
        return super().colorizer_arguments() | {"cap": self.cap}


@dataclass(frozen=True)
class CWGANConfig(RecipeConfig):
    """CWGAN: a Wasserstein loss + gradient penalty + L1; its improved version's terms are options."""

    name = "cwgan"
    resolution, train_batch_size = 224, 16
    vgg = "vgg16"
    no_accumulation = (
        "it counts each batch as one critic step, and smaller batches with as many more steps are the same to it; "
        "lower --train-batch-size"
    )

    cap: int = bounded(6, 1, 64)
    """Channels grow with each halving up to so many times the width."""
    adversarial_weight: float = bounded(1.0, 0)
    """Weight of the critic's score in the generator's loss."""
    projected_critic: bool = False
    """Let the critic judge a frozen ImageNet network's features of the colored picture, instead of L and ab."""
    gp_weight: float = bounded(10.0, 0)
    """Weight of the gradient penalty in the critic's loss."""
    n_critic: int = bounded(5, 1)
    """Critic updates per generator update, each on a batch of its own."""
    l1_steps: int = bounded(0, 0)
    """Steps of L1 alone before the critic joins."""
    dropout: float = bounded(0.1, 0, 0.999)
    """Dropout of whole channels in the generator's decoder."""
    absolute_wasserstein: bool = False
    """Let the critic minimize the absolute value of the Wasserstein distance.

    The improved version did so because a negative critic loss looked wrong. In a WGAN it is normal: the critic
    maximizes E[C(real)] - E[C(fake)], so its loss is minus an estimate of a distance. The absolute value is smallest
    where the critic tells nothing apart, so it trains a critic to be blind. Off; kept to rerun that version.
    """

    @property
    def judges_features(self) -> bool:
        """Whether its critic judges a frozen ImageNet network's features of the colored picture."""
        return self.projected_critic

    def colorizer_arguments(self) -> dict[str, Any]:
        """What the generator's class is called with, beside its working size."""
        return super().colorizer_arguments() | {"dropout": self.dropout, "cap": self.cap}


@dataclass(frozen=True)
class UNetConfig(RecipeConfig):
    """U-Net: VGG19 perceptual loss + L1.

    The earlier version is `--resolution 160 --train-batch-size 16 --unet.perceptual-weight 0`: smaller, and MAE only.
    """

    name = "unet"
    resolution, train_batch_size = 320, 8

    learning_rate: float = bounded(1e-3, 0)
    """Peak learning rate; AdamW with a cosine schedule."""
    l1_weight: float = bounded(10.0, 0)
    """Weight of L1 on ab (MAE)."""
    perceptual_weight: float = bounded(1.0, 0)
    """Weight of the VGG perceptual loss; 0 needs no VGG."""
    weight_decay: float = bounded(1e-2, 0)
    """AdamW's weight decay."""
    hint_share: float = bounded(0.0, 0, 1)
    """Share of the pictures that are given points of their true colors, so that the model learns to follow them."""
    mood_share: float = bounded(0.0, 0, 1)
    """Share of the pictures that are given their overall color, so that the model learns moods."""
    guidance_only: bool = False
    """Train only what points and moods add: colors without them stay as they are, to the bit."""
    adversarial_weight: float = bounded(0.0, 0)
    """Weight of a projected discriminator's hinge loss; some hundred steps of it at the end make colors vivid."""
    discriminator_rate: float = bounded(2e-3, 0)
    """Learning rate of the projected discriminator."""
    discriminator_steps: int = bounded(100, 0)
    """Steps of the projected discriminator alone before the generator learns."""
    pretrained: bool = True
    """Start the encoder from ImageNet's weights, which are of width 32; other widths start at random."""
    pretrained_rate: float = bounded(0.0, 0)
    """Learning rate of a pretrained encoder, relative to the rest; 0 freezes it, at half the cost of a step."""

    @property
    def judges_features(self) -> bool:
        """Whether there is a projected discriminator."""
        return self.adversarial_weight > 0

    @property
    def guided(self) -> bool:
        """Whether the model takes points and moods."""
        return self.hint_share > 0 or self.mood_share > 0

    def colorizer_arguments(self) -> dict[str, Any]:
        """What the generator's class is called with, beside its working size."""
        return super().colorizer_arguments() | {"guided": self.guided}

    @property
    def from_imagenet(self) -> bool:
        """Whether the encoder starts from ImageNet's weights."""
        return self.pretrained and self.width == PRETRAINED_WIDTH

    @property
    def encoder_rate(self) -> float:
        """The encoder's learning rate relative to the rest; one that starts at random learns like the rest."""
        return self.pretrained_rate if self.from_imagenet else 1.0

    @property
    def trains_encoder(self) -> bool:
        """Whether the encoder learns."""
        return self.encoder_rate > 0 and not self.guidance_only
