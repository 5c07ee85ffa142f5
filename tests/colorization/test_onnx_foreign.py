"""ONNX files that this project did not write, or that were changed: each is refused with a sentence."""

import onnx
import pytest
from onnx import TensorProto, helper

from colorization import load
from colorization.onnx.convert import convert
from colorization.onnx.model import OnnxColorizer
from colorization.sources import LoadError


@pytest.fixture(scope="module")
def ours():
    """The bytes of a file that is accepted."""
    data, _ = convert(load("pix2pix"))
    OnnxColorizer(data, "model.onnx")
    return data


def changed(data, change):
    model = onnx.load_from_string(data)
    change(model)
    return model.SerializeToString()


def tag(key, value):
    def change(model):
        next(prop for prop in model.metadata_props if prop.key == key).value = value

    return change


def outside(path):
    """Weights in another file."""

    def change(model):
        tensor = max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=path)

    return change


def foreign(node, output_shape, dims=("b", 1, "h", "w")):
    """A small ONNX file with the right metadata that is something else."""
    L = helper.make_tensor_value_info("L", TensorProto.FLOAT, dims)
    ab = helper.make_tensor_value_info("ab", TensorProto.FLOAT, output_shape)
    graph = helper.make_graph([node], "graph", [L], [ab])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    helper.set_model_props(model, {"model_type": "unet", "working_size": "32", "stride": "32"})
    return model.SerializeToString()


BAD = {
    "empty": lambda data: b"",
    "cut short": lambda data: data[: len(data) // 2],
    "no ONNX": lambda data: b"not a model" * 100,
    "a pickle": lambda data: b"\x80\x04cos\nsystem\n(S'touch pwned'\ntR.",
    "one channel out": lambda data: foreign(helper.make_node("Tanh", ["L"], ["ab"]), ("b", 1, "h", "w")),
    "one size only": lambda data: foreign(
        helper.make_node("Concat", ["L", "L"], ["ab"], axis=1), (1, 2, 32, 64), (1, 1, 32, 64)
    ),
    "another input": lambda data: changed(
        foreign(helper.make_node("Tanh", ["L"], ["ab"]), ("b", 1, "h", "w")),
        lambda model: (
            setattr(model.graph.input[0], "name", "rgb"),
            model.graph.node[0].input.__setitem__(0, "rgb"),
        ),
    ),
    "no metadata": lambda data: changed(data, lambda model: model.ClearField("metadata_props")),
    "a path for a name": lambda data: changed(data, tag("model_type", "../../etc")),
    "no number": lambda data: changed(data, tag("working_size", "-1")),
    "too large": lambda data: changed(data, tag("working_size", "1000000")),
    "a wrong stride": lambda data: changed(data, tag("stride", "8")),
    "weights elsewhere": lambda data: changed(data, outside("/etc/passwd")),
    "weights beside it": lambda data: changed(data, outside("weights.bin")),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_file_that_is_not_ours_is_a_sentence(ours, kind):
    data = BAD[kind](ours)
    with pytest.raises(LoadError) as error:
        OnnxColorizer(data, "album/model.onnx")
    text = str(error.value)
    assert text.startswith("album/model.onnx ") and "expected one that `python -m colorization.export` wrote" in text
    assert "\n" not in text
