"""Blocks laid out side by side, beside real Keras."""

from __future__ import annotations

from typing import Any

from support import case, parity

# Operations of keras.ops are Keras 3's.
KERAS3: dict[str, Any] = {"writers": ("keras",)}


def _unfold(k: Any, x: Any) -> Any:
    o = k.ops
    return [
        o.unfold(x, 2), o.unfold(x, (3, 2), stride=2), o.unfold(x, (2, 3), dilation=(2, 1), padding=(0, 1)),
        o.unfold(x, 3, padding=2, stride=(2, 3)), o.unfold(x, (1, 4), dilation=1),
    ]  # fmt: skip


def _fold(k: Any, x: Any) -> Any:
    o = k.ops
    return [
        o.fold(o.unfold(x, 2), (7, 6), 2),
        o.fold(o.unfold(x, (3, 2), stride=2), (7, 6), (3, 2), stride=2),
        o.fold(o.unfold(x, (2, 3), dilation=(2, 1), padding=(0, 1)), (7, 6), (2, 3), dilation=(2, 1), padding=(0, 1)),
        o.fold(o.unfold(x, 3, padding=2, stride=(2, 3)), (7, 6), 3, padding=2, stride=(2, 3)),
        o.fold(o.unfold(x, 2, stride=2), (6, 7), 2, stride=2),
    ]  # fmt: skip


def _blocks(k: Any, x: Any) -> Any:
    o = k.ops
    return [
        o.depth_to_space(x, 2), o.space_to_depth(x, 3), o.space_to_depth(x, 3, data_format="channels_first")
        if x.shape[2] % 3 == 0 and x.shape[3] % 3 == 0 else o.depth_to_space(x, 3, data_format="channels_first"),
    ]  # fmt: skip


def _frames(k: Any, x: Any) -> Any:
    o = k.ops
    return [
        o.extract_sequences(x, 3, 2),
        o.extract_sequences(x, 11, 1),
        o.extract_sequences(x, 4, 5),
        o.extract_sequences(x[:, 0], 12, 3),
    ]


CASES = [
    case("unfold", _unfold, (3, 7, 6), **KERAS3),
    case("unfold whole numbers", _unfold, (3, 7, 6), dtype="int32", **KERAS3),
    case("fold", _fold, (3, 7, 6), batch0=False, **KERAS3),
    case("blocks", _blocks, (9, 6, 8), **KERAS3),
    case("blocks of unknown sides", lambda k, x: k.ops.depth_to_space(x, 2), (5, 6, 8), unknown=(0, 1), **KERAS3),
    case("frames", _frames, (4, 11), **KERAS3),
    case("frames whole numbers", _frames, (4, 11), dtype="int32", **KERAS3),
]  # fmt: skip


@parity(CASES)
def test_patches(run: Any) -> None:
    """Same as Keras."""
    run()
