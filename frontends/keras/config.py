"""A config reader that knows what nobody has read.

An option that no reader asked for is refused, so that none is ever silently
dropped: see ``Config.unread``.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from layergraph.frontends.keras.spec import LayerSpec
from layergraph.ir.errors import Unsupported, UnsupportedError

T = TypeVar("T")
_REQUIRED: Any = object()

TRAINING_ONLY = frozenset(
    """
    name trainable dtype batch_shape implicit activity_regularizer autocast lora_rank lora_alpha
    kernel_initializer bias_initializer recurrent_initializer embeddings_initializer
    depthwise_initializer pointwise_initializer gamma_initializer beta_initializer
    moving_mean_initializer moving_variance_initializer alpha_initializer
    kernel_regularizer bias_regularizer recurrent_regularizer embeddings_regularizer
    depthwise_regularizer pointwise_regularizer gamma_regularizer beta_regularizer
    alpha_regularizer
    kernel_constraint bias_constraint recurrent_constraint embeddings_constraint
    depthwise_constraint pointwise_constraint gamma_constraint beta_constraint
    alpha_constraint
    seed noise_shape synchronized momentum renorm_momentum
    """.split()
)
"""Options that change training or initial weights only, never a prediction, and those
that the model walk reads (``name``, ``dtype``, ``batch_shape``, ``implicit``: no layer of
the file's own, but made up to wire others)."""

OFF_WHEN_NULL = frozenset({"quantization_config"})
"""Options that do nothing while they are null."""


class Config:
    """Options of one layer, read by name and type.

    Args:
        spec: the layer in the current dialect.
        layer: scoped layer name, for errors.
    """

    def __init__(self, spec: LayerSpec, layer: str) -> None:
        self._data: Mapping[str, Any] = spec.config
        self._spec = spec
        self._layer = layer
        self._read: set[str] = set()

    def take(self, key: str, default: Any = _REQUIRED) -> Any:
        """The raw value of an option; ``default`` when the file lacks it."""
        self._read.add(key)
        if key in self._data:
            return self._data[key]
        if default is _REQUIRED:
            raise self.refusal(f"option {key!r} is missing")
        return default

    def ignore(self, *keys: str) -> None:
        """Name options that have no effect on predictions."""
        self._read.update(keys)

    def int(self, key: str, default: Any = _REQUIRED) -> int:
        """A whole number."""
        return self._typed(key, default, "a whole number", _as_int)

    def float(self, key: str, default: Any = _REQUIRED) -> float:
        """A number."""
        return self._typed(key, default, "a number", _as_float)

    def optional_float(self, key: str, default: Any = None) -> builtins.float | None:
        """A number or null."""
        return self._typed(key, default, "a number", lambda v: None if v is None else _as_float(v))

    def bool(self, key: str, default: Any = _REQUIRED) -> bool:
        """True or false."""
        return self._typed(key, default, "true or false", _as_bool)

    def text(self, key: str, default: Any = _REQUIRED) -> str:
        """A string."""
        return self._typed(key, default, "a string", _as_text)

    def choice(self, key: str, choices: tuple[str, ...], default: Any = _REQUIRED) -> Any:
        """One of a fixed set of strings."""
        found = self.take(key, default)
        if found not in choices:
            raise self.refusal(f"{key}={found!r} is not one of {', '.join(map(repr, choices))}")
        return found

    def ints(
        self, key: str, length: builtins.int | None = None, default: Any = _REQUIRED
    ) -> tuple[builtins.int, ...]:
        """Several whole numbers; a single one stands for ``length`` equal ones."""

        def convert(value: Any) -> tuple[builtins.int, ...]:
            if not isinstance(value, (list, tuple)):
                return (_as_int(value),) * (1 if length is None else length)
            if length is not None and len(value) != length:
                raise ValueError
            return tuple(_as_int(v) for v in value)

        return self._typed(key, default, f"{length or 'a list of'} whole numbers", convert)

    def unread(self) -> list[str]:
        """Options nobody read and that are not training-only."""
        off = {key for key in OFF_WHEN_NULL if self._data.get(key) is None}
        return sorted(set(self._data) - self._read - TRAINING_ONLY - off)

    def done(self) -> None:
        """Refuse the layer when it carries options nobody read.

        Raises:
            UnsupportedError: names every such option with its value.
        """
        if left := self.unread():
            options = ", ".join(f"{k}={self._data[k]!r}"[:120] for k in left)
            raise self.refusal(f"nothing here knows the option {options}")

    def refusal(self, reason: str, remedy: str = "please report the file") -> UnsupportedError:
        """An error about this layer, to be raised."""
        return UnsupportedError([Unsupported(self._layer, self._spec.class_name, reason, remedy)])

    def _typed(self, key: str, default: Any, kind: str, convert: Callable[[Any], T]) -> T:
        value = self.take(key, default)
        try:
            return convert(value)
        except (TypeError, ValueError):
            raise self.refusal(f"{key}={value!r} is not {kind}") from None


def _as_int(value: Any) -> int:
    if isinstance(value, bool) or int(value) != value:
        raise ValueError
    return int(value)


def _as_float(value: Any) -> float:
    if isinstance(value, (bool, str)):
        raise ValueError
    return float(value)


def _as_bool(value: Any) -> bool:
    if not isinstance(value, (bool, int)):
        raise ValueError
    return bool(value)


def _as_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value
