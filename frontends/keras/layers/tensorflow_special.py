"""Special functions, losses and rounding of TensorFlow, made of simpler functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.frontends.keras.sizes import whole
from layergraph.frontends.keras.tensorflow import as_dtype, tensors
from layergraph.ir.op import Op
from layergraph.ir.ops.elementwise import Binary, Cast, Clip, Math, MathKind, Scale, Unary, Where
from layergraph.ir.ops.indexing import Flip, Slice
from layergraph.ir.ops.merge import Merge
from layergraph.ir.ops.reduction import Cumulate, Reduce
from layergraph.ir.ops.shape import NewShape, PadAll

FUNCTIONS: dict[str, MathKind] = {"LogGamma": "lgamma", "Digamma": "digamma", "BesselI0e": "i0e"}


@reads(*(f"tf.{name}" for name in FUNCTIONS), arguments=("x",))
def special(call: LayerCall) -> Tensor:
    """tf.math.lgamma, digamma and bessel_i0e."""
    return call.emit(Math(kind=FUNCTIONS[call.spec.class_name]), *tensors(call, "x"))


@reads("tf.Erfcinv", "tf.Ndtri", arguments=("x",))
def inverse_errors(call: LayerCall) -> Tensor:
    """tf.math.erfcinv ``erfinv(1 - x)``, ndtri ``sqrt(2) erfinv(2 x - 1)``; in float64, as
    near the ends float32 has too few places left."""
    (x,) = tensors(call, "x")
    normal = call.spec.class_name == "Ndtri"
    wide = as_dtype(call, x, "float64", "wide")
    offset = {"offset": np.array(-1.0 if normal else 1.0)}
    line = call.emit(Scale(factor=2.0 if normal else -1.0), wide, params=offset, part="line")
    steps: list[Op] = [Scale(factor=float(np.sqrt(2)))] if normal else []
    return call.emit(Math(kind="erfinv"), line, then=[*steps, Cast(dtype=x.type.dtype)])


@reads("tf.LogBeta", arguments=("x",))
def log_beta(call: LayerCall) -> Tensor:
    """tf.math.lbeta: of the last axis."""
    (x,) = tensors(call, "x")
    parts = call.emit(Math(kind="lgamma"), x, part="lgamma")
    product = call.emit(Reduce(kind="sum", axis=(-1,)), parts, part="product")
    total = call.emit(Reduce(kind="sum", axis=(-1,)), x, part="total")
    whole_ = call.emit(Math(kind="lgamma"), total, part="whole")
    return call.emit(Merge(kind="subtract"), product, whole_)


@reads("tf.CumulativeLogsumexp", arguments=("x",))
def cumulative_logsumexp(call: LayerCall) -> Tensor:
    """tf.math.cumulative_logsumexp: the logarithm of nothing is ``-inf``."""
    (x,) = tensors(call, "x")
    axis = whole(call, call.argument("axis", 0), "axis") % len(x.shape)
    exclusive, back = (bool(call.argument(n, False)) for n in ("exclusive", "reverse"))
    turn = Flip(axis=(axis,))
    steps: list[Op] = [turn] if back else []
    if exclusive:
        around = [(0, 0)] * len(x.shape)
        around[axis] = (1, 0)
        steps.append(PadAll(pad_width=tuple(around), value=-np.inf))
        steps.append(Slice(key=(*((None, None, None),) * axis, (None, -1, None))))
    steps.append(Cumulate(kind="logsumexp", axis=axis))
    steps += [turn] if back else []
    first, *rest = steps
    return call.emit(first, x, then=rest)


@reads("tf.NonDecreasing", "tf.StrictlyIncreasing", arguments=("x",))
def ordered(call: LayerCall) -> Tensor:
    """tf.math.is_non_decreasing and is_strictly_increasing: of all elements in a row."""

    (x,) = tensors(call, "x")
    flat = call.emit(NewShape(shape=(-1,)), x, part="flat")
    before, behind = (
        call.emit(Slice(key=(key,)), flat, part=part)
        for part, key in (("before", (None, -1, None)), ("behind", (1, None, None)))
    )
    strict = call.spec.class_name == "StrictlyIncreasing"
    kind: Any = "less" if strict else "less_equal"
    fits = call.emit(Binary(kind=kind), before, behind, part="fits")
    return call.emit(Reduce(kind="all", axis=(0,)), fits)


@reads("tf.WeightedCrossEntropy", arguments=("labels",))
def weighted_cross_entropy(call: LayerCall) -> Tensor:
    """tf.nn.weighted_cross_entropy_with_logits.

    ``(1 - z) x + (1 + (q - 1) z) (log(1 + exp(-|x|)) + max(-x, 0))``.
    """
    z, x = tensors(call, "labels", "logits")
    weight = tensors(call, "labels", "pos_weight")[1]
    one = call.constant("one", np.array(1, x.type.dtype))
    more = call.emit(Merge(kind="subtract"), weight, one, part="more")
    scaled = call.emit(Merge(kind="multiply"), more, z, part="scaled")
    factor = call.emit(Merge(kind="add"), scaled, one, part="factor")
    less = call.emit(Math(kind="negative"), x, part="less")
    loss = call.emit(Unary(kind="softplus"), less, part="loss")
    right = call.emit(Merge(kind="multiply"), factor, loss, part="right")
    rest = call.emit(Merge(kind="subtract"), one, z, part="rest")
    left = call.emit(Merge(kind="multiply"), rest, x, part="left")
    return call.emit(Merge(kind="add"), left, right)


@reads("tf.LogPoissonLoss", arguments=("targets",))
def log_poisson_loss(call: LayerCall) -> Tensor:
    """tf.nn.log_poisson_loss: ``exp(c) - z c``, and Stirling's terms where asked for."""
    z, x = tensors(call, "targets", "log_input")
    rate = call.emit(Math(kind="exp"), x, part="rate")
    product = call.emit(Merge(kind="multiply"), x, z, part="product")
    if not call.argument("compute_full_loss", False):
        return call.emit(Merge(kind="subtract"), rate, product)
    loss = call.emit(Merge(kind="subtract"), rate, product, part="loss")
    logarithm = call.emit(Math(kind="log"), z, part="log")
    turned = call.emit(Scale(factor=2 * np.pi), z, part="turned")
    half = call.emit(Math(kind="log"), turned, then=[Scale(factor=0.5)], part="half")
    entropy = call.emit(Merge(kind="multiply"), z, logarithm, part="entropy")
    less = call.emit(Merge(kind="subtract"), entropy, z, part="less")
    stirling = call.emit(Merge(kind="add"), less, half, part="stirling")
    zero, one = (call.constant(f"n{i}", np.array(i, z.type.dtype)) for i in (0, 1))
    above = call.emit(Binary(kind="greater_equal"), z, zero, part="above")
    below = call.emit(Binary(kind="less_equal"), z, one, part="below")
    small = call.emit(Merge(kind="multiply"), *(
        call.emit(Cast(dtype=z.type.dtype), t, part=f"cast_{i}")
        for i, t in enumerate((above, below))
    ), part="small")  # fmt: skip
    hit = call.emit(Cast(dtype="bool"), small, part="hit")
    return call.emit(Merge(kind="add"), loss, call.emit(Where(), hit, zero, stirling, part="more"))


@reads("tf.Hinge", "tf.SquaredHinge", arguments=("y_true",))
def hinge(call: LayerCall) -> Tensor:
    """tf.keras.losses.hinge and squared_hinge: labels 0 and 1 alone count as -1 and 1.

    Source: tf_keras/src/losses.py ``_maybe_convert_labels``, tf-keras 2.21.
    """
    true, x = tensors(call, "y_true", "y_pred")
    true = as_dtype(call, true, x.type.dtype, "cast")
    square = call.emit(Math(kind="square"), true, part="square")
    same = call.emit(Binary(kind="equal"), square, true, part="same")
    axes = tuple(range(len(true.shape)))
    binary = call.emit(Reduce(kind="all", axis=axes), same, part="binary")
    minus = {"offset": np.array(-1, x.type.dtype)}
    signs = call.emit(Scale(factor=2.0), true, params=minus, part="signs")
    true = call.emit(Where(), binary, signs, true, part="labels")
    product = call.emit(Merge(kind="multiply"), true, x, part="product")
    one = {"offset": np.array(1, x.type.dtype)}
    loss = call.emit(Scale(factor=-1.0), product, params=one, then=[Clip(low=0.0)], part="loss")
    if call.spec.class_name == "SquaredHinge":
        loss = call.emit(Math(kind="square"), loss, part="squared")
    return call.emit(Reduce(kind="mean", axis=(-1,)), loss)


@reads("tf.FakeQuantize", arguments=("inputs",))
def fake_quantize(call: LayerCall) -> Tensor:
    """tf.quantization.fake_quant_with_min_max_args, and of numbers ``_vars``.

    Source: tensorflow/core/kernels/fake_quant_ops_functor.h ``Nudge``, TensorFlow 2.21.
    """
    (x,) = tensors(call, "inputs")
    limits = (call.argument("min", -6.0), call.argument("max", 6.0))
    if any(isinstance(v, Tensor) for v in limits):
        raise call.refusal("its range depends on a tensor, which is not supported")
    low, high = (np.float32(v) for v in limits)
    narrow = bool(call.argument("narrow_range", False))
    least, most = int(narrow), 2 ** whole(call, call.argument("num_bits", 8), "num_bits") - 1
    scale = np.float32((high - low) / np.float32(most - least))
    zero = np.float32(np.float32(least) - low / scale)
    nudged = least if zero < least else most if zero > most else int(np.floor(zero + 0.5))
    bottom, top = (np.float32(np.float32(n - nudged) * scale) for n in (least, most))
    clipped = call.emit(Clip(low=float(bottom), high=float(top)), x, part="clipped")
    half = {"offset": np.array(0.5 - bottom * np.float32(1 / scale), x.type.dtype)}
    steps = call.emit(Scale(factor=float(np.float32(1 / scale))), clipped, params=half,
                      then=[Math(kind="floor")], part="steps")  # fmt: skip
    back = {"offset": np.array(bottom, x.type.dtype)}
    return call.emit(Scale(factor=float(scale)), steps, params=back)
