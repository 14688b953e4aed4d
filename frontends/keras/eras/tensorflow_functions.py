"""TensorFlow functions in a Keras 2 model, spelled as the operations of Keras 3.

``TFOpLambda`` and ``SlicingOpLambda`` name a function of TensorFlow; the table
below says which operation of the current dialect it is.
Source: tf_keras/src/layers/core/tf_op_layer.py, tf-keras 2.21; argument names
as in TensorFlow 2.21's Python API.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from layergraph.frontends.keras.spec import CallSpec

Options = dict[str, Any]


@dataclass(frozen=True)
class Function:
    """One row of the table.

    Attributes:
        operation: class of the current dialect.
        arguments: names of its call arguments by TensorFlow's, the first for the
            positional one.
        options: names of its options by TensorFlow's.
        stated: options that TensorFlow's defaults make explicit.
        change: last word on the options.
        is_layer: the class is a layer, not an operation.
    """

    operation: str
    arguments: dict[str, str] = field(default_factory=lambda: {"x": "x"})
    options: dict[str, str] = field(default_factory=dict)
    stated: Options = field(default_factory=dict)
    change: Callable[[Options], Options] = lambda options: options
    is_layer: bool = False


def _two(operation: str) -> Function:
    return Function(operation, {"x": "x1", "y": "x2"})


def _reduced(operation: str, **stated: Any) -> Function:
    return Function(operation, options={"axis": "axis", "keepdims": "keepdims"}, stated=stated)


def _cut_places(options: Options) -> Options:
    """Sizes of parts as places to cut at."""
    given = options["indices_or_sections"]
    if not isinstance(given, list):
        return options
    places = [sum(given[: i + 1]) for i in range(len(given) - 1)]
    return {**options, "indices_or_sections": places}


def _lower_mode(options: Options) -> Options:
    return {**options, "mode": str(options.get("mode", "constant")).lower()}


def _matmul(options: Options) -> Options:
    """The product as an einsum, transposed as the flags say."""
    first = "...ji" if options.pop("transpose_a", False) else "...ij"
    second = "...kj" if options.pop("transpose_b", False) else "...jk"
    return {**options, "subscripts": f"{first},{second}->...ik"}


def _sides(options: Options) -> Options:
    height, width = options.pop("size")
    return {**options, "height": height, "width": width}


AXIS = {"axis": "axis"}

FUNCTIONS: dict[str, Function] = {
    **{
        f"{prefix}.{name}": _two(operation)
        for prefix, names in {
            "math": {
                "add": "Add", "subtract": "Subtract", "multiply": "Multiply",
                "truediv": "Divide", "divide": "Divide", "divide_no_nan": "DivideNoNan",
                "floordiv": "FloorDivide", "floormod": "Mod", "pow": "Power",
                "maximum": "Maximum", "minimum": "Minimum", "greater": "Greater",
                "greater_equal": "GreaterEqual", "less": "Less", "less_equal": "LessEqual",
                "equal": "Equal", "not_equal": "NotEqual", "logical_and": "LogicalAnd",
                "logical_or": "LogicalOr", "logical_xor": "LogicalXor",
            },
            "__operators__": {
                "add": "Add", "eq": "Equal", "ne": "NotEqual",
            },
        }.items()
        for name, operation in names.items()
    },
    **{
        f"math.{name}": Function(operation)
        for name, operation in {
            "abs": "Absolute", "negative": "Negative", "sqrt": "Sqrt", "rsqrt": "Rsqrt",
            "square": "Square", "exp": "Exp", "expm1": "Expm1", "log": "Log", "log1p": "Log1p",
            "sin": "Sin", "cos": "Cos", "tan": "Tan", "sinh": "Sinh", "cosh": "Cosh",
            "asin": "Arcsin", "acos": "Arccos", "atan": "Arctan", "tanh": "Tanh",
            "sigmoid": "Sigmoid", "sign": "Sign", "floor": "Floor", "ceil": "Ceil",
            "round": "Round", "reciprocal": "Reciprocal", "erf": "Erf", "softplus": "Softplus",
            "logical_not": "LogicalNot", "is_nan": "Isnan", "is_inf": "Isinf",
            "is_finite": "Isfinite",
        }.items()
    },
    **{
        f"nn.{name}": Function(operation, {"x": "x", "features": "x"})
        for name, operation in {
            "relu": "Relu", "relu6": "Relu6", "selu": "Selu", "elu": "Elu", "silu": "Silu",
            "swish": "Silu", "softplus": "Softplus", "softsign": "Softsign", "tanh": "Tanh",
            "sigmoid": "Sigmoid",
        }.items()
    },
    "floor_div": _two("FloorDivide"),
    "nn.softmax": Function("Softmax", {"logits": "x"}, AXIS),
    "nn.log_softmax": Function("LogSoftmax", {"logits": "x"}, AXIS),
    "nn.leaky_relu": Function("LeakyRelu", {"features": "x"}, {"alpha": "negative_slope"}),
    "nn.gelu": Function(
        "Gelu", {"features": "x"}, {"approximate": "approximate"}, {"approximate": False}
    ),
    **{
        f"math.reduce_{name}": _reduced(operation)
        for name, operation in {
            "sum": "Sum", "mean": "Mean", "max": "Max", "min": "Min", "prod": "Prod",
            "any": "Any", "all": "All", "std": "Std", "variance": "Var",
            "logsumexp": "Logsumexp",
        }.items()
    },
    "math.argmax": Function("Argmax", options=AXIS, stated={"axis": 0, "whole": "int64"}),
    "math.argmin": Function("Argmin", options=AXIS, stated={"axis": 0, "whole": "int64"}),
    "math.cumsum": Function("Cumsum", options=AXIS, stated={"axis": 0}),
    "math.l2_normalize": Function("Normalize", options=AXIS),
    "concat": Function("Concatenate", {"values": "xs"}, AXIS),
    "stack": Function("Stack", {"values": "xs"}, AXIS),
    "unstack": Function("Unstack", {"value": "x"}, {"axis": "axis", "num": "num"}),
    "split": Function(
        "Split", {"value": "x"},
        {"num_or_size_splits": "indices_or_sections", "axis": "axis"}, change=_cut_places,
    ),
    "reshape": Function("Reshape", {"tensor": "x"}, {"shape": "newshape"}),
    "transpose": Function("Transpose", {"a": "x"}, {"perm": "axes"}),
    "expand_dims": Function("ExpandDims", {"input": "x"}, AXIS),
    "squeeze": Function("Squeeze", {"input": "x"}, AXIS),
    "tile": Function("Tile", {"input": "x"}, {"multiples": "repeats"}),
    "reverse": Function("Flip", {"tensor": "x"}, AXIS),
    "broadcast_to": Function("BroadcastTo", {"input": "x"}, {"shape": "shape"}),
    "gather": Function("Take", {"params": "x", "indices": "indices"}, AXIS, {"axis": 0}),
    "pad": Function(
        "Pad", {"tensor": "x", "constant_values": "constant_values"},
        {"paddings": "pad_width", "mode": "mode"}, change=_lower_mode,
    ),
    "cast": Function("Cast", options={"dtype": "dtype"}),
    "one_hot": Function(
        "OneHot", {"indices": "x"}, {"depth": "num_classes", "axis": "axis", "dtype": "dtype"}
    ),
    "clip_by_value": Function(
        "Clip", {"t": "x"}, {"clip_value_min": "x_min", "clip_value_max": "x_max"}
    ),
    "where": Function("Where", {"condition": "condition", "x": "x1", "y": "x2"}),
    "zeros_like": Function("ZerosLike", {"input": "x"}, {"dtype": "dtype"}),
    "ones_like": Function("OnesLike", {"input": "x"}, {"dtype": "dtype"}),
    "identity": Function("Copy", {"input": "x"}),
    "stop_gradient": Function("StopGradient", {"input": "x"}),
    "convert_to_tensor": Function("ConvertToTensor", {"value": "x"}, {"dtype": "dtype"}),
    "linalg.matmul": Function(
        "Einsum", {"a": "operands", "b": "*"},
        {"transpose_a": "transpose_a", "transpose_b": "transpose_b"}, change=_matmul,
    ),
    "image.resize": Function(
        "Resizing", {"images": "inputs"}, {"size": "size", "method": "interpolation"},
        {"float_output": True}, change=_sides, is_layer=True,
    ),
}  # fmt: skip
"""Operations by TensorFlow function."""

IGNORED = frozenset({"name", "conjugate", "validate_indices"})
"""Arguments without effect on values."""

NEUTRAL = {"batch_dims": 0, "exclusive": False, "reverse": False, "preserve_aspect_ratio": False}
"""Arguments that do nothing at this value."""


def spelled(function: str, calls: tuple[CallSpec, ...]) -> tuple[str, Options, Any] | None:
    """The operation a function is: class, options, calls; ``None`` when there is none.

    Args:
        function: TensorFlow's name, ``math.add``.
        calls: calls of the layer; options must be the same in all.
    """
    if function == "__operators__.getitem":
        return "GetItem", {}, tuple(_item_of(c) for c in calls)
    row = FUNCTIONS.get(function.removeprefix("compat.v1."))
    if row is None or not calls:
        return None
    found = [_call(row, c) for c in calls]
    fitting = [f for f in found if f is not None]
    if len(fitting) < len(found) or any(f[0] != fitting[0][0] for f in fitting):
        return None
    options = row.change({**row.stated, **fitting[0][0]})
    return row.operation, options, tuple(f[1] for f in fitting)


def _call(row: Function, call: CallSpec) -> tuple[Options, CallSpec] | None:
    first = next(iter(row.arguments.values()))
    given: Options = dict(zip([first], call.args, strict=False))
    options: Options = {}
    for name, value in call.kwargs.items():
        if value is None or name in IGNORED or (name in NEUTRAL and value == NEUTRAL[name]):
            continue
        if name in row.arguments:
            given[row.arguments[name]] = value
        elif name in row.options:
            options[row.options[name]] = value
        else:
            return None
    if "*" in row.arguments.values():
        return options, CallSpec(tuple(given.values()), {})
    return options, CallSpec((), given)


def _item_of(call: CallSpec) -> CallSpec:
    return CallSpec(call.args, {"key": _index(call.kwargs.get("slice_spec"))})


def _index(data: Any) -> Any:
    """An index: slices are dicts, ``...`` is the text ``Ellipsis``."""
    if isinstance(data, list):
        return [_index(item) for item in data]
    if isinstance(data, dict) and set(data) <= {"start", "stop", "step"}:
        return slice(*(data.get(k) for k in ("start", "stop", "step")))
    return ... if data in ("Ellipsis", {"class_name": "__ellipsis__"}) else data
