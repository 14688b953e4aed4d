"""Dense and its kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.layers.activation import activation
from layergraph.frontends.keras.layers.quantization import Product, emit_product
from layergraph.frontends.keras.operands import listed, numbers, operands
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.elementwise import Math, Unary
from layergraph.ir.ops.linear import Cross, Dense, Einsum, EinsumDense, Kron, Tensordot
from layergraph.ir.ops.merge import Merge
from layergraph.ir.ops.reduction import Reduce
from layergraph.ir.ops.shape import NewShape
from layergraph.ir.types import Shape


@reads("Dense", masking="pass")
def dense(call: LayerCall) -> Tensor:
    """keras/src/layers/core/dense.py."""
    x, config = call.input(), call.config
    units = config.int("units")
    bias = (units,) if config.bool("use_bias", True) else None
    what = Product(Dense(), (x.shape[-1], units), bias)
    return emit_product(call, x, what, then=[activation(call, "activation")])


@reads("TernaryDense", masking="pass")
def ternary_dense(call: LayerCall) -> Tensor:
    """A Dense layer whose kernel is -1, 0 or 1 times its mean size.

    Source: keras/src/layers/core/ternary_dense.py, Keras 3.16 in development.
    """
    x, config = call.input(), call.config
    units, threshold = config.int("units"), config.optional_float("threshold")
    if isinstance(call.spec.config.get("dtype"), dict) and "ternary" in str(
        call.spec.config["dtype"]
    ):
        raise call.refusal("its kernel is packed", "save the model before quantize('ternary')")
    bias = (units,) if config.bool("use_bias", True) else None
    held = call.weights(kernel=(x.shape[-1], units), bias=bias)
    size = np.abs(held["kernel"])
    mean = size.mean() if threshold is None else size.dtype.type(1)
    bound = 0.5 * mean if threshold is None else threshold
    kernel = np.sign(held["kernel"]) * (size > bound) * mean
    params = {**held, "kernel": kernel.astype(held["kernel"].dtype)}
    return call.emit(Dense(), x, params=params, then=[activation(call, "activation")])


@reads("EinsumDense", masking="pass")
def einsum_dense(call: LayerCall) -> Tensor:
    """keras/src/layers/core/einsum_dense.py."""
    x, config = call.input(), call.config
    equation = config.text("equation")
    output_shape = config.take("output_shape")
    axes = config.take("bias_axes", None)
    wanted = output_shape if isinstance(output_shape, list) else [output_shape]
    kernel, bias = einsum_parameters(call, equation, x.shape, wanted, axes)
    config.ignore("gptq_unpacked_column_size")
    what = Product(EinsumDense(equation=equation), kernel, bias)
    return emit_product(call, x, what, then=[activation(call, "activation")])


@reads("MaxoutDense")
def maxout_dense(call: LayerCall) -> Tensor:
    """keras/layers/core.py ``MaxoutDense``, Keras 1.2.2: the largest of several Dense layers."""
    x, config = call.input(), call.config
    units, features = config.int("units"), config.int("features")
    params = call.weights(
        kernel=(features, x.shape[-1], units),
        bias=(features, units) if config.bool("use_bias", True) else None,
    )
    op = EinsumDense(equation="ab,cbd->acd")
    return call.emit(op, x, params=params, then=[Reduce(kind="max", axis=(1,))])


@reads("Highway")
def highway(call: LayerCall) -> Tensor:
    """keras/layers/core.py ``Highway``, Keras 1.2.2: a learned mix of Dense and input."""
    x, use_bias = call.input(), call.config.bool("use_bias", True)
    square, bias = (x.shape[-1], x.shape[-1]), (x.shape[-1],) if use_bias else None
    params = call.weights(kernel=square, carry_kernel=square, bias=bias, carry_bias=bias)
    own = {role: array for role, array in params.items() if "carry" not in role}
    carry = {role: params[f"carry_{role}"] for role in own}
    share = call.emit(Dense(), x, params=carry, then=[Unary(kind="sigmoid")], part="share")
    y = call.emit(Dense(), x, params=own, then=[activation(call, "activation")], part="transform")
    # share * y + (1 - share) * x
    change = call.emit(Merge(kind="subtract"), y, x, part="change")
    step = call.emit(Merge(kind="multiply"), share, change, part="step")
    return call.emit(Merge(kind="add"), x, step)


@reads("RandomFourierFeatures")
def random_fourier_features(call: LayerCall) -> Tensor:
    """tf_keras/src/layers/kernelized.py: the cosine of a Dense layer nobody trains."""
    x, units = call.input(), call.config.int("output_dim")
    call.config.ignore("scale")
    params = call.weights(kernel_scale=(1,), unscaled_kernel=(x.shape[-1], units), bias=(units,))
    kernel = (1 / params["kernel_scale"]) * params["unscaled_kernel"]
    params = {"kernel": kernel, "bias": params["bias"]}
    return call.emit(Dense(), x, params=params, then=[Math(kind="cos")])


def einsum_parameters(
    call: LayerCall, equation: str, shape: Shape, output_shape: list[int | None], bias_axes: Any
) -> tuple[Shape, Shape | None]:
    """Shapes of kernel and bias of an EinsumDense.

    Source: keras/src/layers/core/einsum_dense.py ``_analyze_einsum_string``, Keras 3.15.
    """
    left, _, output = equation.replace(" ", "").partition("->")
    source, kernel = left.split(",")
    known: dict[str, int | None] = {}
    # Labels stand for axes from the end where "..." is in front, else from the start.
    for term, sizes in ((output, output_shape), (source, list(shape[1:]))):
        labels = term.replace("...", "")
        if not term.startswith("..."):
            labels = labels[1:] if "..." not in term else labels
        if term.endswith("..."):
            labels = term[1:-3]
            pairs = zip(labels, sizes, strict=False)
        else:
            pairs = zip(reversed(labels), reversed(sizes), strict=False)
        for label, size in pairs:
            known[label] = size if known.get(label) is None else known[label]
    if missing := [label for label in kernel if label not in known]:
        raise call.refusal(f"equation={equation!r} does not say how large {missing[0]!r} is")
    shape_of_bias = None
    if bias_axes:
        labels = output.replace("...", "")
        first = min(labels.index(c) for c in bias_axes)
        shape_of_bias = tuple(known[c] if c in bias_axes else 1 for c in labels[first:])
    return tuple(known[c] for c in kernel), shape_of_bias


# --- operations ------------------------------------------------------------------------


@reads("ops.Einsum", arguments=("operands", "*"))
def einsum(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Einsum``."""
    values = call.argument("operands")
    if isinstance(values, Tensor):
        return call.emit(Einsum(equation=call.config.text("subscripts")), values)
    return call.emit(Einsum(equation=call.config.text("subscripts")), *listed(call, "operands"))


@reads("ops.Tensordot", arguments=("x1", "x2"))
def tensordot(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Tensordot``: a number of axes, or the axes of both."""
    x1, x2 = operands(call, "x1", "x2", weak=False)
    ranks, given = (len(x1.shape), len(x2.shape)), call.config.take("axes", 2)
    if isinstance(given, int):
        axes = (tuple(range(ranks[0] - given, ranks[0])), tuple(range(given)))
    else:
        first, second = (
            tuple(a % rank for a in numbers(g)) for g, rank in zip(given, ranks, strict=True)
        )
        axes = (first, second)
    return call.emit(Tensordot(axes=axes, exact=True), x1, x2)


@reads("ops.Dot", "ops.Inner", "ops.Vdot", arguments=("x1", "x2"))
def dot(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Dot``, ``Inner`` and ``Vdot``; a number multiplies."""
    x1, x2 = operands(call, "x1", "x2", weak=False)
    if call.spec.class_name == "Vdot":
        x1, x2 = (call.emit(NewShape(shape=(-1,)), x, part=f"x{i}") for i, x in enumerate((x1, x2)))
    elif not (x1.shape and x2.shape):
        return call.emit(Merge(kind="multiply"), x1, x2)
    inner = call.spec.class_name == "Inner" or len(x2.shape) == 1
    second = len(x2.shape) - (1 if inner else 2)
    return call.emit(Tensordot(axes=((len(x1.shape) - 1,), (second,))), x1, x2)


@reads("ops.Outer", arguments=("x1", "x2"))
def outer(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Outer``: a column times a row, both flat."""
    x1, x2 = operands(call, "x1", "x2", weak=False)
    column = call.emit(NewShape(shape=(-1, 1)), x1, part="column")
    return call.emit(
        Merge(kind="multiply"), column, call.emit(NewShape(shape=(-1,)), x2, part="row")
    )


@reads("ops.Kron", arguments=("x1", "x2"))
def kron(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Kron``."""
    return call.emit(Kron(), *operands(call, "x1", "x2", weak=False))


@reads("ops.Cross", arguments=("x1", "x2"))
def cross(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Cross``; ``axis`` stands for all three."""
    x1, x2 = operands(call, "x1", "x2", weak=False)
    axis = call.config.take("axis", None)
    a, b, c = (call.config.int(f"axis{n}", -1) if axis is None else axis for n in "abc")
    if axis is not None:
        call.config.ignore("axisa", "axisb", "axisc")
    return call.emit(Cross(axes=(a % len(x1.shape), b % len(x2.shape)), result=c), x1, x2)
