"""A U-Net whose guidance was never trained."""

import torch

from colorization import load
from colorization.models import UNet


def guided_unet():
    """A U-Net with the embedded encoder and decoder, and guidance whose weights are drawn and not learned."""
    torch.manual_seed(0)
    model = UNet(working_size=64, guided=True)
    model.load_state_dict(model.state_dict() | load("unet").state_dict())
    for weights in model.guidance.parameters():
        if not weights.any():
            torch.nn.init.normal_(weights, std=0.3)
    return model.eval()
