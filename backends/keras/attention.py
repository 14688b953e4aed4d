"""Attention layers put together again, and what they are made of where they cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from layergraph.backends.keras.grouping import Group, Plan, read_outside, require
from layergraph.backends.keras.heads import multi_head
from layergraph.backends.keras.model import Stored, Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.writer import Operand, Writer
from layergraph.ir.graph import Node, Value
from layergraph.ir.op import Op
from layergraph.ir.ops.activation import Softmax
from layergraph.ir.ops.attention import (
    AdditiveScores,
    BandMask,
    MaskedSoftmax,
)
from layergraph.ir.ops.elementwise import Scale
from layergraph.ir.ops.linear import Einsum
from layergraph.ir.ops.merge import Logical, Replace
from layergraph.ir.ops.shape import ExpandDims
from layergraph.ir.types import Array, largest, numpy_dtype

spellings = Spellings()

spellings.regroups("MultiHeadAttention", "GroupedQueryAttention")(multi_head)


# --- Attention and AdditiveAttention ---------------------------------------------------


@spellings.regroups("Attention", "AdditiveAttention")
def attention(w: Writer, group: Group) -> Plan | None:
    """A group that is one layer again; both Kerases compute it alike."""
    parts = {n: node for n, node in group.parts.items() if not n.startswith("cast")}
    try:
        found = _plain_attention(group, parts)
    except (ValueError, KeyError):
        return None
    held = frozenset(node.name for node in parts.values())
    weights = parts["weights"].values if read_outside(group, parts["weights"]) else ()
    if found is None or not group.alone(held, weights):
        return None
    return Plan(held, parts[""].name, lambda: _emit_attention(w, group, parts, found))


def _plain_attention(group: Group, parts: Mapping[str, Node]) -> dict[str, Any]:
    """Inputs, masks, options and arrays of the layer.

    Raises:
        ValueError: the nodes are not what the layer is read as.
    """
    scores = parts["scores"]
    additive = isinstance(scores.op, AdditiveScores)
    require(additive or scores.op == Einsum(equation="...qd,...kd->...qk"))
    query, key = scores.inputs
    product = parts.get("product", parts[""])
    require(product.op == Einsum(equation="...qk,...kd->...qd"))
    require(product.inputs[0] == parts["weights"].values[0])
    found: dict[str, Any] = {"inputs": [query, product.inputs[1]], "masks": [None, None]}
    value = product.inputs[1]
    if key != value:
        found["inputs"].append(key)
    _check_weights(group, parts, query, value, found)
    if "query_mask" in parts:
        require(parts["query_mask"].op == ExpandDims(axis=-1))
        require(parts[""].op == Replace(value=0))
        require(group.reads("", parts["product"], parts["query_mask"]))
        found["masks"][0] = parts["query_mask"].inputs[0]
    known = {"scores", "scaled", "value_mask", "causal_mask", "mask", "weights", "product",
             "query_mask", ""}  # fmt: skip
    require(set(parts) <= known)
    found["options"], found["arrays"] = _scoring(group, parts)
    return found


def _check_weights(
    group: Group, parts: Mapping[str, Node], query: Any, value: Any, found: dict[str, Any]
) -> None:
    masks = []
    if "value_mask" in parts:
        require(parts["value_mask"].op == ExpandDims(axis=-2))
        found["masks"][1] = parts["value_mask"].inputs[0]
        masks.append(parts["value_mask"])
    found["causal"] = "causal_mask" in parts
    if found["causal"]:
        require(parts["causal_mask"].op == BandMask(causal=True))
        require(group.reads("causal_mask", query, value))
        masks.append(parts["causal_mask"])
    if len(masks) == 2:
        require(parts["mask"].op == Logical(kind="and") and group.reads("mask", *masks))
        masks = [parts["mask"]]
    scores = parts.get("scaled", parts["scores"])
    require(group.reads("weights", scores, *masks))
    wanted: Op = MaskedSoftmax(axis=(-1,), masking="add") if masks else Softmax()
    require(parts["weights"].op == wanted)


def _scoring(
    group: Group, parts: Mapping[str, Node]
) -> tuple[dict[str, Any], list[tuple[str, Array]]]:
    """Options and arrays of how scores are computed."""
    scores, scaled = parts["scores"], parts.get("scaled")
    held = scores.params
    if group.class_name == "AdditiveAttention":
        require(isinstance(scores.op, AdditiveScores) and scaled is None and "scale" not in held)
        arrays = [("scale", held["weight"])] if "weight" in held else []
        return {"use_scale": bool(arrays)}, arrays
    if isinstance(scores.op, AdditiveScores):
        require(scaled is None and held["weight"].ndim == 0)
        arrays = [("scale", held["scale"])] if "scale" in held else []
        options = {"use_scale": bool(arrays), "score_mode": "concat"}
        return options, [*arrays, ("concat_score_weight", held["weight"])]
    if scaled is None:
        return {"use_scale": False, "score_mode": "dot"}, []
    require(scaled.op == Scale() and list(scaled.params) == ["scale"])
    return {"use_scale": True, "score_mode": "dot"}, [("scale", scaled.params["scale"])]


def _emit_attention(
    w: Writer, group: Group, parts: Mapping[str, Node], found: dict[str, Any]
) -> Mapping[Value, Any]:
    inputs = [w.bare(w.tensor(w.values[v])) for v in found["inputs"]]
    masks = [None if m is None else w.tensor(w.values[m], "its mask") for m in found["masks"]]
    kwargs: dict[str, Any] = {}
    if any(m is not None for m in masks):
        kwargs["mask"] = [*masks, *[None] * (len(inputs) - 2)]
    if found["causal"]:
        kwargs["use_causal_mask"] = True
    last, weights = parts[""], parts["weights"]
    returned = read_outside(group, weights)
    types = [last.types[0]]
    if returned:
        kwargs["return_attention_scores"] = True
        types.append(weights.types[0])
    y = w.layer(
        group.class_name, inputs, kwargs=kwargs, types=types, masking="drop",
        arrays=[Stored(role, array) for role, array in found["arrays"]], **found["options"],
    )  # fmt: skip
    first = y[0] if returned else y
    first = Tensor(first.layer, first.call, first.index, first.type, masks[0])
    return {last.values[0]: first, **({weights.values[0]: y[1]} if returned else {})}


# --- what they are made of -------------------------------------------------------------


@spellings.spells(MaskedSoftmax)
def masked_softmax(w: Writer, op: MaskedSoftmax, x: Operand, mask: Operand) -> Any:
    """A softmax of values with a large negative number where the mask is off."""
    x = w.tensor(x)
    types = w.node.types[0]
    least = -largest(x.dtype) / 2 if op.masking != "add" else -1e9
    if x.dtype == "float16":
        least = -65504.0 if op.masking == "add" else -largest("float16") / 2
    if op.masking == "add":
        if isinstance(mask, Tensor):
            off = _off(w, mask, x)
            shift: Operand = _binary(w, "multiply", off, least, off.type, "shift")
        else:
            shift = (~mask * np.float32(least)).astype(numpy_dtype(x.dtype))
        kept = _binary(w, "add", x, shift, types, "masked")
    else:
        kept = _where(w, mask, x, least, types, "masked")
    axis = op.axis[0] if len(op.axis) == 1 else list(op.axis)
    y = w.layer("Softmax", kept, axis=axis, part="softmax" if op.masking == "zero" else "")
    return _where(w, mask, y, 0.0, types, "") if op.masking == "zero" else y


def _off(w: Writer, mask: Tensor, x: Tensor) -> Tensor:
    """1 where the mask is off, 0 where it is on."""
    types = mask.type.with_dtype(x.dtype)
    if w.keras3:
        off = w.op("LogicalNot", mask, types=mask.type, part="off")
        return w.op("Cast", off, dtype=x.dtype, types=types, part="off_number")  # type: ignore[no-any-return]
    off = w.tf("math.logical_not", mask, types=mask.type, part="off")
    return w.tf("cast", off, dtype=x.dtype, types=types, part="off_number")  # type: ignore[no-any-return]


def _binary(w: Writer, kind: str, x: Tensor, y: Any, types: Any, part: str) -> Tensor:
    if w.keras3:
        return w.op(kind.capitalize(), x, y, types=types, part=part)  # type: ignore[no-any-return]
    return w.tf(f"math.{kind}", x, y=y, types=types, part=part)  # type: ignore[no-any-return]


def _where(w: Writer, mask: Operand, x: Tensor, number: float, types: Any, part: str) -> Tensor:
    value = np.asarray(number, "float32").astype(x.dtype) if x.dtype != "bfloat16" else number
    if w.keras3:
        return w.op("Where", mask, x, value, types=types, part=part)  # type: ignore[no-any-return]
    if x.dtype != "float32":
        raise RefusedError(f"a mask over {x.dtype} has no spelling in Keras 2")
    return w.tf("where", mask, x=x, y=number, types=types, part=part)  # type: ignore[no-any-return]


@spellings.spells(BandMask)
def band_mask(w: Writer, op: BandMask, query: Operand, value: Operand) -> Any:
    """Known where both lengths are; else counted at run time."""
    shapes = [v.shape for v in (query, value)]
    rows, columns = (shape[1] for shape in shapes)
    if rows is None or columns is None:
        raise RefusedError(
            "it makes a mask of lengths that are not known, which only an attention layer can",
            "fix the lengths in the model's Input",
        )
    i, j = np.arange(rows)[:, None], np.arange(columns)
    seen = np.ones((rows, columns), bool)
    if op.causal:
        seen &= i >= j
    if op.window is not None:
        seen &= np.abs(i - j) < op.window
    return seen[None]


@spellings.spells(AdditiveScores)
def additive_scores(
    w: Writer,
    op: AdditiveScores,
    query: Operand,
    key: Operand,
    *,
    scale: Array | None = None,
    weight: Array | None = None,
) -> Any:
    """By definition, where no layer is made of it."""
    raise RefusedError("scores of this kind are computed within a layer only")
