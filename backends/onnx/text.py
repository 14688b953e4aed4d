"""Text and categories: what ONNX has of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.backends.onnx.table import RefusedError, Spellings
from layergraph.backends.onnx.values import Tensor
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops.text import (
    CleanText,
    FitLength,
    HashBuckets,
    HashCross,
    InverseLookup,
    Lookup,
    Ngrams,
    SplitText,
)
from layergraph.ir.types import STRING, Array, strings

spellings = Spellings()

ELSEWHERE = "prepare the texts outside the model, as layergraph itself does"


def _key(token: Any) -> Any:
    return token.encode() if isinstance(token, str) else token


@spellings.spells(Lookup)
def lookup(w: Writer, op: Lookup, x: Tensor, *, vocabulary: Array) -> str:
    """``LabelEncoder``; the error for an unknown token becomes a number below all others."""
    if op.num_oov > 1:
        raise RefusedError("unknown tokens spread over several numbers", "use one number for them")
    keys = vocabulary.tolist()
    numbers = list(range(op.start, op.start + len(keys)))
    if op.mask_token is not None:
        keys.append(_key(op.mask_token))
        numbers.append(op.mask_index)
    text = x.dtype == STRING
    given = x if text else w.as_dtype(x, "int64")
    name = w.op(
        "LabelEncoder",
        given,
        domain="ai.onnx.ml",
        **{"keys_strings" if text else "keys_int64s": keys},
        values_int64s=numbers,
        default_int64=op.start - 1 if op.num_oov else -1,
    )
    return w.cast(name, "int64", op.dtype)


@spellings.spells(InverseLookup)
def inverse_lookup(w: Writer, op: InverseLookup, x: Tensor, *, vocabulary: Array) -> str:
    """A ``Gather``; the token of numbers outside stands at the table's end."""
    size = len(vocabulary)
    table = np.empty(size + 1, vocabulary.dtype)
    table[:-1] = vocabulary
    table[-1] = _key(op.oov_token)
    given = w.name_of(w.as_dtype(x, "int64"))
    at = w.op("Sub", given, np.int64(op.start))
    low, high = w.op("Less", at, np.int64(0)), w.op("GreaterOrEqual", at, np.int64(size))
    place = w.op("Where", w.op("Or", low, high), np.int64(size), at)
    name: str = w.op("Gather", w.param("vocabulary", vocabulary, "inverse", lambda _: table), place)
    if op.mask_token is not None:
        token = _key(op.mask_token)
        held = strings(token) if w.type.dtype == STRING else np.asarray(token, vocabulary.dtype)
        name = w.op("Where", w.op("Equal", given, np.int64(0)), w.array(held), name)
    return name


@spellings.spells(SplitText)
def split_text(w: Writer, op: SplitText, x: Tensor) -> str:
    """A node from opset 20 on."""
    if op.by != "whitespace" or w.opset < 20:
        raise RefusedError(f"texts split by {op.by} in opset {w.opset}", ELSEWHERE)
    name: str = w.op("StringSplit", x, outputs=2)[0]
    return name


@spellings.spells(FitLength)
def fit_length(w: Writer, op: FitLength, x: Tensor) -> str:
    """Filled behind by the whole length, then cut."""
    last = x.rank - 1
    filling = strings("") if x.dtype == STRING else np.zeros((), x.dtype)
    dims = [w.size(x, i) for i in range(last)]
    shape = w.sizes(*dims, op.length) if dims else w.ints(op.length)
    whole = w.op("Concat", x, w.op("Expand", w.array(filling), shape), axis=last)
    return w.part(whole, last, 0, op.length)


spellings.refuses(CleanText, "its StringNormalizer knows other letters than TensorFlow")
spellings.refuses(Ngrams, "it has no runs of tokens as texts")
spellings.refuses(HashBuckets, "it has no FarmHash or SipHash")
spellings.refuses(HashCross, "it has no FarmHash")
