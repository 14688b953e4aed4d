"""Layers that put channels first: transposes around the channels-last operator."""

from __future__ import annotations

from typing import Any

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.ir.ops.shape import Transpose


def channels_first(call: LayerCall) -> bool:
    """Whether the layer's ``data_format`` puts channels first."""
    found = call.config.take("data_format", None)
    if found not in (None, "channels_first", "channels_last"):
        raise call.refusal(f"data_format={found!r} is not one of Keras")
    return bool(found == "channels_first")


def to_last(rank: int) -> Transpose:
    """Channels from axis 1 to the end, for ``rank`` spatial axes."""
    return Transpose(axes=(0, *range(2, rank + 2), 1))


def to_first(rank: int) -> Transpose:
    """Channels from the end to axis 1."""
    return Transpose(axes=(0, rank + 1, *range(1, rank + 1)))


def channels_last_input(call: LayerCall, rank: int) -> tuple[Tensor, Transpose | None]:
    """The input with channels last, and the transpose that undoes it on the output."""
    x = call.input()
    if len(x.shape) != rank + 2:
        raise call.refusal(f"it expects {rank + 2} axes, its input has {len(x.shape)}")
    if not channels_first(call):
        return x, None
    return call.emit(to_last(rank), x, part="channels_last"), to_first(rank)


def per_axis(call: LayerCall, key: str, rank: int, default: Any = 1) -> tuple[int, ...]:
    """An option of an operation, one number a spatial axis; a single one stands for all."""
    given = call.config.take(key, default)
    if isinstance(given, list) and len(given) == 1:
        given = given * rank
    if isinstance(given, int):
        given = [given] * rank
    if not isinstance(given, list) or len(given) != rank:
        raise call.refusal(f"{key}={given!r} does not fit {rank} spatial axes")
    return tuple(given)
