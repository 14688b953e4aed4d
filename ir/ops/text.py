"""Text and categories: cutting texts into tokens, numbering tokens, hashing.

A ragged result is held as a dense one whose rows end in empty texts. That loses
nothing: no token is empty, and to every layer that reads tokens the empty text is
the one that says there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from layergraph.ir.op import Op
from layergraph.ir.types import INTEGERS, STRING, TensorType

DROPPED = 2**63 - 1
"""The number of a token that counts nowhere: beyond every vocabulary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanText(Op):
    """ASCII letters made small, ASCII punctuation taken out; other characters stay.

    Source: keras/src/layers/preprocessing/text_vectorization.py ``_preprocess``,
    Keras 3.15: ``tf.strings.lower`` and a regular expression of 32 characters.

    Attributes:
        lower: whether letters are made small.
        strip_punctuation: whether punctuation is taken out.
    """

    lower: bool
    strip_punctuation: bool

    def infer(self, x: TensorType) -> TensorType:
        """The type of ``x``."""
        return _text(x)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitText(Op):
    """Each text as its tokens, along a new last axis as long as the longest text's.

    Invalid UTF-8 becomes U+FFFD when texts are split into characters.
    Source: keras/src/layers/preprocessing/text_vectorization.py ``_preprocess``,
    Keras 3.15: ``tf.strings.split`` and ``tf.strings.unicode_split``.

    Attributes:
        by: what lies between tokens: white space of ASCII, or nothing.
    """

    by: Literal["whitespace", "character"]

    def infer(self, x: TensorType) -> TensorType:
        """The shape of ``x`` with an axis more, of unknown size."""
        return _text(x).with_shape((*x.shape, None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ngrams(Op):
    """Runs of neighbouring tokens of the last axis, joined by a space.

    All of the first width, then all of the second.
    Source: keras/src/layers/preprocessing/text_vectorization.py ``_preprocess``,
    Keras 3.15: ``tf.strings.ngrams`` with ``preserve_short_sequences=False``.

    Attributes:
        widths: how many tokens a run has.
        padded: whether empty texts at the end of a row are no tokens.
    """

    widths: tuple[int, ...]
    padded: bool

    def infer(self, x: TensorType) -> TensorType:
        """The last axis counts runs."""
        size = _text(x).shape[-1]
        if size is not None:
            size = sum(max(size - width + 1, 0) for width in self.widths)
        return x.with_shape((*x.shape[:-1], None if self.padded else size))


@dataclass(frozen=True, slots=True, kw_only=True)
class FitLength(Op):
    """The last axis cut, or filled with 0 or empty texts, to one length.

    Source: keras/src/layers/preprocessing/text_vectorization.py ``call``, Keras 3.15.

    Attributes:
        length: size of the last axis of the result.
    """

    length: int

    def infer(self, x: TensorType) -> TensorType:
        """The last axis of that length."""
        return x.with_shape((*x.shape[:-1], self.length))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup(Op):
    """The number of each token in a vocabulary.

    Parameters: vocabulary ``(tokens,)``, of the dtype of ``x``, without repetition.
    Raises: InputError for an unknown token when ``num_oov`` is 0.
    Source: keras/src/layers/preprocessing/index_lookup.py ``_lookup_dense``,
    Keras 3.15; tf_keras/src/layers/preprocessing/index_lookup.py, tf-keras 2.21.

    Attributes:
        start: number of the vocabulary's first token.
        num_oov: how many numbers unknown tokens share; they come just before ``start``.
        spread: how unknown tokens are spread over several numbers: ``token % num_oov``,
            or by the hash of ``HashBuckets``.
        salt: key of that hash.
        mask_token: a token beside the vocabulary, ``None`` for none.
        mask_index: its number.
        dtype: dtype of the result.
    """

    start: int
    num_oov: int
    spread: Literal["hash", "modulo"] = "hash"
    salt: tuple[int, int] | None = None
    mask_token: str | int | None = None
    mask_index: int = 0
    dtype: str = "int64"

    def infer(self, x: TensorType, *, vocabulary: TensorType) -> TensorType:
        """The shape of ``x``."""
        if x.dtype != vocabulary.dtype:
            raise ValueError(f"{x.dtype} looked up in a vocabulary of {vocabulary.dtype}")
        return x.with_dtype(self.dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class InverseLookup(Op):
    """The token of each number.

    Parameters: vocabulary ``(tokens,)``.
    Source: keras/src/layers/preprocessing/index_lookup.py ``_lookup_dense``,
    Keras 3.15.

    Attributes:
        start: number of the vocabulary's first token.
        oov_token: token of numbers outside the vocabulary.
        mask_token: token of number 0, ``None`` when 0 is a number like others.
    """

    start: int
    oov_token: str | int
    mask_token: str | int | None = None

    def infer(self, x: TensorType, *, vocabulary: TensorType) -> TensorType:
        """The shape of ``x`` in the dtype of the vocabulary."""
        if x.dtype not in INTEGERS:
            raise ValueError(f"{x.dtype} does not number tokens")
        return x.with_dtype(vocabulary.dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class HashBuckets(Op):
    """A bucket for each element by its hash: FarmHash, or SipHash under a key.

    Numbers are hashed as the decimal text of their whole part.
    Source: keras/src/layers/preprocessing/hashing.py, Keras 3.15:
    ``tf.strings.to_hash_bucket_fast`` and ``to_hash_bucket_strong``.

    Attributes:
        num_buckets: how many there are.
        salt: key of SipHash, ``None`` for FarmHash.
        mask_value: what gets bucket 0 alone, ``None`` for nothing.
        dtype: dtype of the result.
    """

    num_buckets: int
    salt: tuple[int, int] | None = None
    mask_value: str | int | float | None = None
    dtype: str = "int64"

    def infer(self, x: TensorType) -> TensorType:
        """The shape of ``x``."""
        return x.with_dtype(self.dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class HashCross(Op):
    """A bucket for each combination of elements at one place, by their joint hash.

    Inputs: texts or whole numbers, all of one shape.
    Source: keras/src/layers/preprocessing/hashed_crossing.py, Keras 3.15:
    ``tf.sparse.cross_hashed`` with its default key.

    Attributes:
        num_buckets: how many there are.
        dtype: dtype of the result.
    """

    num_buckets: int
    dtype: str = "int64"

    def infer(self, *values: TensorType) -> TensorType:
        """The shape all have."""
        for value in values:
            if value.rank != values[0].rank or value.dtype not in (*INTEGERS, STRING):
                raise ValueError("values to cross are texts or whole numbers of one shape")
        return values[0].with_dtype(self.dtype)


def _text(x: TensorType) -> TensorType:
    if x.dtype != STRING:
        raise ValueError(f"{x.dtype} is not text")
    return x
