"""Merging layers beside real Keras: broadcasting, and what becomes of masks."""

from __future__ import annotations

from typing import Any

from support import case, parity

KINDS = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")


def _merge(name: str) -> Any:
    return lambda k, a, b: getattr(k.layers, name)()([a, b])


def _masked(name: str, both: bool = True) -> Any:
    """Two masks that differ, merged, and seen by a recurrent layer."""

    def build(k: Any, a: Any, b: Any) -> Any:
        left = k.layers.Masking()(a)
        right = k.layers.Masking()(k.layers.Cropping1D((1, 0))(b)) if both else b
        merged = getattr(k.layers, name)()([left, right])
        return k.layers.LSTM(3, return_sequences=True)(merged)

    return build


def _joined_in_time(k: Any, a: Any, b: Any) -> Any:
    both = k.layers.Concatenate(axis=1)([k.layers.Masking()(a), k.layers.Masking()(b)])
    return k.layers.GRU(3)(both)


CASES = [
    *(case(f"{n}", _merge(n), [(5, 4), (5, 4)]) for n in KINDS),
    case("add of three", lambda k, a, b, c: k.layers.Add()([a, b, c]), [(5, 4)] * 3),
    *(case(f"average of whole numbers {d}", lambda k, a, b: k.layers.Average()([a, b]), [(5, 4)] * 2, dtype=d) for d in ("int32", "uint8", "complex64")),
    case("average of three", lambda k, a, b, c: k.layers.Average()([a, b, c]), [(5, 4)] * 3),
    case("multiply broadcasts", _merge("Multiply"), [(5, 4), (1, 4)]),
    case("add lifts a lower rank", _merge("Add"), [(3, 5, 4), (5, 4)], batch0=False, containers=(".keras",), writers=("keras",)),
    case("concatenate last", lambda k, a, b: k.layers.Concatenate()([a, b]), [(5, 4), (5, 3)]),
    case("concatenate first axis", lambda k, a, b: k.layers.Concatenate(axis=1)([a, b]), [(5, 4), (3, 4)]),
    case("concatenate unknown", lambda k, a, b: k.layers.Concatenate(axis=1)([a, b]), [(5, 4), (3, 4)], unknown=(0,)),
    case("add of masked", _masked("Add"), [(6, 4), (7, 4)], make="masked"),
    case("add of masked and plain", _masked("Add", both=False), [(6, 4), (6, 4)], make="masked"),
    case("maximum of masked", _masked("Maximum"), [(6, 4), (7, 4)], make="masked"),
    case("minimum of masked and plain", _masked("Minimum", both=False), [(6, 4), (6, 4)], make="masked"),
    case("minimum of plain and masked", lambda k, a, b: [k.layers.Minimum()([a, k.layers.Masking()(b)]), k.layers.Maximum()([k.layers.Masking()(b), a, b])], [(6, 4), (6, 4)], make="masked"),
    case("multiply of masked", _masked("Multiply"), [(6, 4), (7, 4)], make="masked"),
    case("concatenate of masked", _masked("Concatenate"), [(6, 4), (7, 4)], make="masked"),
    case("concatenate of masked and plain", _masked("Concatenate", both=False), [(6, 4), (6, 4)], make="masked"),
    case("concatenate of masked in time", _joined_in_time, [(6, 4), (5, 4)], make="masked"),
    case("dot vectors", lambda k, a, b: k.layers.Dot(axes=1)([a, b]), [(5,), (5,)]),
    case("dot normalized", lambda k, a, b: k.layers.Dot(axes=(2, 1), normalize=True)([a, b]), [(3, 5), (5, 4)]),
    case("dot negative axes", lambda k, a, b: k.layers.Dot(axes=-1)([a, b]), [(3, 5), (4, 5)]),
    case("dot mixed ranks", lambda k, a, b: k.layers.Dot(axes=(2, 1))([a, b]), [(3, 5), (5,)]),
    case("dot high rank", lambda k, a, b: k.layers.Dot(axes=(3, 1))([a, b]), [(3, 4, 5), (5, 2)]),
]  # fmt: skip


@parity(CASES)
def test_merge(run: Any) -> None:
    """Same as Keras."""
    run()
