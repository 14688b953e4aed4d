"""Operations a random architecture is made of: ``keras.ops``, TensorFlow functions, Python's."""

from __future__ import annotations

from typing import Any

from architectures.layers import Shape, rank, small
from architectures.sketch import Choices, Row

K3, K2 = ("keras",), ("tf_keras",)

# Continuous functions only: behind a rounding error, a step has no right answer.
ONE = (
    "abs square sin cos tanh exp expm1 sigmoid relu relu6 silu softplus softsign gelu elu selu leaky_relu log_sigmoid "
    "hard_sigmoid hard_silu squareplus hard_tanh arctan arcsinh erf negative"
).split()
TENSORFLOW_ONE = (
    "abs math.square sin cos tanh math.expm1 sigmoid nn.relu nn.relu6 nn.silu math.softplus nn.softsign nn.gelu nn.elu nn.selu "
    "nn.leaky_relu atan asinh math.erf negative"
).split()
PYTHON = [
    "{x} + 0.5", "1.5 - {x}", "{x} * 2", "-{x}", "{x} / 3", "{x} ** 2", "abs({x})", "{x} * {x}", "0.5 / ({x} * {x} + 1.0)",
    "{x} - {x} * 0.25",
]  # fmt: skip
REDUCED = ["mean", "sum", "max", "min", "std", "var", "logsumexp", "prod"]


def _axis(c: Choices, s: Shape) -> int:
    return c.integer(1, len(s) - 1) if len(s) > 1 else -1


def _reduced(c: Choices, x: str, s: Shape) -> str:
    kept = c.pick(["", ", keepdims=True"])
    return f"k.ops.{c.pick(REDUCED)}({x}, axis={_axis(c, s)}{kept})"


def _reduced_in_tensorflow(c: Choices, x: str, s: Shape) -> str:
    kind = c.pick(["mean", "sum", "max", "min", "logsumexp", "prod"])
    kept = c.pick(["", ", keepdims=True"])
    return f"tf.reduce_{kind}({x}, axis={_axis(c, s)}{kept})"


def _sliced(c: Choices, x: str, s: Shape) -> str:
    parts = [":"]
    for d in s[1:]:
        kind = c.integer(0, 3)
        if d is None or d < 2 or kind == 0:
            parts.append(":")
        elif kind == 1:
            parts.append(f"{c.integer(0, 1)}:")
        elif kind == 2:
            parts.append(f"::{c.pick([2, -1])}")
        else:
            parts.append(f":{c.integer(1, d)}")
    if len(s) > 2 and s[1] is not None and c.integer(0, 2) == 2:
        parts[1] = str(c.integer(0, s[1] - 1))
    return f"{x}[{', '.join(parts)}]"


def _transposed(function: str) -> Any:
    def write(c: Choices, x: str, s: Shape) -> str:
        rest, order = list(range(1, len(s))), [0]
        while rest:
            order.append(rest.pop(c.integer(0, len(rest) - 1)))
        return f"{function}({x}, {order})"

    return write


def _reshaped(function: str) -> Any:
    def write(c: Choices, x: str, s: Shape) -> str:
        inner = 1
        for d in s[1:]:
            inner *= d
        first = c.pick([d for d in range(1, inner + 1) if inner % d == 0])
        return f"{function}({x}, (-1, {first}, {inner // first}))"

    return write


def _padded(function: str) -> Any:
    def write(c: Choices, x: str, s: Shape) -> str:
        width = [[0, 0], *([c.integer(0, 2), c.integer(0, 2)] for _ in s[1:])]
        return f"{function}({x}, {width})"

    return write


def _other_ops(c: Choices, x: str, s: Shape) -> str:
    axis = _axis(c, s)
    return c.pick([
        f"k.ops.expand_dims({x}, {axis})", f"k.ops.flip({x}, {axis})", f"k.ops.roll({x}, 1, axis={axis})", f"k.ops.repeat({x}, 2, axis={axis})",
        f"k.ops.tile({x}, {[1, *(2 if i == axis else 1 for i in range(1, len(s)))]})", f"k.ops.softmax({x}, axis={axis})",
        f"k.ops.log_softmax({x}, axis={axis})", f"k.ops.cumsum({x}, axis={axis})", f"k.ops.concatenate([{x}, {x}], axis={axis})",
        f"k.ops.stack([{x}, {x}], axis={axis})", f"k.ops.clip({x}, -0.5, 1.0)", f"k.ops.maximum({x}, 0.25)", f"k.ops.minimum({x}, {x} * 0.5)",
        f"k.ops.where({x} > 0, {x}, 0.0)", f"k.ops.normalize({x}, axis={axis})", f"k.ops.sort({x}, axis={axis})", f"k.ops.swapaxes({x}, 1, -1)",
        f"k.ops.moveaxis({x}, {axis}, 1)", f"k.ops.logaddexp({x}, {x} * 2)", f"k.ops.hypot({x}, {x} + 1)", f"k.ops.arctan2({x}, 2.0)",
        f"k.ops.take({x}, [0, 0], axis={axis})", f"k.ops.zeros_like({x}) + {x}", f"k.ops.tanh({x}) * k.ops.ones_like({x})",
    ])  # fmt: skip


def _other_functions(c: Choices, x: str, s: Shape) -> str:
    axis = _axis(c, s)
    return c.pick([
        f"tf.expand_dims({x}, {axis})", f"tf.reverse({x}, [{axis}])", f"tf.roll({x}, 1, {axis})", f"tf.repeat({x}, 2, axis={axis})",
        f"tf.tile({x}, {[1, *(2 if i == axis else 1 for i in range(1, len(s)))]})", f"tf.nn.softmax({x}, axis={axis})",
        f"tf.nn.log_softmax({x}, axis={axis})", f"tf.cumsum({x}, axis={axis})", f"tf.concat([{x}, {x}], {axis})", f"tf.stack([{x}, {x}], {axis})",
        f"tf.clip_by_value({x}, -0.5, 1.0)", f"tf.maximum({x}, 0.25)", f"tf.minimum({x}, {x} * 0.5)", f"tf.where({x} > 0, {x}, 0.0)",
        f"tf.math.l2_normalize({x}, axis={axis})", f"tf.sort({x}, axis={axis})", f"tf.gather({x}, [0, 0], axis={axis})", f"tf.zeros_like({x}) + {x}",
        f"tf.reshape({x}, tf.shape({x}))", f"tf.math.squared_difference({x}, 0.5)", f"{x} * tf.ones_like({x})",
    ])  # fmt: skip


def _products(c: Choices, x: str, s: Shape) -> str:
    return c.pick([
        f"k.ops.matmul({x}, k.ops.transpose({x}, (0, 2, 1)))", f"k.ops.einsum('bij,bkj->bik', {x}, {x})", f"k.ops.einsum('bij->bji', {x})",
        f"k.ops.einsum('bij,bij->bi', {x}, {x})",
    ])  # fmt: skip


def _products_in_tensorflow(c: Choices, x: str, s: Shape) -> str:
    return c.pick(
        [f"tf.matmul({x}, {x}, transpose_b=True)", f"tf.matmul({x}, {x}, transpose_a=True)"]
    )


def several(s: Shape) -> bool:
    """At least one axis besides the batch, not too many."""
    return 2 <= len(s) <= 5 and all(d is None or d <= 40 for d in s[1:])


def known(s: Shape) -> bool:
    """All axes besides the batch are of known size, and small."""
    return several(s) and small(s)


OPERATIONS = [
    Row("python", several, lambda c, x, s: c.pick(PYTHON).format(x=x)),
    Row("slice", lambda s: known(s) and len(s) > 1, _sliced),
    Row("one", several, lambda c, x, s: f"k.ops.{c.pick(ONE)}({x})", K3),
    Row("reduction", lambda s: known(s) and len(s) > 2, _reduced, K3),
    Row("transpose", known, _transposed("k.ops.transpose"), K3),
    Row("new shape", known, _reshaped("k.ops.reshape"), K3),
    Row("pad", known, _padded("k.ops.pad"), K3),
    Row("other", known, _other_ops, K3),
    Row("product", rank(3, known=2), _products, K3),
    Row("one", several, lambda c, x, s: f"tf.{c.pick(TENSORFLOW_ONE)}({x})", K2),
    Row("reduction", lambda s: known(s) and len(s) > 2, _reduced_in_tensorflow, K2),
    Row("transpose", known, _transposed("tf.transpose"), K2),
    Row("new shape", known, _reshaped("tf.reshape"), K2),
    Row("pad", known, _padded("tf.pad"), K2),
    Row("other", known, _other_functions, K2),
    Row("product", rank(3, known=2), _products_in_tensorflow, K2),
]  # fmt: skip
