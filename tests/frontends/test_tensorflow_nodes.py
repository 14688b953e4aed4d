"""``TensorFlowOpLayer`` of TensorFlow 2.0 to 2.3 beside tf-keras, which still loads it."""

from __future__ import annotations

import base64
import inspect
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import layergraph as lg
from layergraph.frontends.keras.eras.node_def import parse
from support import case, parity

tf = pytest.importorskip("tensorflow", reason="needs TensorFlow: pip install .[dev]")
base_layer = pytest.importorskip("tf_keras.src.engine.base_layer")

COUNT = iter(range(10**6))


def node(kind: str, inputs: list[Any], **attributes: Any) -> Any:
    """A TensorFlow operation on placeholders and constants, in a graph of its own."""

    def placed(value: Any) -> Any:
        if isinstance(value, list):
            return [placed(v) for v in value]
        if isinstance(value, np.ndarray):
            return tf.constant(value)
        return tf.compat.v1.placeholder(value.dtype, value.shape)

    with tf.Graph().as_default():
        function = getattr(tf.raw_ops, kind)
        names = list(inspect.signature(function).parameters)
        out = function(**dict(zip(names, map(placed, inputs), strict=False)), **attributes)
        return (out[0] if isinstance(out, (list, tuple)) else out).op.node_def


def op(kind: str, *inputs: Any, **attributes: Any) -> Any:
    """The operation as a layer, called on the Keras tensors among the inputs."""
    flat = [v for value in inputs for v in (value if isinstance(value, list) else [value])]
    constants = {i: v for i, v in enumerate(flat) if isinstance(v, np.ndarray)}
    layer = base_layer.TensorFlowOpLayer(
        node_def=node(kind, list(inputs), **attributes).SerializeToString(),
        name=f"{kind}_{next(COUNT)}",
        constants=constants,
    )
    tensors = [v for v in flat if not isinstance(v, np.ndarray)]
    return layer(tensors if len(tensors) > 1 else tensors[0])


def i(*numbers: int) -> Any:
    return np.array(numbers, "int32")


def s(number: int) -> Any:
    return np.array(number, "int32")


def f(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).normal(0, 0.5, shape).astype("float32")


TWO_OF = (
    "AddV2 Add Sub Mul RealDiv Div DivNoNan FloorDiv FloorMod Maximum Minimum SquaredDifference Greater "
    "GreaterEqual Less LessEqual Equal NotEqual Atan2 TruncateMod"
).split()
ONE_OF = (
    "Abs Neg Square Exp Expm1 Sin Cos Tanh Sigmoid Sign Floor Ceil Round Rint Erf Softplus Softsign Relu Relu6 "
    "Elu Selu Softmax LogSoftmax IsNan IsInf IsFinite ZerosLike OnesLike Identity StopGradient Sinh Cosh Atan Asinh"
).split()


def _elementwise(k: Any, a: Any, b: Any) -> Any:
    positive = op("AddV2", op("Abs", a), np.array(0.1, "float32"))
    hit = op("Greater", a, b)
    return [
        *(op(kind, a, b) for kind in TWO_OF), *(op(kind, a) for kind in ONE_OF),
        *(op(kind, positive) for kind in ("Sqrt", "Rsqrt", "Log", "Log1p", "Reciprocal")), op("Pow", positive, b),
        op("Mul", f(4), a), op("Sub", a, f(5, 1)), op("LeakyRelu", a, alpha=0.3), op("LogicalAnd", hit, op("Less", a, f(4))),
        op("LogicalNot", hit), op("Cast", a, DstT=tf.int32), op("Cast", hit, DstT=tf.float32), op("SelectV2", hit, a, b),
        op("Select", hit, a, b), op("AddN", [a, b, a]), op("ClipByValue", a, np.array(-1, "float32"), np.array(1, "float32")),
        op("Where", hit),
    ]  # fmt: skip


def _reductions(k: Any, x: Any) -> Any:
    return [
        *(op(kind, x, i(1, 2), keep_dims=True) for kind in ("Sum", "Mean", "Max", "Min", "Prod", "EuclideanNorm")),
        *(op(kind, x, s(1)) for kind in ("Sum", "Mean", "Max")), op("Any", op("Greater", x, f(4)), i(-1)), op("All", op("Greater", x, f(4)), s(1)),
        op("ArgMax", x, s(-1)), op("ArgMin", x, s(1), output_type=tf.int32), op("Cumsum", x, s(1)), op("Cumsum", x, s(1), exclusive=True, reverse=True),
        op("Cumprod", x, s(2)), *op("TopKV2", x, s(2)), op("L2Loss", x),
    ]  # fmt: skip


def _shapes(k: Any, x: Any) -> Any:
    shape = op("Shape", x)
    batch = op("StridedSlice", shape, i(0), i(1), i(1), shrink_axis_mask=1)
    time = op("StridedSlice", shape, i(1), i(2), i(1), shrink_axis_mask=1)
    target = op("Pack", [batch, s(20)])
    return [
        op("Reshape", x, i(-1, 20)), op("Reshape", x, target), op("Reshape", x, op("Pack", [batch, s(-1), time])), op("Transpose", x, i(0, 2, 1)),
        op("ExpandDims", x, s(1)), op("Squeeze", op("ExpandDims", x, s(1)), axis=[1]), op("Tile", x, i(1, 2, 1)),
        op("Pad", x, np.array([[0, 0], [1, 2], [0, 1]], "int32")), op("MirrorPad", x, np.array([[0, 0], [1, 2], [0, 1]], "int32"), mode="REFLECT"),
        op("PadV2", x, np.array([[0, 0], [1, 2], [0, 1]], "int32"), np.array(2, "float32")), op("ReverseV2", x, i(1)), op("Roll", x, s(1), s(1)),
        op("StridedSlice", x, i(0, 1), i(0, 3), i(1, 1), begin_mask=1, end_mask=1),
        op("StridedSlice", x, i(0, 0, 2), i(0, 0, 3), i(1, 1, 1), begin_mask=3, end_mask=3, shrink_axis_mask=4),
        op("StridedSlice", x, i(0, 0), i(0, 0), i(1, 1), ellipsis_mask=1, new_axis_mask=2),
        op("StridedSlice", x, i(0, -1), i(0, 0), i(1, -2), begin_mask=1, end_mask=3), op("Slice", x, i(0, 1, 1), i(-1, 2, 3)),
        *op("Split", s(2), x, num_split=2), *op("SplitV", x, i(1, 3, 1), s(1), num_split=3), *op("Unpack", x, num=5, axis=1), op("Pack", [x, x], axis=1),
        op("ConcatV2", [x, f(3, 5, 4), x], s(0)), op("ConcatV2", [x, x], s(-1)), op("Fill", target, np.array(1.5, "float32")),
        op("GatherV2", x, i(0, 2), s(1)), op("Range", s(0), time, s(1)), op("BroadcastTo", op("Mean", x, i(1, 2), keep_dims=True), shape), shape,
        op("ConcatV2", [op("StridedSlice", shape, i(0), i(2), i(1)), i(4)], s(0)), op("Size", x), op("OneHot", op("ArgMax", x, s(-1)), s(4), np.array(1, "float32"), np.array(0, "float32")),
    ]  # fmt: skip


def _products(k: Any, a: Any, b: Any) -> Any:
    return [
        op("BatchMatMulV2", a, b, adj_y=True), op("BatchMatMul", a, b, adj_x=True), op("BatchMatMulV2", a, f(4, 3)),
        op("MatMul", op("Reshape", a, i(-1, 20)), f(20, 3)), op("MatMul", op("Reshape", a, i(-1, 20)), f(3, 20), transpose_b=True),
        op("Einsum", [a, b], equation="bij,bkj->bik"), op("Einsum", [a, f(4, 2)], equation="bij,jk->bik"), op("MatrixBandPart", a, np.array(1, "int64"), np.array(0, "int64")),
    ]  # fmt: skip


def _networks(k: Any, x: Any) -> Any:
    ones = [1, 1, 1, 1]
    return [
        op("BiasAdd", x, f(3)), op("Conv2D", x, f(2, 3, 3, 4), strides=[1, 2, 1, 1], padding="SAME"), op("Conv2D", x, f(2, 3, 3, 4), strides=ones, padding="VALID", dilations=[1, 2, 1, 1]),
        op("Conv2D", x, f(2, 3, 3, 4), strides=ones, padding="EXPLICIT", explicit_paddings=[0, 0, 1, 0, 2, 1, 0, 0]),
        op("DepthwiseConv2dNative", x, f(2, 3, 3, 2), strides=ones, padding="SAME"), op("MaxPool", x, ksize=[1, 2, 3, 1], strides=[1, 2, 2, 1], padding="SAME"),
        op("AvgPool", x, ksize=[1, 2, 3, 1], strides=ones, padding="VALID"), op("LRN", x, depth_radius=1),
        op("FusedBatchNormV3", x, f(3), f(3), f(3), np.abs(f(3)), epsilon=0.01, is_training=False)[0],
        op("SpaceToDepth", op("StridedSlice", x, i(0, 0, 0), i(0, 6, 6), i(1, 1, 1), begin_mask=7, end_mask=1), block_size=2),
        op("ResizeBilinear", x, i(4, 9), half_pixel_centers=True), op("ResizeNearestNeighbor", x, i(9, 4), half_pixel_centers=True),
        op("ResizeBilinear", x, i(12, 14)), op("ResizeNearestNeighbor", x, i(9, 4)), op("ResizeBilinear", x, i(4, 9), align_corners=True),
        op("ResizeNearestNeighbor", x, i(11, 5), align_corners=True),
    ]  # fmt: skip


TWO = [(5, 4), (5, 4)]
FIXED = {"writers": ("tf_keras",), "batch0": False}

CASES = [
    case("elementwise", _elementwise, TWO, **FIXED),
    case("reductions", _reductions, [(5, 4)], **FIXED),
    case("shapes", _shapes, [(5, 4)], **FIXED),
    case("products", _products, TWO, **FIXED),
    case("networks", _networks, [(6, 7, 3)], **FIXED),
]


@parity(CASES)
def test_tensorflow_nodes(run: Any) -> None:
    """Same as tf-keras."""
    run()


# --- forms of node_def -----------------------------------------------------------------

X = tf.TensorSpec((None, 6, 7, 3), "float32")
NODES = {
    "conv": ("Conv2D", [X, f(2, 3, 3, 4)], {"strides": [1, 2, 2, 1], "padding": "SAME"}),
    "leaky": ("LeakyRelu", [X], {"alpha": 0.25}),
    "cast": ("Cast", [X], {"DstT": tf.float16}),
    "mean": ("Mean", [X, i(1, 2)], {"keep_dims": True}),
    "squeeze": ("Squeeze", [X], {"axis": []}),
    "shape": ("PlaceholderWithDefault", [f(2, 3)], {"shape": [None, 3]}),
    "unpack": ("Unpack", [X], {"num": 7, "axis": -2}),
}


@pytest.mark.parametrize("name", NODES)
def test_every_form_is_the_same_node(name: str) -> None:
    from google.protobuf import json_format, text_format

    kind, inputs, attributes = NODES[name]
    proto = node(kind, inputs, **attributes)
    wanted = parse(json_format.MessageToDict(proto))
    wire = proto.SerializeToString()
    assert parse(json.dumps(json_format.MessageToDict(proto))) == wanted
    assert parse(text_format.MessageToString(proto)) == wanted
    assert parse(base64.b64encode(wire).decode()) == wanted
    # TensorFlow 2.0 could write only messages that are UTF-8, none with a negative number.
    if name in ("conv", "cast", "mean", "squeeze"):
        assert parse(wire.decode("utf-8")) == wanted
    assert wanted.op == kind
    assert len(wanted.inputs) == len(inputs)
    for key, value in attributes.items():
        key = {"axis": "squeeze_dims"}.get(key, key) if name == "squeeze" else key
        plain = value.name if isinstance(value, tf.DType) else value
        assert wanted.attributes[key] == ([-1, 3] if key == "shape" else plain)


def test_a_file_with_a_serialised_node_def(tmp_path: Path) -> None:
    import tf_keras

    x = tf_keras.layers.Input((5, 4))
    model = tf_keras.Model(x, op("Mean", x, i(1), keep_dims=True))
    path = tmp_path / "model.h5"
    model.save(path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        layer = config["config"]["layers"][1]["config"]
        proto = node("Mean", [x, i(1)], keep_dims=True)
        layer["node_def"] = proto.SerializeToString().decode("utf-8")
        file.attrs["model_config"] = json.dumps(config)
    data = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")
    theirs = tf_keras.models.load_model(path)(data)
    assert np.allclose(lg.Interpreter(path)(data), theirs, rtol=1e-6)


@pytest.mark.parametrize("bad", ["", "{}", "\n\x03add\x12", "name: ", 7, {"attr": {}}])
def test_no_node_def(bad: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(bad)
