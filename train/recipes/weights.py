"""Pretrained weights of others: safetensors from a local file or the Hub."""

from pathlib import Path

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor


def load_weights(file: Path | None, repo_id: str, missing: str, ways: str) -> tuple[Path, dict[str, Tensor]]:
    """Load published weights.

    Args:
        file: A local copy; None takes `model.safetensors` of the Hub.
        repo_id: Where they are on the Hub.
        missing: What to say if they cannot be had.
        ways: What a user can do then.

    Returns:
        The file that was read, and its tensors by name.

    Raises:
        FileNotFoundError: If there is no such file, or the Hub cannot be reached.
        ValueError: If the file is not safetensors.
    """
    try:
        file = file or Path(hf_hub_download(repo_id, "model.safetensors"))
        return file, load_file(file)
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise FileNotFoundError(f"{missing}: {ways}") from error
    except SafetensorError as error:
        raise ValueError(f"{file} is not a safetensors file ({error}): {ways}") from error
