"""Conversion of a model from torch to ONNX, and the check that both give the same colors."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from colorization import __version__
from colorization.colorizer import Colorizer
from colorization.guidance import Condition, network_mood
from colorization.limits import MAX_POINTS
from colorization.models import UNet
from colorization.onnx.model import FILE, OnnxColorizer
from colorization.sources import LoadError

if TYPE_CHECKING:
    import onnx

TOLERANCE = 1e-3  # of ab in network units: a ninth of a unit of a* and b*, which nobody sees
_OPSET = 20


class ExportError(LoadError):
    """A model could not be exported; the message says why."""


class _Network(nn.Module):
    """A colorizer's forward pass without its check of the shape, which the exporter would take for a constant."""

    def __init__(self, model: Colorizer) -> None:
        super().__init__()
        self.model = model

    def forward(self, L: Tensor, *condition: Tensor) -> tuple[Tensor, ...]:
        """Map L (B, 1, H, W) to ab (B, 2, H, W); with guidance also to moods (B, moods)."""
        features = self.model.encode(L)
        if not condition:
            return (torch.tanh(self.model.decode(features)),)
        assert isinstance(self.model, UNet) and self.model.guidance
        ab = torch.tanh(self.model.decode(features, Condition(*condition)))
        return ab, self.model.guidance.rank_moods(features)


def convert(model: Colorizer) -> tuple[bytes, float]:
    """Convert a model, and compare the result with it.

    Args:
        model: On the processor.

    Returns:
        The bytes of a `model.onnx`, for any batch, height and width, and the largest difference of its ab, in network
        units. Weights that half precision holds exactly, as those of all saved models, take half the space.

    Raises:
        ExportError: If a library is not installed, the exporter fails, or the difference is over `TOLERANCE`.
    """
    data = _exported(model)
    return data, _difference(model, data)


def _exported(model: Colorizer) -> bytes:
    """Write a model as an ONNX file; its metadata has name, working size and stride."""
    try:
        import onnx
        import onnxscript  # noqa: F401 - what torch.onnx writes with
    except ImportError as error:
        raise ExportError(f"{error.name} is not installed: `pip install onnx onnxscript`") from error
    sides = {side: model.stride * torch.export.Dim(name) for side, name in ((2, "height"), (3, "width"))}
    batch = {0: torch.export.Dim("batch")}
    inputs = {"L": torch.zeros(2, 1, 2 * model.stride, 3 * model.stride)}
    shapes: list[dict[int, Any]] = [batch | sides]
    if model.takes_guidance:
        # A tensor each: the exporter would take one that comes twice for one input.
        inputs |= {name: torch.zeros(2, MAX_POINTS, 2) for name in ("places", "colors")}
        inputs |= {"valid": torch.zeros(2, MAX_POINTS), "mood": torch.zeros(2, 7)}
        shapes += [batch] * 4
    try:
        with _quiet():
            program = torch.onnx.export(
                _Network(model).eval(),
                tuple(inputs.values()),
                dynamo=True,
                dynamic_shapes=(shapes[0], tuple(shapes[1:])) if model.takes_guidance else (shapes[0],),
                input_names=[*inputs],
                output_names=["ab", "moods"][: 1 + model.takes_guidance],
                opset_version=_OPSET,
                external_data=False,
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        raise ExportError(f"torch cannot export {model.name}: {str(error).splitlines()[0]}") from error
    proto = program.model_proto  # type: ignore[union-attr]  # it is None for another way of exporting
    _strip(proto)
    _halve(proto.graph)
    sizes = {"working_size": str(model.working_size), "stride": str(model.stride)}
    onnx.helper.set_model_props(proto, {"model_type": model.name, **sizes})
    return proto.SerializeToString()


def _difference(model: Colorizer, data: bytes) -> float:
    """The largest difference of ab at several sizes and batches; raises ExportError if it is over `TOLERANCE`."""
    exported = OnnxColorizer(data, FILE)
    short, stride, random = model.working_size // model.stride * model.stride, model.stride, np.random.default_rng(0)
    largest = 0.0
    for batch, height, width in ((1, short, short), (1, short, 2 * short), (3, 3 * stride, stride), (1, stride, short)):
        gray = random.integers(0, 256, (batch, 1, height, width), np.uint8)
        difference = max(
            float(np.abs(model.infer(model.features(gray), c) - exported.infer(exported.features(gray), c)).max())
            for c in (None, *([_condition(batch, random)] if model.takes_guidance else []))
        )
        if not difference <= TOLERANCE:
            raise ExportError(
                f"the exported {model.name} differs from torch by {difference:.2g} at {width}x{height}, "
                f"at most {TOLERANCE:g} is allowed: nothing was written"
            )
        largest = max(largest, difference)
    return largest


def _condition(batch: int, random: np.random.Generator) -> Condition:
    """Some points, one of them padding, and a mood, for each picture."""
    places, colors = random.uniform(-1, 1, (2, batch, 5, 2)).astype(np.float32)
    mood = network_mood(random.uniform(-20, 20, (batch, 6)).astype(np.float32), np.ones(batch, np.float32))
    return Condition(places, colors, np.array([[1, 1, 1, 1, 0]] * batch, np.float32), mood)


def _strip(proto: "onnx.ModelProto") -> None:
    """Drop where in torch and in this project each node came from: paths of this machine, and half a megabyte."""
    proto.producer_name, proto.producer_version = "landscape-colorization", __version__
    graph = proto.graph
    for part in (proto, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        part.ClearField("doc_string")
        part.ClearField("metadata_props")


def _halve(graph: "onnx.GraphProto") -> None:
    """Store weights in half precision where that is exact; ONNX Runtime widens them again as it loads the file."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32:
            continue
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if np.array_equal(half.astype(np.float32), values):
            stored = f"{tensor.name}.half"
            casts.append(helper.make_node("Cast", [stored], [tensor.name], to=TensorProto.FLOAT))
            tensor.CopyFrom(numpy_helper.from_array(half, stored))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep to itself what torch says about parts of the exporter that are not used here."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
