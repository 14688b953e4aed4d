"""Text and categories: TextVectorization, lookups, hashing.

What the graph holds as steps, cleaning, splitting, numbering and counting, is one layer
in Keras, which has no text between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.terms import as_dtype
from layergraph.backends.keras.writer import Operand, Writer
from layergraph.ir.graph import Node
from layergraph.ir.ops.indexing import OneHot
from layergraph.ir.ops.preprocessing import CountCategories
from layergraph.ir.ops.shape import ExpandDims, Squeeze
from layergraph.ir.ops.text import (
    DROPPED,
    CleanText,
    FitLength,
    HashBuckets,
    HashCross,
    InverseLookup,
    Lookup,
    Ngrams,
    SplitText,
)
from layergraph.ir.types import INTEGERS, STRING, Array

spellings = Spellings()

STANDARDIZE = {
    (True, True): "lower_and_strip_punctuation",
    (True, False): "lower",
    (False, True): "strip_punctuation",
}

TOKENS = "Keras gives tokens as numbers only: TextVectorization ends in a vocabulary"


# --- TextVectorization -----------------------------------------------------------------


@spellings.spells(CleanText, SplitText, Ngrams, FitLength)
def tokens(w: Writer, op: CleanText | SplitText | Ngrams | FitLength, x: Tensor) -> Any:
    """The first of the steps of a TextVectorization, which takes in those that follow."""
    x = w.tensor(x)
    config: dict[str, Any] = {
        "standardize": None, "split": None, "ngrams": None, "output_sequence_length": None,
    }  # fmt: skip
    step: Any = op
    while not isinstance(step, Lookup):
        _take(w, config, step)
        following = w.following(CleanText, SplitText, Ngrams, FitLength, Squeeze, Lookup)
        if following is None:
            raise RefusedError(TOKENS)
        w.absorb(following)
        step, params = following.op, following.params
    if step.num_oov != 1 or step.mask_token != "" or step.salt is not None:
        raise RefusedError("TextVectorization has one number for unknown tokens, and none hashed")
    return _numbered(w, "TextVectorization", x, step, params["vocabulary"], config)


def _take(w: Writer, config: dict[str, Any], step: Any) -> None:
    """What one step says of the layer."""
    if isinstance(step, CleanText):
        config["standardize"] = STANDARDIZE[step.lower, step.strip_punctuation]
    elif isinstance(step, SplitText):
        config["split"] = step.by
    elif isinstance(step, Ngrams):
        widths = step.widths
        counted = widths == tuple(range(1, len(widths) + 1))
        # tf-keras takes no list, and reads a tuple where one is spelled so.
        given = list(widths) if w.keras3 else {"class_name": "__tuple__", "items": list(widths)}
        config["ngrams"] = len(widths) if counted else given
    elif isinstance(step, FitLength):
        config["output_sequence_length"] = step.length


# --- lookups ---------------------------------------------------------------------------


@spellings.spells(Lookup)
def lookup(w: Writer, op: Lookup, x: Tensor, *, vocabulary: Array) -> Any:
    """StringLookup, IntegerLookup."""
    x = w.tensor(x)
    text = x.dtype == STRING
    config: dict[str, Any] = {
        "num_oov_indices": op.num_oov,
        "mask_token": op.mask_token,
        "oov_token": "[UNK]" if text else -1,
        "invert": False,
    }
    if op.salt is not None:
        if not w.keras3:
            raise RefusedError("Keras 2 looks nothing up by the hash of a key")
        config["salt"] = list(op.salt)
    if not text:
        # Keras 3 has but one, which holds the numbers of all others.
        kept = "int64" if w.keras3 else x.dtype
        x, vocabulary = w.tensor(as_dtype(w, x, kept)), vocabulary.astype(kept)
        config["vocabulary_dtype"] = kept
        if op.spread == "hash" and not w.keras3 and op.num_oov > 1:
            raise RefusedError("Keras 2 spreads unknown whole numbers by their remainder alone")
        if w.keras3:
            config["oov_method"] = "floormod" if op.spread == "modulo" else "farmhash"
    name = "StringLookup" if text else "IntegerLookup"
    return _numbered(w, name, x, op, vocabulary, config)


def listed(vocabulary: Array) -> list[Any]:
    """A vocabulary as a config holds it."""
    if vocabulary.dtype != object:
        return [int(token) for token in vocabulary.tolist()]
    try:
        return [token.decode("utf-8") for token in vocabulary.tolist()]
    except UnicodeDecodeError:
        raise RefusedError("its vocabulary holds tokens that are no UTF-8") from None


@dataclass(frozen=True)
class _Encoding:
    """How numbers become vectors: the mode of a layer, and the size of a vector."""

    mode: str
    depth: int


def _encoding(w: Writer) -> _Encoding | None:
    """The encoding that follows in the same layer, taken in."""
    taken: list[Node] = []
    squeezed = False
    node = w.following(Squeeze, ExpandDims, OneHot, CountCategories)
    while node is not None and isinstance(node.op, (Squeeze, ExpandDims)):
        if not w.keras3 or isinstance(node.op, ExpandDims):
            # Of these, one layer's encodings and those of the other Keras differ.
            break
        squeezed = True
        kept = w._last
        w._last = node
        taken.append(node)
        following = w.following(OneHot)
        w._last = kept
        node = following
    if node is None:
        return None
    if isinstance(node.op, OneHot):
        if not w.keras3 or (node.op.axis != -1):
            return None
        found = _Encoding("one_hot", node.op.num_classes)
    elif isinstance(node.op, CountCategories) and not squeezed:
        found = _Encoding("multi_hot" if node.op.binary else "count", node.op.depth)
        if w._last.types[0].rank > 2:
            return None
    else:
        return None
    for step in (*taken, node):
        w.absorb(step)
    return found


def _numbered(
    w: Writer, name: str, x: Tensor, op: Lookup, vocabulary: Array, config: dict[str, Any]
) -> Any:
    """A layer with a vocabulary, and the encoding that follows."""
    dropped = op.mask_token is not None and op.mask_index == DROPPED
    numbers = w._last.types[0]
    encoding = _encoding(w)
    if encoding is None and dropped:
        raise RefusedError("tokens that are dropped from what is counted, but counted elsewhere")
    first = op.start - op.num_oov
    if first != (op.mask_token is not None and not dropped) or (encoding and first):
        raise RefusedError("the numbers of its tokens begin where no layer's do")
    options = {**config, "output_mode": "int", "vocabulary": listed(vocabulary)}
    whole = numbers.with_dtype("int64")
    if encoding is not None:
        options["output_mode"] = encoding.mode
        if encoding.depth != op.start + len(vocabulary):
            options |= {"max_tokens": encoding.depth, "pad_to_max_tokens": True}
    wanted = w._last.types[0]
    given = "int64" if encoding is None else _counted(w, name, wanted.dtype)
    made = whole if encoding is None else wanted.with_dtype(given)
    policy = given if name != "TextVectorization" else "string"
    if made.dtype == wanted.dtype:
        return w.layer(name, x, dtype=policy, masking="drop", types=made, **options)
    found = w.layer(name, x, dtype=policy, masking="drop", types=made, part="layer", **options)
    return (
        w.op("Cast", found, dtype=wanted.dtype)
        if w.keras3
        else w.tf("cast", found, dtype=wanted.dtype)
    )


def _counted(w: Writer, name: str, wanted: str) -> str:
    """Dtype in which a layer counts."""
    if w.keras3:
        return "int64"
    # Of IntegerLookup Keras 2 takes int64 for what older ones said whatever they gave.
    forgotten = name == "IntegerLookup" and wanted == "int64"
    return "float32" if forgotten or name == "TextVectorization" else wanted


@spellings.spells(InverseLookup)
def inverse_lookup(w: Writer, op: InverseLookup, x: Tensor, *, vocabulary: Array) -> Any:
    """StringLookup, IntegerLookup of numbers."""
    x = w.tensor(x)
    text = vocabulary.dtype == object
    unknown = op.start - (op.mask_token is not None)
    config: dict[str, Any] = {
        "num_oov_indices": unknown, "mask_token": op.mask_token, "oov_token": op.oov_token,
        "invert": True, "output_mode": "int", "vocabulary": listed(vocabulary),
    }  # fmt: skip
    if text:
        return w.layer("StringLookup", x, dtype="int64", masking="drop", **config)
    wanted = w.node.types[0]
    kept = wanted.with_dtype("int64") if w.keras3 else wanted
    config["vocabulary_dtype"] = kept.dtype
    found = w.layer("IntegerLookup", x, dtype="int64", masking="drop", types=kept,
                    part="" if kept == wanted else "layer", **config)  # fmt: skip
    return found if kept == wanted else w.op("Cast", found, dtype=wanted.dtype)


# --- hashing ---------------------------------------------------------------------------


@spellings.spells(HashBuckets)
def hash_buckets(w: Writer, op: HashBuckets, x: Tensor) -> Any:
    """Hashing; Keras 2 takes texts and whole numbers only."""
    if not w.keras3 and x.dtype not in (*INTEGERS, STRING):
        raise RefusedError(f"its Hashing takes texts and whole numbers, not {x.dtype}")
    salt = None if op.salt is None else list(op.salt)
    return w.layer(
        "Hashing", w.tensor(x), dtype=op.dtype, masking="drop", num_bins=op.num_buckets,
        mask_value=op.mask_value, salt=salt, output_mode="int", sparse=False,
    )  # fmt: skip


@spellings.spells(HashCross)
def hash_cross(w: Writer, op: HashCross, *values: Operand) -> Any:
    """HashedCrossing."""
    given = [w.tensor(v) for v in values]
    if w.keras3 and len(given) != 2:
        raise RefusedError(f"HashedCrossing crosses two values, not {len(given)}")
    return w.layer(
        "HashedCrossing", given, dtype=op.dtype, masking="drop", num_bins=op.num_buckets,
        output_mode="int", sparse=False,
    )  # fmt: skip
