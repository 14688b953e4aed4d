"""Attention layers, taken apart into projections, products and a masked softmax."""

from __future__ import annotations

import string
from math import sqrt
from typing import Any

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.layers.parameters import tensor_of
from layergraph.frontends.keras.layers.quantization import Product, emit_product
from layergraph.frontends.keras.operands import operands
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.activation import Softmax
from layergraph.ir.ops.attention import (
    AdditiveScores,
    BandMask,
    MaskedSoftmax,
    attention_equations,
)
from layergraph.ir.ops.elementwise import Cast, Scale, Unary
from layergraph.ir.ops.linear import Einsum, EinsumDense
from layergraph.ir.ops.merge import Logical, Merge, Replace
from layergraph.ir.ops.shape import ExpandDims, RepeatElements
from layergraph.ir.types import Shape, promote

PAIR = ("inputs", "mask", "training", "return_attention_scores", "use_causal_mask")
HEADS = ("query", "value", "key", "query_mask", "value_mask", "key_mask", "attention_mask",
         "return_attention_scores", "training", "use_causal_mask")  # fmt: skip


@reads("Attention", "AdditiveAttention", masking="own", arguments=PAIR)
def attention(call: LayerCall) -> Any:
    """keras/src/layers/attention/attention.py and additive_attention.py."""
    query, value, *rest = call.inputs()
    key = rest[0] if rest else value
    scores = _scores(call, query, key)
    call.config.ignore("dropout")
    masks = []
    if value.mask is not None:
        masks.append(call.emit(ExpandDims(axis=-2), value.mask, part="value_mask"))
    causal = call.argument("use_causal_mask") or call.config.take("causal", False)
    if causal:
        masks.append(call.emit(BandMask(causal=True), query, value, part="causal_mask"))
    weights = _softmax(call, scores, masks, "add")
    returned = [weights] if call.argument("return_attention_scores") else []
    product = Einsum(equation="...qk,...kd->...qd")
    if query.mask is None:
        y = call.emit(product, weights, value)
    else:
        column = call.emit(ExpandDims(axis=-1), query.mask, part="query_mask")
        y = call.emit(product, weights, value, part="product")
        y = call.emit(Replace(value=0), y, column).masked(query.mask)
    return [y, *returned] if returned else y


def _scores(call: LayerCall, query: Tensor, key: Tensor) -> Tensor:
    additive = call.spec.class_name == "AdditiveAttention"
    use_scale = call.config.bool("use_scale", additive)
    if additive:
        params = call.weights(scale=(query.shape[-1],) if use_scale else None)
        held = {"weight": params["scale"]} if params else {}
        return call.emit(AdditiveScores(), query, key, params=held, part="scores")
    mode = call.config.choice("score_mode", ("dot", "concat"), "dot")
    params = call.weights(
        scale=() if use_scale else None, concat_score_weight=() if mode == "concat" else None
    )
    if mode == "concat":
        held = {"weight": params.pop("concat_score_weight"), **params}
        return call.emit(AdditiveScores(), query, key, params=held, part="scores")
    scores = call.emit(Einsum(equation="...qd,...kd->...qk"), query, key, part="scores")
    return call.emit(Scale(), scores, params=params, part="scaled") if params else scores


def _softmax(
    call: LayerCall,
    scores: Tensor,
    masks: list[Tensor],
    masking: str,
    axis: tuple[int, ...] = (-1,),
) -> Tensor:
    """Attention weights; masks that all must allow an element are joined first."""
    if not masks:
        return call.emit(Softmax(axis=axis), scores, part="weights")
    mask = masks[0]
    if len(masks) > 1:
        mask = call.emit(Logical(kind="and"), *masks, part="mask")
    while len(mask.shape) < len(scores.shape):
        # New axes stand before those of query and value, where the heads are.
        mask = call.emit(ExpandDims(axis=-2 * len(axis) - 1), mask, part="mask_heads")
    op = MaskedSoftmax(axis=axis, masking=masking)  # type: ignore[arg-type]
    return call.emit(op, scores, mask, part="weights")


@reads(
    "MultiHeadAttention",
    "GroupedQueryAttention",
    masking="own",
    arguments=HEADS,
)
def multi_head(call: LayerCall) -> Any:
    """keras/src/layers/attention/multi_head_attention.py and grouped_query_attention.py."""
    config = call.config
    query, value = call.input(), call.argument("value")
    key = call.argument("key") or value
    grouped = call.spec.class_name != "MultiHeadAttention"
    config.ignore("dropout", "seed", "flash_attention", "query_shape", "key_shape", "value_shape")
    heads = config.int("num_query_heads" if grouped else "num_heads")
    held = config.int("num_key_value_heads") if grouped else heads
    size = config.int("head_dim" if grouped else "key_dim")
    depth = size if grouped else config.take("value_dim", None) or size
    gate = config.bool("use_gate", False)
    q = _projection(call, "query", query, (heads, size))
    k = _projection(call, "key", key, (held, size))
    g = _projection(call, "gate", query, (heads, depth)) if gate else None
    v = _projection(call, "value", value, (held, depth))
    if grouped and heads != held:
        repeat = RepeatElements(axis=2, repeats=heads // held)
        k, v = call.emit(repeat, k, part="keys"), call.emit(repeat, v, part="values")
    rank = len(q.shape)
    axes = _attention_axes(config.take("attention_axes", None), rank)
    equations = attention_equations(rank, axes)
    q = call.emit(Scale(factor=1 / sqrt(size)), q, part="scaled")
    scores = call.emit(Einsum(equation=equations[0]), k, q, part="scores")
    masks = _masks(call, query, value, key)
    weights = _softmax(call, scores, masks, _masking(call, rank), tuple(range(-len(axes), 0)))
    mixed = call.emit(Einsum(equation=equations[1]), weights, v, part="mixed")
    if g is not None:
        g = call.emit(Unary(kind="sigmoid"), g, part="gate_sigmoid")
        mixed = call.emit(Merge(kind="multiply"), mixed, g, part="gated")
    y = _output(call, mixed, query, (heads, depth)).masked(query.mask)
    if _lays_masks_aside(call):
        for tensor in (query, value, key):
            call.layer.context.take_mask_off(tensor)
    return [y, weights] if call.argument("return_attention_scores") else y


def _masking(call: LayerCall, rank: int) -> str:
    """How masked scores are treated; it shows where a whole row is masked."""
    robust = call.config.take("softmax_robust_masking", None) is not None and call.config.bool(
        "softmax_robust_masking"
    )
    if call.config.take("masking", None) == "add":
        return "fill" if robust else "add"
    explicit = call.config.take("dropout", 0) or call.argument("return_attention_scores")
    return "zero" if explicit or rank != 4 else "fill"


def _lays_masks_aside(call: LayerCall) -> bool:
    """Whether the layer takes the masks off its tensors: calls after it read them unmasked.

    Source: keras/src/layers/attention/multi_head_attention.py ``call``, Keras 3.15.
    """
    keras_2 = call.config.take("masking", None) == "add"
    return call.spec.class_name == "MultiHeadAttention" and not keras_2


def _masks(call: LayerCall, query: Tensor, value: Tensor, key: Tensor) -> list[Tensor]:
    """Masks ``(batch, T, S)`` that all must allow an element."""
    found: list[Tensor] = []
    given = call.argument("key")
    for name, tensor, axis in (
        ("query_mask", query, -1),
        ("value_mask", value, -2),
        ("key_mask", key if given is not None and given is not value else None, -2),
    ):
        explicit = call.argument(name)
        if name == "query_mask" and _lays_masks_aside(call):
            # The argument is overwritten by the mask on the tensor, and so has no effect.
            explicit = None
        mask = explicit.value if explicit is not None else getattr(tensor, "mask", None)
        if mask is not None:
            found.append(call.emit(ExpandDims(axis=axis), mask, part=name))
    window = call.config.take("sliding_window", None)
    causal = bool(call.argument("use_causal_mask"))
    if causal or window is not None:
        op = BandMask(causal=causal, window=window)
        found.append(call.emit(op, query, value, part="band"))
    explicit = call.argument("attention_mask")
    if explicit is not None:
        if explicit.type.dtype != "bool":
            explicit = call.emit(Cast(dtype="bool"), explicit, part="attention_mask")
        found.append(explicit)
    return found


def _projection(call: LayerCall, name: str, x: Tensor, heads: tuple[int, int]) -> Tensor:
    """``(batch, ..., features)`` to ``(batch, ..., heads, size)``."""
    free = string.ascii_lowercase[: len(x.shape) - 1]
    equation = f"{free}x,xyz->{free}yz"
    return _product(call, x, name, equation, (x.shape[-1], *heads), heads)


def _output(call: LayerCall, x: Tensor, query: Tensor, heads: tuple[int, int]) -> Tensor:
    """All heads back to features: those of the query, or what ``output_shape`` says."""
    wanted = call.config.take("output_shape", None)
    if wanted is None:
        shape: Shape = (query.shape[-1],)
    else:
        shape = tuple(wanted) if isinstance(wanted, list) else (wanted,)
    free, out = string.ascii_lowercase[: len(x.shape) - 2], string.ascii_uppercase[: len(shape)]
    equation = f"{free}yz,yz{out}->{free}{out}"
    return _product(call, x, "output", equation, (*heads, *shape), shape)


def _product(
    call: LayerCall, x: Tensor, name: str, equation: str, kernel: Shape, bias: Shape
) -> Tensor:
    """One of the EinsumDense layers that an attention layer holds."""
    what = Product(
        EinsumDense(equation=equation),
        kernel,
        bias if call.config.bool("use_bias", True) else None,
        attributes=(f"{name}_dense|_{name}_dense",),
        path="attention_output" if name == "output" else name,
    )
    return emit_product(call, x, what, part="" if name == "output" else name)


def _attention_axes(given: Any, rank: int) -> tuple[int, ...]:
    """Axes attended over, of the projected value: all between batch and heads by default."""
    if given is None:
        return tuple(range(1, rank - 2))
    axes = given if isinstance(given, list) else [given]
    return tuple(a if a >= 0 else rank - 1 + a for a in axes)


# --- operations ------------------------------------------------------------------------


@reads(
    "ops.DotProductAttention", arguments=("query", "key", "value", "bias", "mask", "scale")
)  # fmt: skip
def dot_product_attention(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``DotProductAttention``, heads before features.

    Keras on TensorFlow has no soft cap, and no flash attention, which computes the same.
    """
    call.config.ignore("flash_attention", "attn_logits_soft_cap")
    query, key, value = operands(call, "query", "key", "value")
    dtype = promote(*(t.type.dtype for t in (query, key, value)))
    query, key, value = (
        cast_to(call, t, dtype, n)
        for t, n in zip((query, key, value), ("query", "key", "value"), strict=True)
    )
    heads, shared, features = query.shape[2], key.shape[2], key.shape[3]
    if heads is None or shared is None or features is None:
        raise call.refusal("its heads and features are unknown", "fix them in the model's Input")
    if heads > shared:
        repeat = RepeatElements(axis=2, repeats=heads // shared)
        key = call.emit(repeat, key, part="key_repeated")
        value = call.emit(repeat, value, part="value_repeated")
    wide = promote(dtype, "float32")
    logits = call.emit(Einsum(equation="btnh,bsnh->bnts"), query, key, part="dot")
    logits = cast_to(call, logits, wide, "logits")
    scale = call.argument("scale")
    factor = tensor_of(call, "scale", 1 / sqrt(features) if scale is None else scale)
    factor = cast_to(call, factor, wide, "factor")
    logits = call.emit(Merge(kind="multiply"), logits, factor, part="scaled")
    if (bias := call.argument("bias")) is not None:
        bias = cast_to(call, cast_to(call, tensor_of(call, "bias", bias), dtype, "b"), wide, "bias")
        logits = call.emit(Merge(kind="add"), logits, bias, part="biased")
    weights = cast_to(call, _kept(call, logits, query, value), dtype, "weights")
    return call.emit(Einsum(equation="bnts,bsnh->btnh"), weights, value)


def _kept(call: LayerCall, logits: Tensor, query: Tensor, value: Tensor) -> Tensor:
    """The softmax of what mask and causality leave."""
    masks = []
    if (mask := call.argument("mask")) is not None:
        masks.append(tensor_of(call, "mask", mask))
    if call.config.bool("is_causal", False):
        masks.append(call.emit(BandMask(causal=True), query, value, part="causal"))
    if not masks:
        return call.emit(Softmax(), logits, part="softmax")
    kept = masks[0] if len(masks) == 1 else call.emit(Logical(kind="and"), *masks, part="kept")
    return call.emit(MaskedSoftmax(masking="fill"), logits, kept, part="softmax")


def cast_to(call: LayerCall, x: Tensor, dtype: str, part: str) -> Tensor:
    """The value in a dtype; itself where it has that."""
    return x if x.type.dtype == dtype else call.emit(Cast(dtype=dtype), x, part=f"{part}_cast")
