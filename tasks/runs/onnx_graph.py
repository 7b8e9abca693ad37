"""A network as an ONNX graph: raw pixels in, probabilities and labels out."""

import numpy as np

from network.shifts import UNMOVED, moved
from tasks.runs.model import SavedModel

# The oldest pair that has every operator used here, so that runtimes since 2022 load it too.
_OPSET, _IR_VERSION = 17, 8
_OPERATORS = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu"}


def onnx_bytes(model: SavedModel, metadata: str) -> bytes:
    """Return a network as a checked ONNX model that computes what `network.model.predict` does.

    Its input is `pixels` float32 (N, side²): raw values 0 … pixel_max, row by row. Its outputs are
    `probabilities` (N, outputs), of the type the network was trained in, float32 or float64, and
    `label` int64 (N), the label of the largest.

    Args:
        model: the network.
        metadata: JSON, kept as the model's property `metadata`.

    Raises:
        ModuleNotFoundError: onnx is not installed; it is an extra.
    """
    from onnx import TensorProto, checker, helper, numpy_helper

    dtype = model.weights[0].dtype
    number_type = helper.np_dtype_to_tensor_dtype(dtype)
    pixels, outputs, is_moved = model.image_side**2, len(model.classes), model.shifts != UNMOVED
    constants = {
        "pixel_max": np.array(model.pixel_max, dtype),
        "one": np.array(1, dtype),
        "labels": np.array(model.classes, np.int64),
    }
    nodes = [
        helper.make_node("Cast", ["pixels"], ["numbers"], to=number_type),
        helper.make_node("Div", ["numbers", "pixel_max"], ["images" if is_moved else "layer_0"]),
    ]
    if is_moved:  # each image becomes one for each shift
        constants["one_blank_pixel"] = np.array([0, 0, 0, 1])
        constants["places"] = _places(model)
        constants["one_image"] = np.array([-1, pixels])
        nodes += [
            helper.make_node("Pad", ["images", "one_blank_pixel"], ["padded"]),
            helper.make_node("Gather", ["padded", "places"], ["moved"], axis=1),
            helper.make_node("Reshape", ["moved", "one_image"], ["layer_0"]),
        ]
    for number, layer in enumerate(model.weights, start=1):
        weights, bias, sums = (f"layer_{number}_{part}" for part in ("weights", "bias", "sums"))
        constants[weights] = np.ascontiguousarray(layer[:, 1:])  # (outputs, inputs)
        constants[bias] = np.ascontiguousarray(layer[:, 0])
        inputs = [f"layer_{number - 1}", weights, bias]
        nodes.append(helper.make_node("Gemm", inputs, [sums], transB=1))
        if number < len(model.weights):
            operator = _OPERATORS[model.activation]
            nodes.append(helper.make_node(operator, [sums], [f"layer_{number}"]))
    if is_moved:
        constants["its_shifts"] = np.array([-1, len(model.shifts), outputs])
        nodes += [
            helper.make_node("Reshape", [sums, "its_shifts"], ["sums_of_each"]),
            helper.make_node("ReduceMean", ["sums_of_each"], ["mean"], axes=[1], keepdims=0),
        ]
        sums = "mean"
    # Not as one Sigmoid: onnxruntime's is exactly 0 below -18, so that improbable labels would tie.
    nodes += [
        helper.make_node("Neg", [sums], ["negative"]),
        helper.make_node("Exp", ["negative"], ["power"]),
        helper.make_node("Add", ["power", "one"], ["denominator"]),
        helper.make_node("Reciprocal", ["denominator"], ["probabilities"]),
        helper.make_node("ArgMax", ["probabilities"], ["largest"], axis=1, keepdims=0),
        helper.make_node("Gather", ["labels", "largest"], ["label"]),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", pixels])],
        [
            helper.make_tensor_value_info("probabilities", number_type, ["N", outputs]),
            helper.make_tensor_value_info("label", TensorProto.INT64, ["N"]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    exported = helper.make_model(
        graph,
        producer_name="digits",
        ir_version=_IR_VERSION,
        opset_imports=[helper.make_opsetid("", _OPSET)],
    )
    helper.set_model_props(exported, {"metadata": metadata})
    checker.check_model(exported, full_check=True)
    content: bytes = exported.SerializeToString(deterministic=True)
    return content


def _places(model: SavedModel) -> np.ndarray:
    """Return which pixel each one of the moved images is, -1 for a blank one."""
    numbers = 1 + np.arange(model.image_side**2)[np.newaxis]
    return np.concatenate([moved(numbers, *by)[0] - 1 for by in model.shifts])
