"""A model in ONNX, run by ONNX Runtime: for pictures without torch."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from colorization.guidance import NO_GUIDANCE, Condition, GuidanceError
from colorization.lab import gray_to_network
from colorization.limits import MAX_POINTS
from colorization.sources import LoadError

FILE = "model.onnx"
_MAX_BYTES = 500_000_000
_EXPECTED = "expected one that `python -m colorization.export` wrote"
_LIGHTNESS = gray_to_network(np.arange(256, dtype=np.float32) / 255)


class OnnxColorizer:
    """A `colorization.inference.Network` out of the bytes of a `model.onnx`; calls from several threads are fine.

    Attributes:
        name: What the model is called in the zoo.
        working_size: Short side in pixels that it is run at.
        digest: SHA-256 of the file.
        stride: Height and width of its input are multiples of this.
        takes_guidance: Whether points and moods can steer its colors.
    """

    def __init__(self, data: bytes, source: str, threads: int = 1) -> None:
        """Check a model, and make it ready.

        Args:
            data: The whole file.
            source: What errors call it.
            threads: That one call uses.

        Raises:
            LoadError: If ONNX Runtime is not installed, or the file is not one of this project's.
        """
        require()
        import onnxruntime

        self.digest = hashlib.sha256(data).hexdigest()

        # A file without this word names no other files: it is the key under which ONNX stores their paths.
        if b"location" in data:
            raise LoadError(f"{source} keeps weights in other files, which are not read; {_EXPECTED}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # others work beside it
        options.log_severity_level = 4  # its errors are raised, and told below
        options.add_session_config_entry("session.load_model_format", "ONNX")
        try:
            self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
            self._read_metadata()
            self._try_out()
        except Exception as error:  # a foreign file may raise anything at all
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise LoadError(f"{source} is damaged or not one of this project's, {_EXPECTED}: {reason}") from error

    def features(self, gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Map gray levels, (B, 1, H, W), to L in [-1, 1]: the file holds encoder and decoder in one."""
        return _LIGHTNESS[gray]

    def infer(self, features: NDArray[np.float32], condition: Condition | None = None) -> NDArray[np.float32]:
        """Map L, (B, 1, H, W), and guidance to ab in network units, (B, 2, H, W), in [-1, 1].

        Raises:
            GuidanceError: If there is guidance and the model takes none.
        """
        inputs = {"L": features}
        if self.takes_guidance:
            inputs |= _padded(condition, len(features))
        elif condition is not None:
            self._check_takes_guidance()
        return self._session.run(["ab"], inputs)[0]

    def mood_logits(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map L, (B, 1, H, W), to how plausible each mood of `colorization.moods.MOODS` is, (B, moods).

        Raises:
            GuidanceError: If the model takes no guidance.
        """
        self._check_takes_guidance()
        return self._session.run(["moods"], {"L": features, **_padded(None, len(features))})[0]

    def _check_takes_guidance(self) -> None:
        if not self.takes_guidance:
            raise GuidanceError(NO_GUIDANCE.format(self.name))

    def _read_metadata(self) -> None:
        """Take name and sizes from the file; raises ValueError if they are not there or make no sense."""
        metadata = self._session.get_modelmeta().custom_metadata_map
        name, working_size, stride = (metadata.get(key, "") for key in ("model_type", "working_size", "stride"))
        # The name becomes a folder's.
        if not (name.isidentifier() and working_size.isdecimal() and stride.isdecimal()):
            raise ValueError(f"it says model_type {name!r}, working_size {working_size!r}, stride {stride!r}")
        self.name, self.working_size, self.stride = name, int(working_size), int(stride)
        self.takes_guidance = "places" in {entry.name for entry in self._session.get_inputs()}
        if not 1 <= self.stride <= self.working_size <= 4096:
            raise ValueError(f"it says working_size {working_size} and stride {stride}, expected at most 4096")

    def _try_out(self) -> None:
        """Run it on small gray pictures; raises if it does not take L of any size and give ab."""
        for height, width in ((self.stride, 2 * self.stride), (3 * self.stride, self.stride)):
            ab = self.infer(self.features(np.full((1, 1, height, width), 128, np.uint8)))
            if ab.shape != (1, 2, height, width) or ab.dtype != np.float32 or np.abs(ab).max() > 1:
                raise ValueError(f"it gives {ab.dtype} of shape {ab.shape}, not ab of shape (1, 2, {height}, {width})")


def _padded(condition: Condition | None, batch: int) -> dict[str, NDArray[np.float32]]:
    """Guidance as the file's inputs: as many points as there can be."""
    places, colors = (np.zeros((batch, MAX_POINTS, 2), np.float32) for _ in range(2))
    valid, mood = np.zeros((batch, MAX_POINTS), np.float32), np.zeros((batch, 7), np.float32)
    if condition is not None:
        count = condition.valid.shape[1]
        places[:, :count], colors[:, :count], valid[:, :count] = condition[:3]
        mood[:] = condition.mood
    return {"places": places, "colors": colors, "valid": valid, "mood": mood}


def require() -> None:
    """Raise LoadError if ONNX Runtime is not installed."""
    try:
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise LoadError("ONNX Runtime is not installed: `pip install onnxruntime`") from error


def read(folder: Path, name: str) -> OnnxColorizer:
    """Read the model out of a folder with `model.onnx`; `name` is what errors call the folder.

    Raises:
        LoadError: If there is none, or it is not usable.
    """
    file = folder / FILE
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise LoadError(f"{name}/{FILE} has over {_MAX_BYTES // 10**6} MB, {_EXPECTED}")
        data = file.read_bytes()
    except FileNotFoundError as error:
        raise LoadError(
            f"{name} has no {FILE}: write one with `python -m colorization.export --model {name} --output FOLDER`, "
            "where torch is installed"
        ) from error
    except OSError as error:
        raise LoadError(f"{name}/{FILE} cannot be read: {error.strerror}") from error
    return OnnxColorizer(data, f"{name}/{FILE}")
