"""TensorFlow functions in a Keras 2 model, spelled as operations of the current dialect.

``TFOpLambda`` and ``SlicingOpLambda`` name a function of TensorFlow; the tables
below say which operation it is: one of Keras 3 where there is an equal one, else
one of TensorFlow's own, which the registry knows as ``tf.Name``.
Source: tf_keras/src/layers/core/tf_op_layer.py, tf-keras 2.21; argument names
as in TensorFlow 2.21's Python API, those of compat.v1 among them.
"""

from __future__ import annotations

from dataclasses import dataclass

from layergraph.frontends.keras.eras.tensorflow_rows import Function, Options, names_of, own, rows
from layergraph.frontends.keras.eras.tensorflow_science import SCIENCE
from layergraph.frontends.keras.spec import CallSpec, refs_in

MATHEMATICS: dict[str, Function] = {
    **rows(
        "math.",
        "abs:Absolute negative:Negative sqrt:Sqrt rsqrt:Rsqrt square:Square exp:Exp expm1:Expm1 "
        "log:Log log1p:Log1p sin:Sin cos:Cos tan:Tan sinh:Sinh cosh:Cosh asin:Arcsin acos:Arccos "
        "atan:Arctan asinh:Arcsinh acosh:Arccosh atanh:Arctanh tanh:Tanh sigmoid:Sigmoid "
        "sign:Sign floor:Floor ceil:Ceil round:Round rint:Round reciprocal:Reciprocal erf:Erf "
        "erfc:Erfc erfinv:Erfinv logical_not:LogicalNot is_nan:Isnan is_inf:Isinf "
        "is_finite:Isfinite bessel_i0:I0 log_sigmoid:LogSigmoid conj:Conjugate",
    ),
    **rows("math.", "real:Real imag:Imag angle:Angle", "input:x"),
    **rows("", "log_sigmoid:LogSigmoid rint:Round"),
    **rows(
        "math.",
        "add:Add subtract:Subtract multiply:Multiply divide_no_nan:DivideNoNan "
        "floordiv:FloorDivide floormod:Mod mod:Mod pow:Power maximum:Maximum minimum:Minimum "
        "greater:Greater greater_equal:GreaterEqual less:Less less_equal:LessEqual equal:Equal "
        "not_equal:NotEqual logical_and:LogicalAnd logical_or:LogicalOr logical_xor:LogicalXor "
        "truncatemod:Fmod",
        "x:x1 y:x2",
    ),
    **rows("", "floor_div:FloorDivide floormod:Mod truncatemod:Fmod floordiv:FloorDivide",
            "x:x1 y:x2"),
    **rows("__operators__.", "add:Add", "x:x1 y:x2"),
    **rows("__operators__.", "eq:Equal ne:NotEqual", "self:x1 other:x2"),
    **rows("math.", "atan2:Arctan2", "y:x1 x:x2"),
    **rows("math.", "nextafter:Nextafter", "x1 x2"),
    **rows("bitwise.", "bitwise_and:BitwiseAnd bitwise_or:BitwiseOr bitwise_xor:BitwiseXor "
            "left_shift:BitwiseLeftShift right_shift:BitwiseRightShift", "x y"),
    **rows("bitwise.", "invert:BitwiseInvert"),
    **own("math.", "truediv:Divide divide:Divide squared_difference:SquaredDifference "
           "xlogy:XLogY xlog1py:XLog1pY xdivy:XDivY multiply_no_nan:MultiplyNoNan "
           "reciprocal_no_nan:ReciprocalNoNan truncatediv:TruncateDivide"),
    **own("", "realdiv:Divide truncatediv:TruncateDivide div:Divide div_no_nan:DivideNoNan"),
    **own("math.", "scalar_mul:ScalarMul", "scalar"),
    **own("math.", "add_n:AddN accumulate_n:AddN", "inputs"),
    **own("math.", "polyval:Polyval", "coeffs"),
    "clip_by_value": Function("tf.Clip", "t"),
    "clip_by_norm": Function("tf.ClipByNorm", "t"),
    "cast": Function("ops.Cast", "x", "dtype"),
    "dtypes.cast": Function("ops.Cast", "x", "dtype"),
    "dtypes.saturate_cast": Function("ops.SaturateCast", "value:x", "dtype"),
    "saturate_cast": Function("ops.SaturateCast", "value:x", "dtype"),
}  # fmt: skip

REDUCTIONS: dict[str, Function] = {
    **own(
        "math.",
        "reduce_sum:ReduceSum reduce_mean:ReduceMean reduce_max:ReduceMax reduce_min:ReduceMin "
        "reduce_prod:ReduceProd reduce_any:ReduceAny reduce_all:ReduceAll reduce_std:ReduceStd "
        "reduce_variance:ReduceVar reduce_logsumexp:ReduceLogsumexp "
        "reduce_euclidean_norm:ReduceEuclidean",
        "input_tensor",
    ),
    **own("", "reduce_sum:ReduceSum reduce_mean:ReduceMean reduce_max:ReduceMax "
           "reduce_min:ReduceMin reduce_prod:ReduceProd reduce_any:ReduceAny "
           "reduce_all:ReduceAll reduce_logsumexp:ReduceLogsumexp", "input_tensor"),
    **own("math.", "count_nonzero:CountNonzero argmax:Argmax argmin:Argmin top_k:TopK", "input"),
    **own("", "count_nonzero:CountNonzero argmax:Argmax argmin:Argmin", "input"),
    **own("nn.", "top_k:TopK", "input"),
    **own("nn.", "zero_fraction:ZeroFraction", "value"),
    **own("math.", "zero_fraction:ZeroFraction", "value"),
    **own("math.", "cumsum:Cumsum cumprod:Cumprod"),
    **own("nn.", "moments:Moments"),
    **own("", "sort:Sort argsort:Argsort", "values"),
    "math.l2_normalize": Function("tf.L2Normalize"),
    "nn.l2_normalize": Function("tf.L2Normalize"),
    "norm": Function("tf.Norm", "tensor"),
    "linalg.norm": Function("tf.Norm", "tensor"),
    "linalg.normalize": Function("tf.Normalize", "tensor"),
    "nn.l2_loss": Function("tf.L2Loss", "t"),
}  # fmt: skip

ARRANGEMENT: dict[str, Function] = {
    **own("", "shape:Shape size:Size rank:Rank broadcast_to:BroadcastTo tile:Tile", "input"),
    **own("", "reshape:Reshape pad:Pad reverse:Reverse", "tensor"),
    **own("", "zeros:Zeros ones:Ones", "shape:dims"),
    "manip.reshape": Function("tf.Reshape", "tensor"),
    "fill": Function("tf.Fill", "dims"),
    "eye": Function("tf.Eye", "num_rows"),
    "linalg.eye": Function("tf.Eye", "num_rows"),
    "range": Function("tf.Range", "start"),
    "linspace": Function("tf.Linspace", "start"),
    "__operators__.getitem": Function("tf.GetItem"),
    **own("", "strided_slice:StridedSlice slice:Slice", "input_"),
    **own("", "split:Split unstack:Unstack", "value"),
    "where": Function("tf.Where", "condition"),
    "boolean_mask": Function("tf.BooleanMask", "tensor mask:keep"),
    "one_hot": Function("tf.OneHot", "indices"),
    "sequence_mask": Function("tf.SequenceMask", "lengths"),
    "stack": Function("tf.Pack", "values"),
    "parallel_stack": Function("tf.Pack", "values"),
    "concat": Function("tf.Concat", "values"),
    "convert_to_tensor": Function("tf.ConvertToTensor", "value"),
    "constant": Function("tf.ConvertToTensor", "value"),
    "gather": Function("tf.Gather", "params"),
    "gather_nd": Function("tf.GatherND", "params"),
    "nn.embedding_lookup": Function("tf.EmbeddingLookup", "params"),
    "roll": Function("tf.Roll", "input"),
    "manip.roll": Function("tf.Roll", "input"),
    "repeat": Function("tf.Repeat", "input"),
    "reverse_sequence": Function("tf.ReverseSequence", "input"),
    "transpose": Function("tf.Transpose", "a"),
    "expand_dims": Function("tf.ExpandDims", "input"),
    "squeeze": Function("tf.Squeeze", "input"),
    **own("", "zeros_like:ZerosLike ones_like:OnesLike", "input tensor:input"),
    "identity": Function("ops.Copy", "input:x"),
    "identity_n": Function("tf.IdentityN", "input"),
    "stop_gradient": Function("ops.StopGradient", "input:x"),
    "ensure_shape": Function("tf.EnsureShape"),
    "debugging.check_numerics": Function("tf.EnsureShape", "tensor:x"),
    "keras.backend.batch_flatten": Function("tf.BatchFlatten"),
}

ACTIVATIONS: dict[str, Function] = {
    **rows("nn.", "relu:Relu relu6:Relu6 selu:Selu elu:Elu softplus:Softplus softsign:Softsign",
            "features:x"),
    **rows("math.", "softplus:Softplus", "features:x"),
    **rows("nn.", "tanh:Tanh sigmoid:Sigmoid"),
    "nn.silu": Function("tf.Silu", "features"),
    "nn.swish": Function("tf.Silu", "features"),
    **own("nn.", "softmax:Softmax log_softmax:LogSoftmax", "logits"),
    "math.softmax": Function("tf.Softmax", "logits"),
    "math.log_softmax": Function("tf.LogSoftmax", "logits"),
    "nn.crelu": Function("tf.CRelu", "features"),
    "nn.leaky_relu": Function("ops.LeakyRelu", "features:x", "alpha:negative_slope"),
    "nn.gelu": Function("ops.Gelu", "features:x", "approximate", (("approximate", False),)),
}  # fmt: skip

NETWORKS: dict[str, Function] = {
    "nn.bias_add": Function("tf.BiasAdd", "value"),
    "nn.batch_normalization": Function("tf.BatchNormalization"),
    "nn.fused_batch_norm": Function("tf.FusedBatchNorm"),
    "nn.local_response_normalization": Function("tf.LocalResponse", "input"),
    "nn.lrn": Function("tf.LocalResponse", "input"),
    **own("nn.", "conv1d:Conv conv2d:Conv conv3d:Conv convolution:Conv atrous_conv2d:Conv "
           "depthwise_conv2d:DepthwiseConv separable_conv2d:SeparableConv "
           "conv1d_transpose:ConvTranspose conv2d_transpose:ConvTranspose "
           "conv3d_transpose:ConvTranspose conv_transpose:ConvTranspose", "input value:input"),
    "nn.depthwise_conv2d_native": Function("tf.DepthwiseConv", "input"),
    **own("nn.", "avg_pool:AvgPool avg_pool1d:AvgPool avg_pool2d:AvgPool avg_pool3d:AvgPool "
           "max_pool:MaxPool max_pool1d:MaxPool max_pool2d:MaxPool max_pool3d:MaxPool "
           "pool:Pool", "input value:input"),
    **own("", "space_to_batch_nd:SpaceToBatch space_to_batch:SpaceToBatch "
           "batch_to_space_nd:BatchToSpace batch_to_space:BatchToSpace", "input"),
    "nn.depth_to_space": Function("tf.DepthToSpace", "input"),
    "depth_to_space": Function("tf.DepthToSpace", "input"),
    "nn.space_to_depth": Function("tf.SpaceToDepth", "input"),
    "space_to_depth": Function("tf.SpaceToDepth", "input"),
    **own("nn.", "sigmoid_cross_entropy_with_logits:SigmoidCrossEntropy "
           "softmax_cross_entropy_with_logits:SoftmaxCrossEntropy "
           "softmax_cross_entropy_with_logits_v2:SoftmaxCrossEntropy "
           "sparse_softmax_cross_entropy_with_logits:SparseSoftmaxCrossEntropy", "labels"),
    "keras.backend.binary_crossentropy": Function("tf.BinaryCrossentropy", "target"),
    "keras.backend.categorical_crossentropy": Function("tf.CategoricalCrossentropy", "target"),
}  # fmt: skip

LINEAR: dict[str, Function] = {
    "linalg.matmul": Function("tf.Matmul", "a"),
    "matmul": Function("tf.Matmul", "a"),
    "linalg.matvec": Function("tf.Matvec", "a"),
    "tensordot": Function("tf.Tensordot", "a"),
    "linalg.tensordot": Function("tf.Tensordot", "a"),
    "einsum": Function("tf.Einsum", "equation"),
    "linalg.einsum": Function("tf.Einsum", "equation"),
    "linalg.matrix_transpose": Function("tf.MatrixTranspose", "a"),
    "linalg.adjoint": Function("tf.Adjoint", "matrix:a"),
    "linalg.band_part": Function("tf.BandPart", "input"),
    "linalg.trace": Function("tf.Trace"),
    "linalg.diag_part": Function("tf.DiagPart", "input"),
    "linalg.tensor_diag_part": Function("tf.TensorDiagPart", "input"),
    "linalg.diag": Function("tf.Diag", "diagonal"),
    "linalg.tensor_diag": Function("tf.TensorDiag", "diagonal:input"),
    "linalg.cross": Function("ops.Cross", "a:x1 b:x2"),
    "linalg.det": Function("ops.Det", "input:x"),
    "linalg.cholesky": Function("ops.Cholesky", "input:x"),
}

IMAGES: dict[str, Function] = {
    **own("image.", "resize:Resize resize_images:ResizeOld resize_bilinear:ResizeBilinear "
           "resize_nearest_neighbor:ResizeNearest resize_bicubic:ResizeBicubic "
           "resize_area:ResizeArea", "images"),
    **own("image.", "flip_left_right:FlipLeftRight flip_up_down:FlipUpDown "
           "transpose:ImageTranspose rot90:Rot90 central_crop:CentralCrop "
           "crop_to_bounding_box:CropToBox pad_to_bounding_box:PadToBox "
           "per_image_standardization:Standardization adjust_brightness:AdjustBrightness "
           "convert_image_dtype:ConvertImage", "image"),
    **own("image.", "rgb_to_grayscale:ToGrayscale grayscale_to_rgb:FromGrayscale "
           "adjust_contrast:AdjustContrast", "images image:images"),
}  # fmt: skip

FUNCTIONS: dict[str, Function] = {
    **MATHEMATICS, **REDUCTIONS, **ARRANGEMENT, **ACTIVATIONS, **NETWORKS, **LINEAR, **IMAGES,
    **SCIENCE,
}  # fmt: skip
"""Operations by TensorFlow function."""

IGNORED = frozenset({"name", "validate_indices", "bad_indices_policy"})
"""Arguments without effect on values."""

ALIASES = {
    "keep_dims": "keepdims",
    "reduction_indices": "axis",
    "squeeze_dims": "axis",
    "dim": "axis",
    "dimension": "axis",
    "filter": "filters",
}
"""Arguments of compat.v1 by the name they have today."""


@dataclass(frozen=True)
class Spelled:
    """What a function is in the current dialect.

    Attributes:
        operation: ``ops.Name``, ``tf.Name`` or the class of a layer.
        refusal: why it cannot be spelled; empty when it can.
    """

    operation: str = ""
    options: Options | None = None
    calls: tuple[CallSpec, ...] = ()
    refusal: str = ""


def spelled(function: str, calls: tuple[CallSpec, ...]) -> Spelled:
    """The operation a function is.

    Args:
        function: TensorFlow's name, ``math.add``.
        calls: calls of the layer; options must be the same in all.
    """
    row = FUNCTIONS.get(function.removeprefix("compat.v1."))
    if row is None:
        return Spelled(refusal=f"the TensorFlow function {function!r} is not supported yet")
    if row.refusal:
        return Spelled(refusal=row.refusal)
    found = [_call(row, call) for call in calls]
    if function in ("__operators__.eq", "__operators__.ne"):
        for _, call, _ in found:
            if "x2" not in call.kwargs:
                return Spelled(
                    refusal="Keras 2 saves == and != without what they compare with, and cannot "
                    "load them either; use tf.equal or tf.not_equal"
                )
    for _, _, strange in found:
        if strange:
            return Spelled(refusal=f"{function!r} is called with {strange}")
    if any(options != found[0][0] for options, _, _ in found):
        return Spelled(refusal=f"{function!r} is called with other options each time")
    options = found[0][0] if found else {}
    stated = {k: v for k, v in row.stated if k not in options}
    return Spelled(row.operation, row.change({**stated, **options}), tuple(c for _, c, _ in found))


def _call(row: Function, call: CallSpec) -> tuple[Options, CallSpec, str]:
    """Options, the call, and what does not fit the row."""
    arguments, options = names_of(row.arguments), names_of(row.options)
    own = row.operation.startswith("tf.")
    first = next(iter(arguments.values()))
    given: Options = dict(zip([first], call.args, strict=False))
    taken: Options = {}
    for name, value in call.kwargs.items():
        if value is None and name in row.nulls.split():
            value = False
        if value is None or name in IGNORED:
            continue
        known = name if name in arguments or name in options else ALIASES.get(name, name)
        if known in options:
            if next(iter(refs_in(value)), None) is not None:
                return {}, call, f"a tensor for {name!r}, which must be known before the run"
            taken[options[known]] = value
        elif known in arguments or own:
            given[arguments.get(known, known)] = value
        else:
            return {}, call, f"{name}={str(value)[:40]!r}, which is not supported yet"
    return taken, CallSpec((), given), ""
