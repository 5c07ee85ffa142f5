"""Abstract colorizer: L in, ab out, and the mixin that saves it to a folder or the Hub and loads it back."""

import hashlib
import json
import math
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import numpy as np
import torch
from huggingface_hub import PyTorchModelHubMixin, constants, hf_hub_download
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from colorization.guidance import NO_GUIDANCE, Condition, GuidanceError
from colorization.lab import gray_to_network


class Colorizer(
    nn.Module,
    PyTorchModelHubMixin,
    ABC,
    library_name="landscape-colorization",
    pipeline_tag="image-to-image",
    license="apache-2.0",
    tags=["image-colorization", "landscape"],
):
    """L (B, 1, H, W) in [-1, 1] -> ab (B, 2, H, W) in [-1, 1]; H and W divisible by `stride`.

    Attributes:
        name: What the model is called in the zoo, in `config.json` and on the page.
        width: Channels at half resolution; deeper levels have multiples of it.
        depth: How many times the encoder halves the picture.
        working_size: Short side in pixels that the network is run at.
    """

    name: ClassVar[str]

    def __init__(self, width: int, depth: int, working_size: int) -> None:
        super().__init__()
        if width < 1 or not 1 <= depth <= 10 or not 2**depth <= working_size <= 4096:
            raise ValueError(
                f"width is {width}, depth {depth}, working_size {working_size}; expected a width of 1 or more, "
                "a depth of 1 to 10, and a working size of 2**depth to 4096"
            )
        self.width, self.depth, self.working_size = width, depth, working_size

    @property
    def stride(self) -> int:
        """Height and width of an input must be multiples of this."""
        return 2**self.depth

    @property
    def digest(self) -> str:
        """SHA-256 of its weights."""
        digest = hashlib.sha256(self.name.encode())
        for name, weights in self.state_dict().items():
            digest.update(name.encode())
            digest.update(weights.cpu().numpy().tobytes())
        return digest.hexdigest()

    @property
    def config(self) -> dict[str, Any]:
        """What config.json holds: the name in the zoo and the mixin's record of the arguments of `__init__`."""
        return {"model_type": self.name, **cast(dict[str, Any], self._hub_mixin_config)}

    @property
    def takes_guidance(self) -> bool:
        """Whether points and moods can steer its colors."""
        return False

    def forward(self, L: Tensor, condition: Condition | None = None) -> Tensor:
        """Predict color from lightness.

        Args:
            L: Lightness, (B, 1, H, W), in [-1, 1].
            condition: Guidance for each picture, in tensors; None for none.

        Returns:
            ab, (B, 2, H, W), in [-1, 1].

        Raises:
            ValueError: If L does not have one channel, or H or W is not a multiple of `stride`.
            GuidanceError: If there is guidance and the model takes none.
        """
        self._check_shape(L)
        if condition is not None:
            self._check_takes_guidance()
        return torch.tanh(self.decode(self.encode(L), condition))

    def _check_takes_guidance(self) -> None:
        if not self.takes_guidance:
            raise GuidanceError(NO_GUIDANCE.format(self.name))

    @torch.inference_mode()
    def features(self, gray: NDArray[np.uint8]) -> list[Tensor]:
        """Map gray levels, (B, 1, H, W), to the encoder's features, which no guidance changes."""
        L = gray_to_network(torch.arange(256.0) / 255)[torch.from_numpy(gray).int()]
        self._check_shape(L)
        return self.encode(L.to(next(self.parameters()).device))

    def mood_logits(self, features: list[Tensor]) -> NDArray[np.float32]:
        """Map features to how plausible each mood of `colorization.moods.MOODS` is, (B, moods).

        Raises:
            GuidanceError: If the model takes no guidance.
        """
        raise GuidanceError(NO_GUIDANCE.format(self.name))

    def _check_shape(self, L: Tensor) -> None:
        if L.dim() != 4 or L.shape[1] != 1 or L.shape[2] % self.stride or L.shape[3] % self.stride:
            raise ValueError(
                f"{self.name} got an input of shape {tuple(L.shape)}, expected (B, 1, H, W) with H and W multiples of "
                f"{self.stride}: resize or pad it, or call colorization.colorize(), which takes pictures of any size"
            )

    @torch.inference_mode()
    def infer(self, features: list[Tensor], condition: Condition | None = None) -> NDArray[np.float32]:
        """Map features and guidance in arrays to ab, (B, 2, H, W), in [-1, 1]; see `forward`."""
        if condition is not None:
            self._check_takes_guidance()
            condition = Condition(*(torch.from_numpy(array).to(features[0].device) for array in condition))
        return torch.tanh(self.decode(features, condition)).float().cpu().numpy()

    @abstractmethod
    def encode(self, L: Tensor) -> list[Tensor]:
        """Map L (B, 1, H, W) to the encoder's features after each halving, (B, channels, H / 2, W / 2) and so on."""

    @abstractmethod
    def decode(self, features: list[Tensor], condition: Any = None) -> Tensor:
        """Map the encoder's features, and guidance where it is taken, to ab before the final tanh, (B, 2, H, W)."""

    def _save_pretrained(self, save_directory: Path) -> None:
        """Write fp16 weights (half the download, invisible in 8-bit color) and a config that names the model."""
        weights = {key: value.detach().half().contiguous().cpu() for key, value in self.state_dict().items()}
        file = save_directory / constants.SAFETENSORS_SINGLE_FILE
        save_file(weights, file, metadata={"format": "pt"})
        file.chmod(0o644)  # safetensors writes 0600; a checkpoint is for others to read
        text = json.dumps(self.config, indent=2) + "\n"
        (save_directory / constants.CONFIG_NAME).write_text(text, encoding="utf-8")

    @classmethod
    def _from_pretrained(cls, *, model_id: str, map_location: str = "cpu", strict: bool = True, **options: Any) -> Self:
        """Load safetensors only: the mixin would fall back to a pickle, and load with missing weights."""
        hub = {key: options.pop(key, None) for key in ("revision", "cache_dir", "token")}
        hub |= {key: options.pop(key, False) for key in ("force_download", "local_files_only")}
        if Path(model_id).is_dir():
            file = Path(model_id) / constants.SAFETENSORS_SINGLE_FILE
        else:
            file = Path(hf_hub_download(model_id, constants.SAFETENSORS_SINGLE_FILE, **hub))
        with torch.device("meta"):
            size = sum(value.numel() for value in cls(**options).state_dict().values())
        with safe_open(file, "pt") as weights:
            stored = sum(math.prod(weights.get_slice(key).get_shape()) for key in weights.keys())  # noqa: SIM118
        if size > 2 * stored:  # a wrong config must not cost the memory; smaller differences are named below
            raise ValueError(f"{file.name} holds {stored:,} numbers, expected {size:,} by {constants.CONFIG_NAME}")
        model = cls(**options)
        model.load_state_dict(load_file(file), strict=strict)
        return model.to(map_location).eval()
