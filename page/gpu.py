"""The device that the networks run on; on ZeroGPU Spaces the processor. Import this before torch and gradio."""

import os

ZERO_GPU = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
if ZERO_GPU:
    import spaces  # only there; it replaces parts of torch, which must not have been imported before

    @spaces.GPU(duration=1)
    def _unused() -> None:
        """Nothing. ZeroGPU ends a Space that has no function for its GPU.

        A call takes at least a second of its visitor's daily minutes, and the networks 30 ms on the processor.
        """


def device() -> str:
    """The name of torch's device: "cuda" if there is a GPU that belongs to this machine, else "cpu"."""
    if ZERO_GPU:
        return "cpu"  # where `spaces` makes `torch.cuda.is_available()` say True
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
