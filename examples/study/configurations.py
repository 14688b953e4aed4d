"""What is trained: each model of the study, the base it varies, and the factors it varies in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any, Literal, TypeAlias

Pooling = Literal["max", "average"]
Cell = Literal["SimpleRNN", "LSTM"]
Direction = Literal["one", "both"]


@dataclass(frozen=True)
class Cnn:
    """A classifier of images: blocks of Conv2D-ReLU and pooling, Flatten, Dense softmax.

    Attributes:
        layers: how many blocks.
        filters: of each convolution.
        kernel: height and width of each kernel.
        pooling: which layer halves the image after each convolution.
    """

    layers: int = 3
    filters: int = 4
    kernel: int = 3
    pooling: Pooling = "max"

    data = "cifar10"
    kind = "CNN"

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"cnn-{self.layers}x{self.filters}-k{self.kernel}-{self.pooling}"


@dataclass(frozen=True)
class Recurrent:
    """A classifier of texts: Embedding, recurrent layers, Dropout, Dense softmax.

    Attributes:
        cell: which recurrent layer.
        layers: how many, one on the other.
        units: cells of each, in each direction.
        direction: from the beginning to the end, or both ways.
    """

    cell: Cell
    layers: int = 1
    units: int = 64
    direction: Direction = "one"

    data = "nusax"

    @property
    def kind(self) -> str:
        """The cell."""
        return self.cell

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.cell.lower()}-{self.layers}x{self.units}-{self.direction}"


Configuration: TypeAlias = Cnn | Recurrent

BASES: Mapping[str, Configuration] = {
    "CNN": Cnn(),
    "SimpleRNN": Recurrent("SimpleRNN"),
    "LSTM": Recurrent("LSTM"),
}
"""What one factor at a time is varied around."""

WIDE = 32
"""Filters of a network that is worth using; the others are the report's."""

FACTORS: Mapping[str, Mapping[str, tuple[Any, ...]]] = {
    "CNN": {
        "layers": (2, 3, 4),
        "filters": (2, 3, 4, WIDE),
        "kernel": (3, 5, 7),
        "pooling": ("max", "average"),
    },
    "SimpleRNN": {
        "layers": (1, 2, 3),
        "units": (16, 32, 64, 128),
        "direction": ("one", "both"),
    },
    "LSTM": {
        "layers": (1, 2, 3),
        "units": (16, 32, 64, 128),
        "direction": ("one", "both"),
    },
}
"""The levels of each factor, by kind of network."""


def one_factor_at_a_time() -> list[Configuration]:
    """Each base, and what differs from it in a single factor."""
    return _unlike(
        configuration
        for kind in FACTORS
        for factor in FACTORS[kind]
        for configuration in varied(kind, factor).values()
    )


def grid() -> list[Configuration]:
    """Every combination of levels."""
    return [
        replace(BASES[kind], **dict(zip(factors, levels, strict=True)))
        for kind, factors in FACTORS.items()
        for levels in product(*factors.values())
    ]


def varied(kind: str, factor: str) -> dict[Any, Configuration]:
    """The base of a kind with one factor at each of its levels."""
    return {level: replace(BASES[kind], **{factor: level}) for level in FACTORS[kind][factor]}


def described(configuration: Configuration) -> dict[str, Any]:
    """A configuration as plain data."""
    return {"kind": configuration.kind, **asdict(configuration)}


def _unlike(configurations: Iterable[Configuration]) -> list[Configuration]:
    return list(dict.fromkeys(configurations))
