"""TensorFlow functions that arrange elements, where Keras has no equal."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.frontends.keras.sizes import sizes, whole, wholes
from layergraph.frontends.keras.tensorflow import dtype_of, listed, tensor_of, tensors
from layergraph.ir.ops.elementwise import Cast, Math
from layergraph.ir.ops.indexing import Flip, Gather, GatherND, ReverseSequence, Roll
from layergraph.ir.ops.merge import Concatenate, Fill
from layergraph.ir.ops.shape import (
    ExpandDims,
    Flatten,
    Identity,
    NewShape,
    RepeatElements,
    Squeeze,
    Transpose,
)


@reads("tf.Concat", arguments=("values",))
def concat(call: LayerCall) -> Tensor:
    """tf.concat."""
    values = listed(call, call.argument("values"), "value")
    axis = whole(call, call.argument("axis", 0), "axis")
    return call.emit(Concatenate(axis=axis), *values)


@reads("tf.ConvertToTensor", arguments=("value",))
def convert_to_tensor(call: LayerCall) -> Tensor:
    """tf.convert_to_tensor; a list of tensors is stacked."""
    value, dtype = call.argument("value"), call.argument("dtype")
    call.argument("dtype_hint")
    call.argument("preferred_dtype")
    x = tensor_of(call, value, "value", dtype)
    return call.emit(Cast(dtype=dtype) if dtype else Identity(), x)


@reads("tf.Transpose", arguments=("a",))
def transpose(call: LayerCall) -> Tensor:
    """tf.transpose; without ``perm`` the axes backwards."""
    (x,) = tensors(call, "a")
    axes = tuple(range(len(x.shape)))[::-1]
    if call.argument("perm") is not None:
        axes = tuple(a % len(x.shape) for a in wholes(call, call.argument("perm"), "perm"))
    if call.argument("conjugate", False) and x.type.is_complex:
        x = call.emit(Math(kind="conj"), x, part="conj")
    return call.emit(Transpose(axes=axes), x)


@reads("tf.ExpandDims", arguments=("input",))
def expand_dims(call: LayerCall) -> Tensor:
    """tf.expand_dims."""
    (x,) = tensors(call, "input")
    return call.emit(ExpandDims(axis=whole(call, call.argument("axis", 0), "axis")), x)


@reads("tf.Squeeze", arguments=("input",))
def squeeze(call: LayerCall) -> Tensor:
    """tf.squeeze; without axes all of size 1."""
    (x,) = tensors(call, "input")
    axis = call.argument("axis")
    axes = None if axis in (None, []) else wholes(call, axis, "axis")
    return call.emit(Squeeze(axis=axes), x)


@reads("tf.Reverse", arguments=("tensor",))
def reverse(call: LayerCall) -> Tensor:
    """tf.reverse."""
    (x,) = tensors(call, "tensor")
    return call.emit(Flip(axis=wholes(call, call.argument("axis"), "axis")), x)


@reads("tf.ReverseSequence", arguments=("input",))
def reverse_sequence(call: LayerCall) -> Tensor:
    """tf.reverse_sequence: the first elements of each row backwards."""
    x, lengths = (tensors(call, name)[0] for name in ("input", "seq_lengths"))
    axes = [
        whole(call, call.argument(name, call.argument(old, 0)), name) % len(x.shape)
        for name, old in (("seq_axis", "seq_dim"), ("batch_axis", "batch_dim"))
    ]
    return call.emit(ReverseSequence(seq_axis=axes[0], batch_axis=axes[1]), x, lengths)


@reads("tf.Roll", arguments=("input",))
def roll(call: LayerCall) -> Tensor:
    """tf.roll."""
    (x,) = tensors(call, "input")
    shift, axis = (wholes(call, call.argument(n), n) for n in ("shift", "axis"))
    return call.emit(Roll(shift=shift, axis=axis), x)


@reads("tf.Repeat", arguments=("input",))
def repeat(call: LayerCall) -> Tensor:
    """tf.repeat; without an axis of the flattened value."""
    (x,) = tensors(call, "input")
    axis, found = call.argument("axis"), sizes(call, call.argument("repeats"), "repeats")
    counts = tuple(n for n in found if isinstance(n, int))
    if len(counts) != len(found):
        raise call.refusal("repeats depend on a tensor, which is not supported yet")
    if axis is None:
        x, axis = call.emit(NewShape(shape=(-1,)), x, part="flat"), 0
    axis = whole(call, axis, "axis") % len(x.shape)
    return call.emit(
        RepeatElements(axis=axis, repeats=counts[0] if len(counts) == 1 else counts), x
    )


@reads("tf.Gather", arguments=("params",))
def gather(call: LayerCall) -> Tensor:
    """tf.gather: elements of an axis by number, for each row of the first ``batch_dims``."""
    params, indices = (tensors(call, name)[0] for name in ("params", "indices"))
    rows = whole(call, call.argument("batch_dims", 0), "batch_dims")
    rows = rows + len(indices.shape) if rows < 0 else rows
    axis = whole(call, call.argument("axis", rows), "axis") % len(params.shape)
    return call.emit(Gather(axis=axis, batch_dims=rows), params, indices)


@reads("tf.EmbeddingLookup", arguments=("params",))
def embedding_lookup(call: LayerCall) -> Tensor:
    """tf.nn.embedding_lookup in one table."""
    tables = call.argument("params")
    if isinstance(tables, list) and len(tables) == 1:
        tables = tables[0]
    call.argument("partition_strategy")
    table = tensor_of(call, tables, "params")
    return call.emit(Gather(axis=0), table, *tensors(call, "ids"))


@reads("tf.GatherND", arguments=("params",))
def gather_nd(call: LayerCall) -> Tensor:
    """tf.gather_nd: the last axis of the indices names a place."""
    params, indices = (tensors(call, name)[0] for name in ("params", "indices"))
    call.argument("bad_indices_policy")
    rows = whole(call, call.argument("batch_dims", 0), "batch_dims")
    return call.emit(GatherND(batch_dims=rows), params, indices)


@reads("tf.ZerosLike", "tf.OnesLike", arguments=("input",))
def like(call: LayerCall) -> Tensor:
    """tf.zeros_like, tf.ones_like."""
    (x,) = tensors(call, "input")
    call.argument("layout")
    call.argument("optimize")
    op = Fill(
        value=int(call.spec.class_name == "OnesLike"), dtype=dtype_of(call, "dtype", x.type.dtype)
    )
    return call.emit(op, x)


@reads("tf.IdentityN", arguments=("input",))
def identity_n(call: LayerCall) -> list[Tensor]:
    """tf.identity_n."""
    values = listed(call, call.argument("input"), "value")
    last = len(values) - 1
    return [
        call.emit(Identity(), v, part="" if i == last else f"value_{i}")
        for i, v in enumerate(values)
    ]


@reads("tf.EnsureShape", arguments=("x",))
def ensure_shape(call: LayerCall) -> Tensor:
    """tf.ensure_shape and tf.debugging.check_numerics: the value itself."""
    (x,) = tensors(call, "x")
    call.argument("shape")
    call.argument("message")
    return call.emit(Identity(), x)


@reads("tf.BatchFlatten", arguments=("x",))
def batch_flatten(call: LayerCall) -> Tensor:
    """tf.keras.backend.batch_flatten."""
    return call.emit(Flatten(), *tensors(call, "x"))


@reads("tf.Eye", arguments=("num_rows",))
def eye(call: LayerCall) -> Tensor:
    """tf.eye of known size."""
    rows = whole(call, call.argument("num_rows"), "num_rows")
    columns = whole(call, call.argument("num_columns", rows), "num_columns")
    batch: Any = wholes(call, call.argument("batch_shape", []), "batch_shape")
    array = np.eye(rows, columns, dtype=dtype_of(call, "dtype", "float32"))
    return call.constant("", np.array(np.broadcast_to(array, (*batch, rows, columns))))


@reads("tf.Linspace", arguments=("start",))
def linspace(call: LayerCall) -> Tensor:
    """tf.linspace between known numbers."""
    start, stop = call.argument("start"), call.argument("stop")
    count = whole(call, call.argument("num"), "num")
    if not all(isinstance(v, (int, float)) for v in (start, stop)):
        raise call.refusal("numbers between tensors are not supported yet")
    return call.constant("", np.linspace(start, stop, count, dtype="float32"))
