"""Frozen networks of others that losses compare pictures by; only those are there that a recipe's options ask for."""

from pathlib import Path

from torch import nn

from colorization.models.efficientnet_lite import EfficientNetLite
from train.recipes.configs import RecipeConfig
from train.recipes.perceptual import PerceptualLoss, vgg_features
from train.recipes.pretrained import imagenet_features
from train.recipes.projected import ProjectedFeatures


class FrozenNetworks(nn.Module):
    """What losses need beside the recipe's own networks.

    Attributes:
        perceptual: VGG features of colored pictures.
        features: ImageNet features of L, for feature distillation.
        projected: ImageNet features of colored pictures, for a projected discriminator.
    """

    def __init__(
        self,
        perceptual: PerceptualLoss | None = None,
        features: EfficientNetLite | None = None,
        projected: ProjectedFeatures | None = None,
    ) -> None:
        super().__init__()
        self.perceptual, self.features, self.projected = perceptual, features, projected


def frozen_networks(config: RecipeConfig, vgg: Path | None, imagenet: Path | None) -> FrozenNetworks:
    """Load the networks that a recipe's options ask for.

    Args:
        config: The recipe's options.
        vgg: Safetensors of the recipe's VGG; None takes the Hub's.
        imagenet: Safetensors of EfficientNet-Lite0; None takes the installed package's, or the Hub's.

    Raises:
        FileNotFoundError: If weights are found nowhere.
        ValueError: If a file does not hold what it should.
    """
    return FrozenNetworks(
        PerceptualLoss(vgg_features(config.vgg, vgg)) if config.perceptual_weight else None,
        imagenet_features(1, imagenet) if config.feature_weight else None,
        ProjectedFeatures(imagenet_features(3, imagenet)) if config.judges_features else None,
    )
