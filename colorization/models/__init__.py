"""The three generators, one file each."""

from colorization.models.cwgan import CWGAN
from colorization.models.pix2pix import Pix2Pix
from colorization.models.unet import UNet

__all__ = ["CWGAN", "Pix2Pix", "UNet"]
