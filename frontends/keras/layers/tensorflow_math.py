"""Mathematical functions of TensorFlow that Keras has no equal of."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.frontends.keras.sizes import whole, wholes
from layergraph.frontends.keras.tensorflow import as_dtype, dtype_of, listed, tensors
from layergraph.ir.op import Op
from layergraph.ir.ops.elementwise import Binary, Cast, Math, NotEqual, Where
from layergraph.ir.ops.indexing import Flip, Slice
from layergraph.ir.ops.linalg import Norm
from layergraph.ir.ops.merge import Fill, Merge
from layergraph.ir.ops.normalization import UnitNorm
from layergraph.ir.ops.reduction import Cumulate, Reduce, ReduceKind, Sort, TopK
from layergraph.ir.ops.shape import NewShape, PadAll
from layergraph.ir.types import FLOATS

# --- of two values ---------------------------------------------------------------------


@reads("tf.Divide", arguments=("x", "y"))
def divide(call: LayerCall) -> Tensor:
    """tf.math.truediv: whole numbers of 32 bits or more give float64."""
    first, second = tensors(call, "x", "y")
    dtype = first.type.dtype
    if dtype not in FLOATS:
        dtype = "float32" if dtype in ("int8", "uint8", "int16", "uint16") else "float64"
        first, second = as_dtype(call, first, dtype, "x"), as_dtype(call, second, dtype, "y")
    return call.emit(Binary(kind="divide"), first, second)


@reads("tf.DivideNoNan", "tf.SquaredDifference", arguments=("x", "y"))
def binary(call: LayerCall) -> Tensor:
    """Functions of two values that have a row of their own."""
    kind: Any = {
        "DivideNoNan": "divide_no_nan",
        "SquaredDifference": "squared_difference",
    }[call.spec.class_name]
    return call.emit(Binary(kind=kind), *tensors(call, "x", "y"))


@reads("tf.TruncateDivide", arguments=("x", "y"))
def truncate_divide(call: LayerCall) -> Tensor:
    """tf.truncatediv: towards zero, as C divides."""
    first, second = tensors(call, "x", "y")
    dtype = first.type.dtype
    quotient = call.emit(
        Binary(kind="divide"),
        as_dtype(call, first, "float64", "x"),
        as_dtype(call, second, "float64", "y"),
        part="quotient",
    )
    return call.emit(Math(kind="trunc"), quotient, then=[Cast(dtype=dtype)])


@reads("tf.XLogY", "tf.XLog1pY", "tf.XDivY", "tf.MultiplyNoNan", arguments=("x", "y"))
def product_of_zero(call: LayerCall) -> Tensor:
    """tf.math.xlogy and its kin: 0 where one factor is, whatever the other."""
    first, second = tensors(call, "x", "y")
    name = call.spec.class_name
    decisive = second if name == "MultiplyNoNan" else first
    kinds: dict[str, Any] = {"XLogY": "log", "XLog1pY": "log1p", "XDivY": "reciprocal"}
    if name in kinds:
        second = call.emit(Math(kind=kinds[name]), second, part=kinds[name])
    product = call.emit(Merge(kind="multiply"), first, second, part="product")
    counts = call.emit(NotEqual(value=0), decisive, part="counts")
    zero = call.constant("zero", np.array(0, product.type.dtype))
    return call.emit(Where(), counts, product, zero)


@reads("tf.ReciprocalNoNan", arguments=("x",))
def reciprocal_no_nan(call: LayerCall) -> Tensor:
    """tf.math.reciprocal_no_nan: 0 for 0."""
    (x,) = tensors(call, "x")
    one = call.constant("one", np.array(1, x.type.dtype))
    return call.emit(Binary(kind="divide_no_nan"), one, x)


@reads("tf.ScalarMul", arguments=("scalar",))
def scalar_mul(call: LayerCall) -> Tensor:
    """tf.math.scalar_mul."""
    return call.emit(Merge(kind="multiply"), *tensors(call, "scalar", "x"))


@reads("tf.AddN", arguments=("inputs",))
def add_n(call: LayerCall) -> Tensor:
    """tf.math.add_n and accumulate_n."""
    call.argument("shape")
    call.argument("tensor_dtype")
    return call.emit(Merge(kind="add"), *listed(call, call.argument("inputs"), "value"))


@reads("tf.Polyval", arguments=("coeffs",))
def polyval(call: LayerCall) -> Tensor:
    """tf.math.polyval: Horner's scheme, the highest power first."""
    (x,) = tensors(call, "x")
    first, *rest = listed(call, [x, *call.argument("coeffs")], "coefficient")[1:]
    zero = call.emit(Fill(value=0, dtype=x.type.dtype), x, part="zero")
    total = call.emit(Merge(kind="add"), zero, first, part="" if not rest else "start")
    for i, coefficient in enumerate(rest):
        product = call.emit(Merge(kind="multiply"), total, x, part=f"product_{i}")
        part = "" if i == len(rest) - 1 else f"sum_{i}"
        total = call.emit(Merge(kind="add"), product, coefficient, part=part)
    return total


@reads("tf.Clip", arguments=("t",))
def clip(call: LayerCall) -> Tensor:
    """tf.clip_by_value; the limits may be tensors, and the lower one wins."""
    x, low, high = tensors(call, "t", "clip_value_min", "clip_value_max")
    below = call.emit(Merge(kind="minimum"), x, high, part="minimum")
    return call.emit(Merge(kind="maximum"), below, low)


@reads("tf.ClipByNorm", arguments=("t",))
def clip_by_norm(call: LayerCall) -> Tensor:
    """tf.clip_by_norm: ``t * limit / max(norm, limit)``."""
    x, limit = tensors(call, "t", "clip_norm")
    op = Norm(axis=axes_of(call, x, "axes"), ord=None, keepdims=True)
    norm = call.emit(op, x, part="norm")
    longest = call.emit(Merge(kind="maximum"), norm, limit, part="longest")
    scaled = call.emit(Merge(kind="multiply"), x, limit, part="scaled")
    return call.emit(Binary(kind="divide"), scaled, longest)


# --- reductions ------------------------------------------------------------------------

REDUCED: dict[str, ReduceKind] = {
    "ReduceSum": "sum", "ReduceMax": "max", "ReduceMin": "min", "ReduceProd": "prod",
    "ReduceAny": "any", "ReduceAll": "all", "ReduceStd": "std", "ReduceVar": "var",
    "ReduceLogsumexp": "logsumexp", "ReduceMean": "mean",
}  # fmt: skip


def axes_of(call: LayerCall, x: Tensor, name: str = "axis") -> tuple[int, ...]:
    """The axes an argument names; all when there is none."""
    axis = call.argument(name)
    if axis is None:
        return tuple(range(len(x.shape)))
    return wholes(call, axis, name)


def keepdims_of(call: LayerCall) -> bool:
    """Whether reduced axes stay with size 1."""
    return bool(call.argument("keepdims", False))


@reads(*(f"tf.{name}" for name in REDUCED), arguments=("input_tensor",))
def reduce(call: LayerCall) -> Tensor:
    """tf.math.reduce_sum and its kin, in the dtype of the input."""
    (x,) = tensors(call, "input_tensor")
    kind, dtype = REDUCED[call.spec.class_name], x.type.dtype
    axes, keepdims = axes_of(call, x), keepdims_of(call)
    if not axes:
        # No axis at all: every element by itself.
        x, axes = call.emit(NewShape(shape=(*_shape(call, x), 1)), x, part="column"), (-1,)
    then: list[Op | None] = []
    if kind == "mean" and dtype not in FLOATS:
        # The mean of whole numbers is one: their exact mean without its fraction.
        x = as_dtype(call, x, "float64", "exact")
        then = [Math(kind="trunc"), Cast(dtype=dtype)]
    elif kind not in ("any", "all") and Reduce(kind=kind, axis=axes)._dtype(x.type) != dtype:
        then = [Cast(dtype=dtype)]
    return call.emit(Reduce(kind=kind, axis=axes, keepdims=keepdims), x, then=then)


def _shape(call: LayerCall, x: Tensor) -> tuple[int, ...]:
    if sum(d is None for d in x.shape) > 1:
        raise call.refusal("several axes of its input are of unknown size")
    return tuple(-1 if d is None else d for d in x.shape)


@reads("tf.ReduceEuclidean", arguments=("input_tensor",))
def euclidean(call: LayerCall) -> Tensor:
    """tf.math.reduce_euclidean_norm."""
    (x,) = tensors(call, "input_tensor")
    return call.emit(Norm(axis=axes_of(call, x), ord=None, keepdims=keepdims_of(call)), x)


@reads("tf.CountNonzero", arguments=("input",))
def count_nonzero(call: LayerCall) -> Tensor:
    """tf.math.count_nonzero."""
    (x,) = tensors(call, "input")
    op = Reduce(kind="count_nonzero", axis=axes_of(call, x), keepdims=keepdims_of(call))
    return call.emit(op, x, then=[Cast(dtype=dtype_of(call, "dtype", "int64"))])


@reads("tf.ZeroFraction", arguments=("value",))
def zero_fraction(call: LayerCall) -> Tensor:
    """tf.math.zero_fraction."""
    (x,) = tensors(call, "value")
    zero = call.constant("zero", np.array(0, x.type.dtype))
    hit = call.emit(Binary(kind="equal"), x, zero, part="hit")
    numbers = call.emit(Cast(dtype="float32"), hit, part="number")
    return call.emit(Reduce(kind="mean", axis=tuple(range(len(x.shape)))), numbers)


@reads("tf.Argmax", "tf.Argmin", arguments=("input",))
def arg_extreme(call: LayerCall) -> Tensor:
    """tf.math.argmax and argmin: along axis 0 unless told otherwise."""
    (x,) = tensors(call, "input")
    kind: Any = call.spec.class_name.lower()
    axis = (whole(call, call.argument("axis", 0), "axis"),)
    op = Reduce(kind=kind, axis=axis, equal_zeros=x.type.is_float)
    return call.emit(op, x, then=[Cast(dtype=dtype_of(call, "output_type", "int64"))])


@reads("tf.TopK", arguments=("input",))
def top_k(call: LayerCall) -> list[Tensor]:
    """tf.math.top_k."""
    (x,) = tensors(call, "input")
    call.argument("sorted")
    op = TopK(k=whole(call, call.argument("k", 1), "k"))
    values, places = call.emit_all(op, x)
    dtype = dtype_of(call, "index_type", "int32")
    return [values, as_dtype(call, places, dtype, "places")]


@reads("tf.Sort", "tf.Argsort", arguments=("values",))
def sort(call: LayerCall) -> Tensor:
    """tf.sort and tf.argsort; in descending order equal elements keep theirs."""
    (x,) = tensors(call, "values")
    axis = whole(call, call.argument("axis", -1), "axis")
    down = str(call.argument("direction", "ASCENDING")).upper() == "DESCENDING"
    call.argument("stable")
    places = call.spec.class_name == "Argsort"
    if not down:
        return call.emit(Sort(axis=axis, places=places), x)
    if places:
        # Downwards is upwards of the negated values, which keeps the order of equal ones.
        if not x.type.is_float:
            x = as_dtype(call, x, "float64", "wide")
        return call.emit(Math(kind="negative"), x, then=[Sort(axis=axis, places=True)])
    return call.emit(Sort(axis=axis), x, then=[Flip(axis=(axis,))])


@reads("tf.Moments", arguments=("x",))
def moments(call: LayerCall) -> list[Tensor]:
    """tf.nn.moments: mean and variance."""
    (x,) = tensors(call, "x")
    axes, keepdims = wholes(call, call.argument("axes"), "axes"), keepdims_of(call)
    call.argument("shift")
    mean = call.emit(Reduce(kind="mean", axis=axes, keepdims=keepdims), x, part="mean")
    return [mean, call.emit(Reduce(kind="var", axis=axes, keepdims=keepdims), x)]


@reads("tf.Cumsum", "tf.Cumprod", arguments=("x",))
def cumulate(call: LayerCall) -> Tensor:
    """tf.math.cumsum and cumprod: ``exclusive`` leaves the element itself out."""
    (x,) = tensors(call, "x")
    product = call.spec.class_name == "Cumprod"
    axis = whole(call, call.argument("axis", 0), "axis") % len(x.shape)
    exclusive, back = (bool(call.argument(n, False)) for n in ("exclusive", "reverse"))
    steps: list[Op | None] = [Flip(axis=(axis,))] if back else []
    if exclusive:
        around: list[Any] = [(0, 0)] * len(x.shape)
        around[axis] = (1, 0)
        key: list[Any] = [(None, None, None)] * axis
        steps.append(PadAll(pad_width=tuple(around), value=float(product)))
        steps.append(Slice(key=(*key, (None, -1, None))))
    steps.append(Cumulate(kind="prod" if product else "sum", axis=axis))
    if back:
        steps.append(Flip(axis=(axis,)))
    first, *rest = steps
    assert first is not None
    return call.emit(first, x, then=rest)


# --- lengths ---------------------------------------------------------------------------


@reads("tf.L2Normalize", arguments=("x",))
def l2_normalize(call: LayerCall) -> Tensor:
    """tf.math.l2_normalize: ``x / sqrt(max(sum(x^2), epsilon))``."""
    (x,) = tensors(call, "x")
    axes = tuple(sorted(a % len(x.shape) for a in axes_of(call, x)))
    epsilon = call.argument("epsilon", 1e-12)
    if epsilon == 1e-12:
        return call.emit(UnitNorm(axis=axes), x)
    limit = call.constant("epsilon", np.array(epsilon, x.type.dtype))
    squares = call.emit(Math(kind="square"), x, part="square")
    total = call.emit(Reduce(kind="sum", axis=axes, keepdims=True), squares, part="sum")
    bounded = call.emit(Merge(kind="maximum"), total, limit, part="maximum")
    factor = call.emit(Math(kind="rsqrt"), bounded, part="factor")
    return call.emit(Merge(kind="multiply"), x, factor)


def _norm(call: LayerCall, x: Tensor, keepdims: bool, part: str) -> Tensor:
    """A norm of vectors or matrices; without axes the value is one vector."""
    order, axis = call.argument("ord", "euclidean"), call.argument("axis")
    axes = tuple(a % len(x.shape) for a in axes_of(call, x))
    if order in ("euclidean", "fro") or (order == 2 and axis is None):
        return call.emit(Norm(axis=axes, ord=None, keepdims=keepdims), x, part=part)
    if order == "inf":
        order = float("inf")
    if len(axes) == 1 or (len(axes) == 2 and axis is not None and order in (1, 2, float("inf"))):
        return call.emit(Norm(axis=axes, ord=order, keepdims=keepdims), x, part=part)
    raise call.refusal(f"ord={order!r} of {len(axes)} axes is not supported yet")


@reads("tf.Norm", arguments=("tensor",))
def norm(call: LayerCall) -> Tensor:
    """tf.norm."""
    (x,) = tensors(call, "tensor")
    return _norm(call, x, keepdims_of(call), "")


@reads("tf.Normalize", arguments=("tensor",))
def normalize(call: LayerCall) -> list[Tensor]:
    """tf.linalg.normalize: the quotient, and the norm."""
    (x,) = tensors(call, "tensor")
    length = _norm(call, x, True, "norm")
    return [call.emit(Binary(kind="divide"), x, length), length]


@reads("tf.L2Loss", arguments=("t",))
def l2_loss(call: LayerCall) -> Tensor:
    """tf.nn.l2_loss: half the sum of squares."""
    (x,) = tensors(call, "t")
    squares = call.emit(Math(kind="square"), x, part="square")
    total = call.emit(Reduce(kind="sum", axis=tuple(range(len(x.shape)))), squares, part="sum")
    return call.emit(
        Merge(kind="multiply"), total, call.constant("half", np.array(0.5, x.type.dtype))
    )
