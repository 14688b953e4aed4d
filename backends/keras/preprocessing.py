"""Turning numbers into categories, and categories into vectors."""

from __future__ import annotations

from typing import Any

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.terms import as_dtype
from layergraph.backends.keras.writer import Operand, Writer
from layergraph.ir.ops.preprocessing import CountCategories, Digitize

spellings = Spellings()

ERRORS = {
    "nothing": "nothing",
    "negative": "negative numbers",
    "outside": "numbers that are no category",
}
"""What a layer that counts categories calls an error."""


@spellings.spells(Digitize)
def digitize(w: Writer, op: Digitize, x: Tensor) -> Any:
    """Discretization; int32 in Keras 3 and int64 in Keras 2."""
    own = "int32" if w.keras3 else "int64"
    made = w.node.types[0].with_dtype(own)
    options: dict[str, Any] = {
        "bin_boundaries": list(op.boundaries), "num_bins": None, "epsilon": 0.01,
        "output_mode": "int", "sparse": False,
    }  # fmt: skip
    if op.dtype == own:
        return w.layer("Discretization", w.tensor(x), dtype=own, masking="drop", **options)
    found = w.layer("Discretization", w.tensor(x), dtype=own, masking="drop", types=made,
                    part="places", **options)  # fmt: skip
    if w.keras3:
        return w.op("Cast", found, dtype=op.dtype)
    return w.tf("cast", found, dtype=op.dtype)


@spellings.spells(CountCategories)
def count_categories(
    w: Writer, op: CountCategories, x: Tensor, weights: Operand | None = None
) -> Any:
    """CategoryEncoding."""
    x = w.tensor(x)
    if x.rank > 2 and (not w.keras3 or op.axis % x.rank != 1):
        raise RefusedError(f"CategoryEncoding counts in two axes, not in {x.rank}")
    if x.rank <= 2 and op.axis % max(x.rank, 1) != x.rank - 1:
        raise RefusedError("CategoryEncoding counts along the last axis")
    if not w.keras3 and op.refuses != "outside" and weights is None:
        return _counted(w, op, x)
    kwargs: dict[str, Any] = {}
    if weights is not None:
        if op.binary:
            raise RefusedError("what is counted once has no weight")
        given = as_dtype(w, weights, op.dtype)
        kwargs["count_weights"] = w.tensor(given, "its weights")
    own = ("negative" if w.keras3 else "outside") if x.rank < 3 else "nothing"
    if op.refuses != own:
        w.note(
            f"{w.node.name} calls {ERRORS[own]} an error in Keras {w.dialect.major}, and "
            f"{ERRORS[op.refuses]} in its source"
        )
    return w.layer(
        "CategoryEncoding", x, dtype=op.dtype, masking="drop", num_tokens=op.depth,
        output_mode="multi_hot" if op.binary else "count", sparse=False, kwargs=kwargs,
    )  # fmt: skip


def _counted(w: Writer, op: CountCategories, x: Tensor) -> Any:
    """By TensorFlow, where Keras 2 would call a number beyond the last an error."""
    w.spelled_out()
    whole = x if x.dtype in ("int32", "int64") else as_dtype(w, x, "int64")
    return w.tf(
        "math.bincount", whole, minlength=op.depth, maxlength=op.depth,
        axis=-1 if x.rank > 1 else 0, binary_output=op.binary, dtype=op.dtype,
    )  # fmt: skip
