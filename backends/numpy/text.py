"""Text and categories; a Python loop over strings only where NumPy has none."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, repeat
from string import punctuation
from typing import Any

import numpy as np

from layergraph.backends.numpy.hashing import Words, combined, fingerprints, keyed_hashes
from layergraph.backends.numpy.table import Kernel, Kernels
from layergraph.ir.errors import InputError
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
from layergraph.ir.types import Array

kernels = Kernels()

PUNCTUATION = punctuation.encode()
"""The characters of Keras' regular expression are those of Python's list."""

CROSS_KEY = 0xDECAFCAFFE
"""Where TensorFlow's crosses start: sparse_ops.py ``_DEFAULT_HASH_KEY``."""

MOST_SHOWN = 5


# --- tokens -----------------------------------------------------------------------


@kernels.computes(CleanText)
def clean_text(op: CleanText, x: Array) -> Array:
    """``bytes`` knows ASCII only, as TensorFlow's functions do; no byte of a longer
    UTF-8 character looks like punctuation."""
    texts = x.ravel().tolist()
    if op.lower:
        texts = [text.lower() for text in texts]
    if op.strip_punctuation:
        texts = [text.translate(None, PUNCTUATION) for text in texts]
    return _objects(texts).reshape(x.shape)


@kernels.computes(SplitText)
def split_text(op: SplitText, x: Array) -> Array:
    """Python splits at the same six characters, and decodes invalid UTF-8 alike."""
    texts = x.ravel().tolist()
    if op.by == "whitespace":
        rows = [text.split() for text in texts]
    else:
        decoded = [text.decode("utf-8", "replace") for text in texts]
        rows = [[c.encode() for c in text] for text in decoded]
    y = _padded(rows)
    return y.reshape(*x.shape, y.shape[1])


@kernels.computes(Ngrams)
def ngrams(op: Ngrams, x: Array) -> Array:
    """Row by row."""
    rows = x.reshape(-1, x.shape[-1]).tolist() if x.size else []
    if op.padded:
        rows = [row[: row.index(b"")] if b"" in row else row for row in rows]
    joined = [list(chain.from_iterable(_runs(row, n) for n in op.widths)) for row in rows]
    if op.padded:
        y = _padded(joined)
    else:
        size = sum(max(x.shape[-1] - n + 1, 0) for n in op.widths)
        y = _objects(chain.from_iterable(joined)).reshape(-1, size)
    return y.reshape(*x.shape[:-1], y.shape[-1])


def _runs(row: list[bytes], width: int) -> Iterable[bytes]:
    """Neighbours joined: the row beside itself, moved on by one, two ... tokens."""
    return map(b" ".join, zip(*(row[i:] for i in range(width)), strict=False))


@kernels.computes(FitLength)
def fit_length(op: FitLength, x: Array) -> Array:
    """One copy."""
    fill: Any = b"" if x.dtype == object else x.dtype.type(0)
    y = np.full((*x.shape[:-1], op.length), fill, x.dtype)
    kept = min(op.length, x.shape[-1])
    y[..., :kept] = x[..., :kept]
    return y


def _objects(texts: Iterable[bytes]) -> Array:
    items = list(texts)
    out = np.empty(len(items), object)
    out[:] = items
    return out


def _padded(rows: list[list[bytes]]) -> Array:
    """Rows of unequal length as a matrix that ends in empty texts."""
    y = np.full((len(rows), max(map(len, rows), default=0)), b"", object)
    for i, row in enumerate(rows):
        y[i, : len(row)] = row
    return y


# --- vocabularies -----------------------------------------------------------------


@kernels.prepares(Lookup)
def lookup(op: Lookup, vocabulary: Array) -> Kernel:
    """A dict of texts, or a binary search among whole numbers."""
    keys: list[Any] = vocabulary.tolist()
    numbers = list(range(op.start, op.start + len(keys)))
    if op.mask_token is not None:
        keys.append(_as_key(op.mask_token))
        numbers.append(op.mask_index)
    table: dict[Any, int] = dict(zip(keys, numbers, strict=True))
    is_text = vocabulary.dtype == object
    ordered = np.array([] if is_text else sorted(table), np.int64)
    places = np.array([] if is_text else [table[k] for k in sorted(table)], np.int64)

    def found(x: Array) -> Array:
        if is_text:
            return np.array(list(map(table.get, x.tolist(), repeat(-1))), np.int64)
        if not ordered.size:
            return np.full(x.shape, -1)
        at = np.searchsorted(ordered, x).clip(max=ordered.size - 1)
        return np.where(ordered[at] == x, places[at], -1)

    def run(x: Array) -> Array:
        flat = x.ravel()
        y = found(flat)
        (unknown,) = np.nonzero(y == -1)
        if unknown.size:
            y[unknown] = op.start - op.num_oov + _shared(op, flat[unknown])
        return y.astype(op.dtype, copy=False).reshape(x.shape)

    return run


def _shared(op: Lookup, unknown: Array) -> Any:
    """Which of their numbers unknown tokens get."""
    if op.num_oov == 1:
        return 0
    if op.num_oov == 0:
        shown = sorted(set(unknown.tolist()))
        named = ", ".join(repr(_as_text(token)) for token in shown[:MOST_SHOWN])
        more = f" and {len(shown) - MOST_SHOWN} more" if len(shown) > MOST_SHOWN else ""
        raise InputError(
            f"the vocabulary does not have {named}{more}, and with num_oov_indices=0 unknown "
            "tokens have no number; leave them out"
        )
    if op.spread == "modulo":
        return unknown % op.num_oov
    return (_hashed(unknown, op.salt) % np.uint64(op.num_oov)).astype(np.int64)


@kernels.prepares(InverseLookup)
def inverse_lookup(op: InverseLookup, vocabulary: Array) -> Kernel:
    """A table with the token of numbers outside at its end."""
    table = np.empty(len(vocabulary) + 1, vocabulary.dtype)
    table[:-1] = vocabulary
    table[-1] = _as_key(op.oov_token)

    def run(x: Array) -> Array:
        at = x.astype(np.int64) - op.start
        y = table[np.where((at >= 0) & (at < len(vocabulary)), at, len(vocabulary))]
        if op.mask_token is not None:
            y[x == 0] = _as_key(op.mask_token)
        return y

    return run


def _as_key(token: str | int | float) -> Any:
    return token.encode() if isinstance(token, str) else token


def _as_text(token: Any) -> Any:
    return token.decode("utf-8", "replace") if isinstance(token, bytes) else token


# --- hashing ----------------------------------------------------------------------


@kernels.computes(HashBuckets)
def hash_buckets(op: HashBuckets, x: Array) -> Array:
    """Bucket 0 is the mask's, when there is another."""
    flat = x.ravel()
    masked = op.mask_value is not None and op.num_buckets > 1
    hashes = _hashed(flat, op.salt) % np.uint64(op.num_buckets - masked)
    y = hashes.astype(np.int64)
    if op.mask_value is not None and masked:
        key = _as_key(op.mask_value)
        # Compared with a whole array, NumPy would drop zero bytes at the end of the key.
        hit = flat == key if flat.dtype != object else [text == key for text in flat.tolist()]
        y = np.where(hit, 0, y + 1)
    return y.astype(op.dtype).reshape(x.shape)


@kernels.computes(HashCross)
def hash_cross(op: HashCross, *values: Array) -> Array:
    """Texts by their fingerprints, whole numbers as they are."""
    total = np.full(values[0].size, np.uint64(CROSS_KEY))
    for x in values:
        flat = x.ravel()
        is_text = flat.dtype == object
        total = combined(
            total, _hashed(flat, None) if is_text else flat.astype(np.int64).view(np.uint64)
        )
    return (total % np.uint64(op.num_buckets)).astype(op.dtype).reshape(values[0].shape)


def _hashed(flat: Array, salt: tuple[int, int] | None) -> Words:
    """Hashes of texts, or of numbers as text."""
    if flat.dtype != object:
        numbers, places = np.unique(_whole(flat), return_inverse=True)
        spelled = [str(number).lower().encode() for number in numbers.tolist()]
        return _hashes(spelled, salt)[places]
    return _hashes(flat.tolist(), salt)


def _whole(x: Array) -> Array:
    return x.astype(np.int64) if x.dtype.kind == "f" else x


def _hashes(texts: list[bytes], salt: tuple[int, int] | None) -> Words:
    return fingerprints(texts) if salt is None else keyed_hashes(texts, salt)
