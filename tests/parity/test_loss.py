"""Losses and measures beside real Keras."""

from __future__ import annotations

from typing import Any

from support import case, parity

# Operations of keras.ops are Keras 3's.
KERAS3: dict[str, Any] = {"writers": ("keras",)}


def _binary(k: Any, t: Any, x: Any) -> Any:
    o = k.ops
    t, p = o.cast(t > 0, x.dtype), o.abs(x) / 9
    return [
        o.binary_crossentropy(t, p),
        o.binary_crossentropy(t, x, from_logits=True),
        # Keras goes back to what went into the sigmoid, which ones beyond 1e-7 show.
        o.binary_crossentropy(t, o.sigmoid(x * 9)),
        o.binary_crossentropy(t, o.copy(o.sigmoid(x * 9))),
        o.binary_crossentropy(t, k.layers.Dropout(0.5)(k.layers.Activation("sigmoid")(x * 9))),
    ]


def _categorical(k: Any, t: Any, x: Any) -> Any:
    o = k.ops
    t, p = o.softmax(t), o.abs(x)
    return [
        o.categorical_crossentropy(t, p),
        o.categorical_crossentropy(t, x, from_logits=True),
        o.categorical_crossentropy(t, k.layers.Softmax()(x * 9)),
        o.categorical_crossentropy(t, o.softmax(x * 9) * 1),
        o.categorical_crossentropy(t, o.sigmoid(x)),
    ]


def _categorical_axis(k: Any, t: Any, x: Any) -> Any:
    """Keras infers the shape of the last axis gone, and computes over the named one."""
    o = k.ops
    t = o.softmax(t, axis=1)
    return [
        o.categorical_crossentropy(t, o.abs(x), axis=1),
        o.categorical_crossentropy(t, x, from_logits=True, axis=1),
    ]


def _sparse(k: Any, t: Any, x: Any) -> Any:
    o = k.ops
    t = t % 4
    return [
        o.sparse_categorical_crossentropy(t, o.abs(x) / 9),
        o.sparse_categorical_crossentropy(o.expand_dims(t, -1), x, from_logits=True),
        o.sparse_categorical_crossentropy(t, o.softmax(x * 9)),
        o.sparse_categorical_crossentropy(o.cast(t, "float32"), x, from_logits=True, axis=2),
    ]


def _ctc(k: Any, t: Any, x: Any) -> Any:
    o = k.ops
    lengths, times = 1 + t[:, 0] % 4, 6 + t[:, 1] % 4
    labels, last = 1 + t % 3, t % 4
    return [
        o.ctc_loss(labels, x, lengths, times),
        o.ctc_loss(labels * 0 + 2, x, lengths, times),
        o.ctc_loss(last, x, lengths, times, mask_index=-1),
        o.ctc_loss(o.where(labels >= 2, labels + 1, labels), x, lengths, times, mask_index=2),
        o.ctc_loss(labels, x, lengths * 0, times),
        # Labels that do not fit the time have a large loss, no infinite one.
        o.ctc_loss(labels, x, lengths * 0 + 4, times * 0 + 3),
    ]


def _decoded(k: Any, t: Any, x: Any) -> Any:
    o = k.ops
    times = 6 + t[:, 1] % 4
    every = []
    for options in ({}, {"merge_repeated": False}, {"mask_index": 2}, {"mask_index": -1}):
        every += o.ctc_decode(x, times, **options)
    # Wide enough for every prefix.
    wide = {"strategy": "beam_search", "beam_width": 400}
    few = o.minimum(times, 3 + t[:, 1] % 2)
    for options in ({"mask_index": None}, {"top_paths": 3}, {"mask_index": 3}, {"mask_index": -3}):
        every += o.ctc_decode(x[:, :4], few, **wide, **options)
    for options in (
        {"beam_width": 5, "top_paths": 3, "mask_index": None},
        {"beam_width": 3, "top_paths": 2, "mask_index": 3},
        {"beam_width": 40, "top_paths": 2, "mask_index": -3},
    ):
        every += o.ctc_decode(x, times, strategy="beam_search", **options)
    return every


def _measures(k: Any, t: Any, x: Any) -> Any:
    o = k.ops
    return [
        *(o.in_top_k(t - 1, x, n) for n in (1, 2, 6)),
        o.in_top_k(t - 1, o.round(x), 2),
        o.in_top_k(t - 1, o.log(x), 2),
        o.psnr(x, x + 0.5, 9),
        o.psnr(x, 2 * x, max_val=3.5),
        o.psnr(t, t // 2, 255),
    ]


MIXED: dict[str, Any] = {"dtype": ["int32", "float32"]}

CASES = [
    case("binary", _binary, [(5, 4), (5, 4)], **KERAS3),
    case("binary float64", lambda k, t, x: k.ops.binary_crossentropy(t, x, from_logits=True), [(5, 4), (5, 4)], dtype="float64", **KERAS3),
    case("categorical", _categorical, [(5, 4), (5, 4)], **KERAS3),
    case("categorical axis", _categorical_axis, [(5, 4), (5, 4)], batch0=False, **KERAS3),
    case("sparse categorical", _sparse, [(5,), (5, 4)], **MIXED, **KERAS3),
    case("ctc loss", _ctc, [(4,), (9, 5)], rtol=2e-5, **MIXED, **KERAS3),
    case("ctc loss float64", _ctc, [(4,), (9, 5)], dtype=["int32", "float64"], rtol=2e-5, **KERAS3),
    case("ctc decode", _decoded, [(4,), (9, 5)], batch0=False, **MIXED, **KERAS3),
    case("measures", _measures, [(), (7,)], batch0=False, **MIXED, **KERAS3),
]  # fmt: skip


@parity(CASES)
def test_loss(run: Any) -> None:
    """Same as Keras."""
    run()
