"""Quantised models beside real Keras: every mode, every layer that has it, both containers."""

from __future__ import annotations

from typing import Any

import numpy as np

from support import Case, case, parity

K3 = ("keras",)


def _quantized(mode: str, config: Any = None, **options: Any) -> Any:
    """Quantise the whole model; ``config`` makes the configuration out of a Keras."""

    def after(k: Any, model: Any) -> None:
        if config is None:
            model.quantize(mode, **options)
        else:
            model.quantize(mode, config=config(k), **options)

    return after


def _block(size: int) -> Any:
    return lambda k: k.quantizers.Int4QuantizationConfig(block_size=size)


def _abs_max(mode: str, low: int, high: int) -> Any:
    """A quantiser of one's own for what layers are given."""

    def config(k: Any) -> Any:
        rounded = k.quantizers.AbsMaxQuantizer(value_range=(low, high))
        if mode == "int8":
            return k.quantizers.Int8QuantizationConfig(None, rounded)
        return k.quantizers.Int4QuantizationConfig(None, rounded, block_size=-1)

    return config


def _weights_only(k: Any) -> Any:
    return k.quantizers.Int8QuantizationConfig(activation_quantizer=None)


def _dense(k: Any) -> Any:
    return [k.layers.Dense(5, activation="tanh"), k.layers.Dense(3, use_bias=False)]


def _einsum(k: Any) -> Any:
    return [
        k.layers.EinsumDense("abc,cde->aebd", (5, None, 3), bias_axes="e"),
        # Keras 3.15 cannot quantise an equation with "...".
        k.layers.EinsumDense("abcd,de->aecb", (6, None, 5), activation="relu"),
    ]


def _two_summed(k: Any) -> Any:
    return k.layers.EinsumDense("abcd,cde->abe", (None, 5), bias_axes="e")


def _heads(k: Any, x: Any) -> Any:
    return k.layers.MultiHeadAttention(3, 4)(x, x)


def _embedding(k: Any) -> Any:
    return [k.layers.Embedding(11, 5), k.layers.Flatten()]


def _calibrated(mode: str, bits: int, group: int) -> Any:
    """gptq or awq of the layers behind an Embedding, calibrated on random ids."""

    def after(k: Any, model: Any) -> None:
        first, *blocks = [layer for layer in model.layers if layer.name != "in0"]
        data = np.random.default_rng(0).integers(0, 20, (4, 40)).astype("int32")
        kind = k.quantizers.GPTQConfig if mode == "gptq" else k.quantizers.AWQConfig
        config = kind(
            dataset=list(data), tokenizer=len, weight_bits=bits, num_samples=4,
            sequence_length=5, group_size=group,
        )  # fmt: skip
        # Given to the model instead of the config, which Keras then could not save.
        model.get_quantization_layer_structure = lambda mode=None: {
            "pre_block_layers": [first], "sequential_blocks": blocks,
        }  # fmt: skip
        model.quantize(mode, config=config)
        del model.get_quantization_layer_structure

    return after


def _words(k: Any) -> Any:
    block = k.Sequential([k.layers.Dense(9, activation="tanh"), k.layers.Dense(7, use_bias=False)])
    return [k.layers.Embedding(20, 7), block]


def _word_heads(k: Any) -> Any:
    x = k.layers.Input((5, 7))
    return [k.layers.Embedding(20, 7), k.Model(x, k.layers.MultiHeadAttention(2, 3)(x, x))]


def _reversible(**options: Any) -> Any:
    """Ids to vectors, and vectors back to a score of every id."""

    def build(k: Any, x: Any) -> Any:
        layer = k.layers.ReversibleEmbedding(11, 5, **options)
        y = layer(x)
        return [y, layer(k.layers.Activation("tanh")(y), reverse=True)]

    return build


MODES: dict[str, tuple[str, Any]] = {
    "int8": ("int8", None),
    "int8 weights only": ("int8", _weights_only),
    "int8 narrow": ("int8", _abs_max("int8", -31, 31)),
    "int4": ("int4", None),
    "int4 in blocks": ("int4", _block(3)),
    "int4 whole": ("int4", _block(-1)),
    "int4 rounded": ("int4", _abs_max("int4", -127, 127)),
}


def _rows(name: str, build: Any, inputs: Any, modes: Any = MODES, **options: Any) -> list[Case]:
    return [
        case(f"{name} {m}", build, inputs, after=_quantized(*MODES[m]), writers=K3, **options)
        for m in modes
    ]


def _adapted(*modes: str) -> Any:
    """Low-rank adapters with weights of their own, on plain or quantised layers."""

    def after(k: Any, model: Any) -> None:
        for mode in modes:
            model.quantize(mode)
        rng = np.random.default_rng(0)
        for layer in model.layers:
            if hasattr(layer, "enable_lora"):
                layer.enable_lora(2, lora_alpha=3)
                for name in ("lora_kernel", "lora_embeddings"):
                    for variable in (getattr(layer, f"{name}_{s}", None) for s in "ab"):
                        if variable is not None:
                            variable.assign(rng.uniform(-0.5, 0.5, variable.shape))

    return after


def _scaled(k: Any, model: Any) -> None:
    """float8 with scales as training leaves them."""
    model.quantize("float8")
    for layer in model.layers:
        layer.inputs_scale.assign(0.0625)
        layer.kernel_scale.assign(0.01)


CASES = [
    *_rows("dense", _dense, (7,)),
    *_rows("einsum", _einsum, (4, 7)),
    *_rows("two summed", _two_summed, (3, 4, 2)),
    *_rows("heads", _heads, [(5, 6)], ("int8", "int4", "int4 in blocks")),
    *_rows("embedding", _embedding, (4,), ("int8", "int4", "int4 in blocks"), make="ids", dtype="int32"),
    *_rows("reversible", _reversible(), [(4,)], ("int8", "int8 weights only", "int4", "int4 in blocks", "int4 whole"), make="ids", dtype="int32"),
    *_rows("reversible untied", _reversible(tie_weights=False, logit_soft_cap=2.0), [(4,)], ("int8", "int4", "int4 in blocks", "int4 whole"), make="ids", dtype="int32"),
    case("reversible", _reversible(), [(4,)], make="ids", dtype="int32", writers=K3),
    case("reversible untied capped", _reversible(tie_weights=False, logit_soft_cap=2.0, mask_zero=True), [(4,)], make="ids", dtype="int32", writers=K3),
    case("reversible half", _reversible(reverse_dtype="float64"), [(4,)], make="ids", dtype="int32", writers=K3, policy="mixed_bfloat16"),
    case("embedding lora", _embedding, (4,), after=_adapted(), make="ids", dtype="int32", writers=K3),
    case("dense int8 lora", _dense, (7,), after=_adapted("int8"), containers=(".h5",), writers=K3),
    case("dense int8 half", _dense, (7,), after=_quantized("int8"), writers=K3, policy="mixed_bfloat16"),
    # A .keras file of these lacks the zero points; Keras cannot load it either.
    *(case(f"words {m} {b} by {g}", _words, (5,), after=_calibrated(m, b, g), make="ids", dtype="int32", writers=K3, containers=(".h5",)) for m, b, g in (("gptq", 4, -1), ("gptq", 8, 3), ("awq", 4, 3))),
    case("word heads gptq", _word_heads, (5,), after=_calibrated("gptq", 4, 3), make="ids", dtype="int32", writers=K3, containers=(".h5",)),
    case("dense float8", _dense, (7,), after=_quantized("float8"), writers=K3),
    case("dense float8 scaled", _dense, (7,), after=_scaled, writers=K3),
    case("einsum float8", _einsum, (4, 7), after=_quantized("float8"), writers=K3),
    case("dense lora", _dense, (7,), after=_adapted(), writers=K3),
]  # fmt: skip


@parity(CASES)
def test_quantization(run: Any) -> None:
    """Same as Keras."""
    run()
