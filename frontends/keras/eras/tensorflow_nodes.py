"""TensorFlow operations of ``TensorFlowOpLayer``, spelled as calls of TensorFlow functions.

TensorFlow 2.0 to 2.3 wrapped each operation of a graph in a layer: its inputs by
position, constants among them, and attributes. ``tensorflow_functions`` then knows
which operation of the current dialect the function is.
Source: the operation definitions of tf.raw_ops, TensorFlow 2.21.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from layergraph.frontends.keras.eras.node_def import NodeDef
from layergraph.frontends.keras.spec import CallSpec


@dataclass(frozen=True)
class Row:
    """One operation type.

    Attributes:
        function: the TensorFlow function it is.
        inputs: arguments its inputs are, in order; ``*values`` takes any number.
        attributes: arguments its attributes are, ``attribute:argument``.
        fixed: arguments that the operation type itself says.
    """

    function: str
    inputs: str = "x"
    attributes: str = ""
    fixed: tuple[tuple[str, Any], ...] = ()


def _rows(operations: str, inputs: str = "x", attributes: str = "") -> dict[str, Row]:
    """Rows that differ in names only: ``Operation:function``."""
    pairs = [part.partition(":") for part in operations.split()]
    return {name: Row(function, inputs, attributes) for name, _, function in pairs}


_CONV = "strides padding data_format dilations explicit_paddings"
_POOL = "ksize strides padding data_format"
_MASKS = "begin_mask end_mask ellipsis_mask new_axis_mask shrink_axis_mask"
_RESIZE = "align_corners half_pixel_centers"

NODES: dict[str, Row] = {
    **_rows(
        "Add:math.add AddV2:math.add Sub:math.subtract Mul:math.multiply RealDiv:math.truediv "
        "Div:math.divide DivNoNan:math.divide_no_nan FloorDiv:math.floordiv "
        "FloorMod:math.floormod Mod:truncatemod TruncateMod:truncatemod TruncateDiv:truncatediv "
        "Pow:math.pow Maximum:math.maximum Minimum:math.minimum "
        "SquaredDifference:math.squared_difference Xlogy:math.xlogy Xdivy:math.xdivy "
        "Xlog1py:math.xlog1py MulNoNan:math.multiply_no_nan Greater:math.greater "
        "GreaterEqual:math.greater_equal Less:math.less LessEqual:math.less_equal "
        "LogicalAnd:math.logical_and LogicalOr:math.logical_or "
        "BitwiseAnd:bitwise.bitwise_and BitwiseOr:bitwise.bitwise_or "
        "BitwiseXor:bitwise.bitwise_xor LeftShift:bitwise.left_shift "
        "RightShift:bitwise.right_shift",
        "x y",
    ),
    **_rows("Equal:math.equal NotEqual:math.not_equal", "x y", "incompatible_shape_error:"),
    **_rows("Atan2:math.atan2", "y x"),
    **_rows("NextAfter:math.nextafter", "x1 x2"),
    **_rows(
        "Abs:math.abs Neg:math.negative Sqrt:math.sqrt Rsqrt:math.rsqrt Square:math.square "
        "Exp:math.exp Expm1:math.expm1 Log:math.log Log1p:math.log1p Sin:math.sin Cos:math.cos "
        "Tan:math.tan Sinh:math.sinh Cosh:math.cosh Tanh:math.tanh Asin:math.asin Acos:math.acos "
        "Atan:math.atan Asinh:math.asinh Acosh:math.acosh Atanh:math.atanh Sigmoid:math.sigmoid "
        "Sign:math.sign Floor:math.floor Ceil:math.ceil Round:math.round Rint:math.rint "
        "Reciprocal:math.reciprocal Inv:math.reciprocal Erf:math.erf Erfc:math.erfc "
        "Erfinv:math.erfinv LogicalNot:math.logical_not IsNan:math.is_nan IsInf:math.is_inf "
        "IsFinite:math.is_finite Invert:bitwise.invert BesselI0:math.bessel_i0 Conj:math.conj "
        "ZerosLike:zeros_like OnesLike:ones_like Identity:identity StopGradient:identity "
        "Snapshot:identity PreventGradient:identity DeepCopy:identity",
        attributes="message:",
    ),
    "CheckNumerics": Row("debugging.check_numerics", "tensor", "message"),
    "PlaceholderWithDefault": Row("identity", "input", "shape:"),
    "EnsureShape": Row("ensure_shape", "input", "shape"),
    "IdentityN": Row("identity_n", "*input"),
    "Cast": Row("cast", "x", "DstT:dtype Truncate:"),
    "ClipByValue": Row("clip_by_value", "t clip_value_min clip_value_max"),
    "AddN": Row("math.add_n", "*inputs"),
    "AccumulateNV2": Row("math.add_n", "*inputs", "shape:"),
    # Activations.
    **_rows("Relu:nn.relu Relu6:nn.relu6 Elu:nn.elu Selu:nn.selu Softplus:nn.softplus "
            "Softsign:nn.softsign", "features"),
    "LeakyRelu": Row("nn.leaky_relu", "features", "alpha"),
    **_rows("Softmax:nn.softmax LogSoftmax:nn.log_softmax", "logits"),
    # Reductions.
    **_rows("Sum:math.reduce_sum Mean:math.reduce_mean Max:math.reduce_max Min:math.reduce_min "
            "Prod:math.reduce_prod Any:math.reduce_any All:math.reduce_all "
            "EuclideanNorm:math.reduce_euclidean_norm", "input_tensor axis",
            "keep_dims:keepdims"),
    **_rows("ArgMax:math.argmax ArgMin:math.argmin", "input axis", "output_type"),
    **_rows("Cumsum:math.cumsum Cumprod:math.cumprod", "x axis", "exclusive reverse"),
    "TopKV2": Row("math.top_k", "input k", "sorted index_type"),
    "TopK": Row("math.top_k", "input", "k sorted"),
    "L2Loss": Row("nn.l2_loss", "t"),
    # Shapes.
    "Shape": Row("shape", "input", "out_type"),
    "Size": Row("size", "input", "out_type"),
    "Rank": Row("rank", "input"),
    "Reshape": Row("reshape", "tensor shape"),
    "BroadcastTo": Row("broadcast_to", "input shape"),
    "Tile": Row("tile", "input multiples"),
    "Fill": Row("fill", "dims value"),
    "Range": Row("range", "start limit delta"),
    "LinSpace": Row("linspace", "start stop num"),
    "Transpose": Row("transpose", "a perm"),
    "ConjugateTranspose": Row("transpose", "a perm", fixed=(("conjugate", True),)),
    "ExpandDims": Row("expand_dims", "input axis"),
    "Squeeze": Row("squeeze", "input", "squeeze_dims:axis"),
    "Pad": Row("pad", "tensor paddings"),
    "PadV2": Row("pad", "tensor paddings constant_values"),
    "MirrorPad": Row("pad", "tensor paddings", "mode"),
    "ReverseV2": Row("reverse", "tensor axis"),
    "ReverseSequence": Row(
        "reverse_sequence", "input seq_lengths", "seq_dim:seq_axis batch_dim:batch_axis"
    ),
    "Roll": Row("roll", "input shift axis"),
    # Parts and choices.
    "StridedSlice": Row("strided_slice", "input_ begin end strides", _MASKS),
    "Slice": Row("slice", "input_ begin size"),
    "Split": Row("split", "axis value", "num_split:num_or_size_splits"),
    "SplitV": Row("split", "value num_or_size_splits axis", "num_split:"),
    "Pack": Row("stack", "*values", "axis"),
    "Unpack": Row("unstack", "value", "num axis"),
    "ConcatV2": Row("concat", "*values axis"),
    "Concat": Row("concat", "axis *values"),
    "Gather": Row("gather", "params indices", "validate_indices:"),
    "GatherV2": Row("gather", "params indices axis", "batch_dims"),
    "GatherNd": Row("gather_nd", "params indices", "bad_indices_policy:"),
    "OneHot": Row("one_hot", "indices depth on_value off_value", "axis"),
    "Where": Row("where", "condition"),
    "Select": Row("where", "condition x y", fixed=(("rows", True),)),
    "SelectV2": Row("where", "condition x y"),
    # Products.
    "MatMul": Row("linalg.matmul", "a b", "transpose_a transpose_b grad_a: grad_b:"),
    **_rows("BatchMatMul:linalg.matmul BatchMatMulV2:linalg.matmul BatchMatMulV3:linalg.matmul",
            "a b", "adj_x:adjoint_a adj_y:adjoint_b grad_x: grad_y:"),
    "Einsum": Row("einsum", "*inputs", "equation"),
    "MatrixBandPart": Row("linalg.band_part", "input num_lower num_upper"),
    "MatrixDiag": Row("linalg.diag", "diagonal"),
    "MatrixDiagPart": Row("linalg.diag_part", "input"),
    "MatrixInverse": Row("linalg.inv", "input"),
    "MatrixDeterminant": Row("linalg.det", "input"),
    "Cholesky": Row("linalg.cholesky", "input"),
    # Networks.
    "BiasAdd": Row("nn.bias_add", "value bias", "data_format"),
    "BiasAddV1": Row("nn.bias_add", "value bias"),
    "Conv2D": Row("nn.conv2d", "input filters", _CONV + " use_cudnn_on_gpu:"),
    "Conv3D": Row("nn.conv3d", "input filters", _CONV),
    "DepthwiseConv2dNative": Row("nn.depthwise_conv2d", "input filters", _CONV),
    "Conv2DBackpropInput": Row(
        "nn.conv2d_transpose", "output_shape filters input", _CONV + " use_cudnn_on_gpu:"
    ),
    "Conv3DBackpropInputV2": Row("nn.conv3d_transpose", "output_shape filters input", _CONV),
    **_rows("MaxPool:nn.max_pool MaxPool3D:nn.max_pool AvgPool:nn.avg_pool AvgPool3D:nn.avg_pool",
            "input", _POOL + " explicit_paddings"),
    "LRN": Row("nn.lrn", "input", "depth_radius bias alpha beta"),
    **_rows("FusedBatchNorm:nn.fused_batch_norm FusedBatchNormV2:nn.fused_batch_norm "
            "FusedBatchNormV3:nn.fused_batch_norm", "x scale offset mean variance",
            "epsilon data_format is_training exponential_avg_factor:"),
    "DepthToSpace": Row("nn.depth_to_space", "input", "block_size data_format"),
    "SpaceToDepth": Row("nn.space_to_depth", "input", "block_size data_format"),
    "SpaceToBatchND": Row("space_to_batch_nd", "input block_shape paddings"),
    "BatchToSpaceND": Row("batch_to_space_nd", "input block_shape crops"),
    "ResizeBilinear": Row("image.resize_bilinear", "images size", _RESIZE),
    "ResizeNearestNeighbor": Row("image.resize_nearest_neighbor", "images size", _RESIZE),
    "ResizeBicubic": Row("image.resize_bicubic", "images size", _RESIZE),
    "ResizeArea": Row("image.resize_area", "images size", "align_corners"),
}  # fmt: skip
"""Functions by operation type."""

FIRST = {"split": "value", "einsum": "equation", "nn.conv2d_transpose": "input",
         "nn.conv3d_transpose": "input", "concat": "values"}  # fmt: skip
"""The first argument of a function where it is not the first input."""

TYPES = frozenset(
    "T Tidx Tperm Tshape Tdim Tlen Tpaddings Tmultiples Tparams Tindices Taxis Index Tindex Tcond "
    "TI U Tx Ty Ta Tb Tout N SrcT index_type Tblock_shape Tcrops Tsize Tshift Tk type dtype "
    "out_type output_type Tin Targmax DstT num_args".split()
)
"""Attributes that repeat what the inputs are."""


def as_call(node: NodeDef, inputs: list[Any]) -> tuple[str, CallSpec] | str:
    """The function and the call an operation is, or why it is none we know.

    Args:
        node: the operation.
        inputs: what it reads, constants among them, in order.
    """
    row = NODES.get(node.op)
    if row is None:
        return f"the TensorFlow operation {node.op!r} is not supported yet"
    given: dict[str, Any] = {**dict(row.fixed), **_named(row.inputs.split(), inputs)}
    pairs = [part.partition(":") for part in row.attributes.split()]
    arguments = {name: ours if colon else name for name, colon, ours in pairs}
    for name, value in node.attributes.items():
        if name.startswith("_") or (name not in arguments and name in TYPES):
            continue
        if name not in arguments:
            return f"the attribute {name!r} of the operation {node.op!r} is not supported yet"
        if arguments[name]:
            given[arguments[name]] = value
    if given.get("padding") == "EXPLICIT":
        flat = given["explicit_paddings"]
        given["padding"] = [flat[i : i + 2] for i in range(0, len(flat), 2)]
    given.pop("explicit_paddings", None)
    if row.function == "one_hot":
        given["dtype"] = node.attributes.get("T")
    first = FIRST.get(row.function) or row.inputs.split()[0].lstrip("*")
    return row.function, CallSpec((given.pop(first, None),), given)


def _named(names: list[str], inputs: list[Any]) -> dict[str, Any]:
    """Inputs by argument; one name with a star takes what the others leave."""
    found: dict[str, Any] = {}
    rest = list(inputs)
    while names and not names[-1].startswith("*") and any(n.startswith("*") for n in names):
        found[names.pop()] = rest.pop()
    for name in names:
        if name.startswith("*"):
            found[name[1:]] = rest
            break
        if rest:
            found[name] = rest.pop(0)
    return found
