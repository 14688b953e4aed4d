"""Attention beside real Keras: every mask, whole rows masked included."""

from __future__ import annotations

from typing import Any

from support import case, parity

K3 = ("keras",)


def _attention(name: str = "Attention", key: bool = False, call: Any = None, **options: Any) -> Any:
    def build(k: Any, *inputs: Any) -> Any:
        return getattr(k.layers, name)(**options)(list(inputs), **(call or {}))

    if key:
        return lambda k, q, v, w: build(k, q, v, w)
    return lambda k, q, v: build(k, q, v)


def _masked(name: str, *which: str, **options: Any) -> Any:
    """Query or value pass through Masking first; the output's mask is seen by an LSTM."""

    def build(k: Any, q: Any, v: Any) -> Any:
        q = k.layers.Masking()(q) if "query" in which else q
        v = k.layers.Masking()(v) if "value" in which else v
        y = getattr(k.layers, name)(**options)([q, v])
        return [y, k.layers.LSTM(2)(y)]

    return build


def _heads(call: Any = None, name: str = "MultiHeadAttention", **options: Any) -> Any:
    given = {"num_heads": 3, "key_dim": 4, **options}
    if name == "GroupedQueryAttention":
        given = {"num_query_heads": 6, "num_key_value_heads": 2, "head_dim": 4, **options}
    return lambda k, q, v: getattr(k.layers, name.replace("Grouped", "Group"))(**given)(
        q, v, **(call or {})
    )


def _masked_heads(
    *which: str, name: str = "MultiHeadAttention", call: Any = None, **options: Any
) -> Any:
    def build(k: Any, q: Any, v: Any) -> Any:
        q = k.layers.Masking()(q) if "query" in which else q
        v = k.layers.Masking()(v) if "value" in which else v
        return _heads(call, name, **options)(k, q, v)

    return build


def _attended(k: Any, q: Any, v: Any, mask: Any) -> Any:
    return k.layers.MultiHeadAttention(2, 3)(q, v, attention_mask=mask)


def _explicit(name: str) -> Any:
    """One of the masks as an argument."""
    return lambda k, q, v, mask: k.layers.MultiHeadAttention(2, 3)(q, v, **{name: mask})


def _read_again(k: Any, x: Any) -> Any:
    """Keras 3 takes the mask off what it attends to: it matters who reads it before and after."""
    x = k.layers.Masking()(x)
    before = k.layers.Dense(5)(k.layers.LSTM(4, return_sequences=True)(x))
    same = k.layers.Dropout(0.5)(x)
    y = k.layers.MultiHeadAttention(2, 4)(same, same)
    after = k.layers.LSTM(3)(x)
    shallow = k.layers.GRU(3)(k.layers.Add()([x, y]))
    return [before, after, shallow, k.layers.SimpleRNN(3)(y)]


def _read_again_outside(k: Any, x: Any) -> Any:
    """The same through a nested model that attends."""
    inner_in = k.Input((7, 5))
    inner_out = k.layers.MultiHeadAttention(2, 4)(inner_in, inner_in)
    inner = k.Model(inner_in, inner_out, name="inner")
    x = k.layers.Masking()(x)
    y = inner(x)
    return [k.layers.LSTM(3)(y), k.layers.GRU(3)(k.layers.Add()([x, y]))]


def _transformer(k: Any, x: Any) -> Any:
    y = k.layers.MultiHeadAttention(2, 4, dropout=0.1)(x, x)
    x = k.layers.LayerNormalization()(k.layers.Add()([x, y]))
    y = k.layers.Dense(6)(k.layers.Dense(9, activation="gelu")(x))
    return k.layers.LayerNormalization()(k.layers.Add()([x, y]))


TWO, GROUPED = [(5, 6), (7, 6)], "GroupedQueryAttention"
CAUSAL, SCORES = {"use_causal_mask": True}, {"return_attention_scores": True}

CASES = [
    *(
        case(f"{name} as an argument", _explicit(name), [(4, 5), (7, 5), (n,)],
             dtype=["float32", "float32", "bool"], writers=K3)
        for name, n in (("query_mask", 4), ("value_mask", 7))
    ),
    case("masked tensors read again", _read_again, (7, 5), make="masked"),
    case("masked tensors read again outside", _read_again_outside, (7, 5), make="masked"),
    case("dot", _attention(), TWO),
    case("dot scaled", _attention(use_scale=True), TWO),
    case("dot with key", _attention(key=True), [(5, 6), (7, 4), (7, 6)]),
    case("dot scores", _attention(call=SCORES), TWO),
    case("dot causal", _attention(call=CAUSAL), TWO),
    case("concat", _attention(score_mode="concat"), TWO),
    case("concat scaled", _attention(score_mode="concat", use_scale=True), TWO),
    case("additive", _attention("AdditiveAttention"), TWO),
    case("additive unscaled", _attention("AdditiveAttention", use_scale=False), TWO),
    case("value masked", _masked("Attention", "value"), TWO, make="masked"),
    case("query masked", _masked("Attention", "query"), TWO, make="masked"),
    case("both masked", _masked("AdditiveAttention", "query", "value"), TWO, make="masked"),
    case("heads", _heads(), TWO),
    case("heads value dim and output shape", _heads(value_dim=5, output_shape=8), TWO),
    case("heads no bias", _heads(use_bias=False), TWO),
    case("heads scores", _heads(SCORES), TWO),
    case("heads causal", _heads(CAUSAL), TWO),
    case("heads causal scores", _heads({**CAUSAL, **SCORES}), TWO),
    case("heads dropout", _heads(dropout=0.2), TWO),
    case("heads value masked", _masked_heads("value"), TWO, make="masked"),
    case("heads both masked", _masked_heads("query", "value"), TWO, make="masked"),
    case("heads both masked, dropout", _masked_heads("query", "value", dropout=0.2), TWO, make="masked"),
    case("heads both masked, causal", _masked_heads("query", "value", call=CAUSAL), TWO, make="masked"),
    case("heads robust masking unsaid", _heads(softmax_robust_masking=None), TWO, writers=("tf_keras",)),
    case("heads attention mask", _attended, [*TWO, (5, 7)], dtype=["float32", "float32", "bool"]),
    case("heads gate", _heads(use_gate=True), TWO, writers=K3),
    case("heads sliding window", _heads(CAUSAL, sliding_window=2), [(5, 6), (5, 6)], writers=K3),
    case("heads over images", _heads(), [(5, 3, 6), (4, 2, 6)]),
    case("heads one attention axis", _heads(attention_axes=2), [(3, 5, 6), (3, 4, 6)]),
    case("grouped", _heads(name=GROUPED), TWO, writers=K3),
    case("grouped gate no bias", _heads(name=GROUPED, use_gate=True, use_bias=False), TWO, writers=K3),
    case("grouped both masked", _masked_heads("query", "value", name=GROUPED), TWO, make="masked", writers=K3),
    case("grouped scores", _heads(SCORES, GROUPED), TWO, writers=K3),
    case("transformer block", _transformer, [(5, 6)]),
]  # fmt: skip


@parity(CASES)
def test_attention(run: Any) -> None:
    """Same as Keras."""
    run()
