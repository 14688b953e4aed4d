"""Layers that read text, and those that number or hash categories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.layers.preprocessing import (
    computed_dtype,
    encoded,
    output_mode,
    plain,
)
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.elementwise import Cast, Scale
from layergraph.ir.ops.shape import Squeeze
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
from layergraph.ir.types import INTEGERS, STRING, Array, strings

ENCODINGS = ("one_hot", "multi_hot", "count", "tf_idf")
VOCABULARY = "vocabulary.txt"

STANDARDIZE = {
    "lower_and_strip_punctuation": CleanText(lower=True, strip_punctuation=True),
    "lower": CleanText(lower=True, strip_punctuation=False),
    "strip_punctuation": CleanText(lower=False, strip_punctuation=True),
}


@reads("Hashing")
def hashing(call: LayerCall) -> Tensor:
    """keras/src/layers/preprocessing/hashing.py."""
    config, x = call.config, call.input()
    mode = output_mode(call, "int", "int", "one_hot", "multi_hot", "count")
    if config.bool("bincount", False) and x.type.dtype not in (*INTEGERS, STRING):
        raise call.refusal(f"it hashes {x.type.dtype}, which Keras 2 refuses")
    dtype = computed_dtype(call, "int64")
    mask = config.take("mask_value", None)
    if mask is not None and isinstance(mask, str) != (x.type.dtype == STRING):
        raise call.refusal(f"mask_value={mask!r} among values of {x.type.dtype}")
    op = HashBuckets(
        num_buckets=config.int("num_bins"),
        salt=_salt(call),
        mask_value=mask,
        dtype=dtype if mode == "int" else "int64",
    )
    if mode == "int":
        config.ignore("sparse")
        return call.emit(op, x)
    return encoded(call, call.emit(op, x, part="buckets"), mode, op.num_buckets, dtype)


@reads("HashedCrossing")
def hashed_crossing(call: LayerCall) -> Tensor:
    """keras/src/layers/preprocessing/hashed_crossing.py."""
    config, values = call.config, call.inputs()
    mode = output_mode(call, "int", "int", "one_hot")
    shapes = {v.shape[1:] for v in values}
    if len(values) < 2 or shapes not in ({()}, {(1,)}):
        raise call.refusal(
            "it crosses values of other shapes than (batch,) or (batch, 1), which Keras refuses"
        )
    dtype = computed_dtype(call, "int64" if mode == "int" else "float32")
    size = config.int("num_bins")
    op = HashCross(num_buckets=size, dtype=dtype if mode == "int" else "int64")
    if mode == "int":
        config.ignore("bincount", "sparse")
        return call.emit(op, *values)
    return encoded(call, call.emit(op, *values, part="buckets"), mode, size, dtype)


@reads("IntegerLookup")
def integer_lookup(call: LayerCall) -> Tensor:
    """keras/src/layers/preprocessing/integer_lookup.py."""
    dtype = call.config.choice("vocabulary_dtype", INTEGERS, "int64")
    return _looked_up(call, call.input(), _options(call, dtype, -1))


@reads("StringLookup")
def string_lookup(call: LayerCall) -> Tensor:
    """keras/src/layers/preprocessing/string_lookup.py."""
    # The encoding is that of what get_vocabulary() returns; texts are looked up as bytes.
    call.config.ignore("encoding")
    return _looked_up(call, call.input(), _options(call, STRING, "[UNK]"))


@reads(
    "TextVectorization",
)
def text_vectorization(call: LayerCall) -> Tensor:
    """keras/src/layers/preprocessing/text_vectorization.py."""
    config, x = call.config, call.input()
    config.ignore("encoding", "trainable")
    if x.type.dtype != STRING:
        raise call.refusal(f"it is called on {x.type.dtype}, not on text")
    if config.bool("ragged", False):
        raise call.refusal(
            "ragged=True gives rows of unequal length, which no array holds",
            "save the model with ragged=False, which fills rows with 0",
        )
    mode = output_mode(call, "int", "int", *ENCODINGS)
    length = config.take("output_sequence_length", None)
    tokens = _tokens(call, x)
    if length is not None:
        # What is filled in stands for no token and is numbered 0, as Keras fills it.
        tokens = call.emit(FitLength(length=length), tokens, part="cut")
    options = _Options(
        dtype=STRING,
        mode=mode,
        num_oov=1,
        mask_token="",
        oov_token="[UNK]",
        numbers="int64",
        counts=config.text("counts", "int64"),
    )
    call.layer.weights.child("_lookup_layer").discard()
    return _looked_up(call, tokens, options)


def _tokens(call: LayerCall, x: Tensor) -> Tensor:
    """Texts standardized, split, and joined to n-grams."""
    config = call.config
    standardize, split = (
        _named(call, "standardize", tuple(STANDARDIZE)),
        _named(call, "split", ("whitespace", "character")),
    )
    if standardize is not None:
        x = call.emit(STANDARDIZE[standardize], x, part="clean")
    if split is not None:
        if len(x.shape) > 1:
            if x.shape[-1] not in (1, None):
                raise call.refusal(f"it splits rows of {x.shape[-1]} texts, which Keras refuses")
            x = call.emit(Squeeze(axis=(-1,)), x, part="texts")
        x = call.emit(SplitText(by=split), x, part="split")
    ngrams = config.take("ngrams", None)
    if ngrams is None:
        return x
    widths = range(1, ngrams + 1) if isinstance(ngrams, int) else config.ints("ngrams")
    if len(x.shape) < 2:
        raise call.refusal("ngrams of unsplit texts would join texts of different rows")
    return call.emit(Ngrams(widths=tuple(widths), padded=split is not None), x, part="ngrams")


def _named(call: LayerCall, key: str, choices: tuple[str, ...]) -> Any:
    """One of Keras' own ways, or ``None``."""
    found = call.config.take(key, choices[0])
    if found is not None and found not in choices:
        raise call.refusal(
            f"{key} is a Python function, and nothing from a model file is ever executed",
            f"save the model with {key}=None and apply the function to the texts you feed",
        )
    return found


# --- lookups ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Options:
    """What all lookups share.

    Attributes:
        dtype: dtype of the vocabulary.
        mode: output mode.
        num_oov: how many numbers unknown tokens share.
        mask_token, oov_token: tokens with a meaning.
        numbers, counts: dtypes of the output in mode ``int`` and in others.
    """

    dtype: str
    mode: str
    num_oov: int
    mask_token: Any
    oov_token: Any
    numbers: str
    counts: str
    invert: bool = False
    spread: Any = "hash"
    salt: tuple[int, int] | None = None

    @property
    def oov_start(self) -> int:
        """Number of the first unknown token: 0 is the mask's where numbers come out."""
        return int(self.mask_token is not None and self.mode == "int")

    @property
    def start(self) -> int:
        """Number of the vocabulary's first token."""
        return self.oov_start + self.num_oov


def _options(call: LayerCall, dtype: str, oov_token: Any) -> _Options:
    config = call.config
    mode = output_mode(call, "int", "int", *ENCODINGS)
    own = config.bool("own_dtype", False)
    modulo = dtype != STRING and config.text("oov_method", "floormod") == "floormod"
    config.ignore("oov_method")
    return _Options(
        dtype=dtype,
        mode=mode,
        num_oov=config.int("num_oov_indices", 1),
        mask_token=config.take("mask_token", None),
        oov_token=config.take("oov_token", oov_token),
        numbers=computed_dtype(call, "int64") if own and mode == "int" else "int64",
        counts=computed_dtype(call) if own and mode != "int" else "int64",
        invert=config.bool("invert", False),
        spread="modulo" if modulo else "hash",
        salt=_salt(call),
    )


def _looked_up(call: LayerCall, x: Tensor, options: _Options) -> Tensor:
    """Source: keras/src/layers/preprocessing/index_lookup.py, Keras 3.15."""
    config = call.config
    vocabulary = _vocabulary(call, options)
    config.ignore("vocabulary", "vocabulary_size", "has_input_vocabulary", "idf_weights", "sparse")
    most, pad = config.take("max_tokens", None), config.bool("pad_to_max_tokens", False)
    key = options.numbers if options.invert else options.dtype
    if (x.type.dtype == STRING) != (key == STRING):
        raise call.refusal(f"it looks up {x.type.dtype} where it expects {key}")
    if x.type.dtype != key:
        x = call.emit(Cast(dtype=key), x, part="keys")
    params = {"vocabulary": vocabulary}
    if options.invert:
        config.ignore("bincount")
        inverse = InverseLookup(
            start=options.start, oov_token=options.oov_token, mask_token=options.mask_token
        )
        return call.emit(inverse, x, params=params)
    is_int = options.mode == "int"
    op = Lookup(
        start=options.start,
        num_oov=options.num_oov,
        spread=options.spread,
        salt=options.salt,
        mask_token=options.mask_token,
        mask_index=0 if is_int else DROPPED,
        dtype=options.numbers if is_int else "int64",
    )
    if is_int:
        config.ignore("bincount")
        return call.emit(op, x, params=params)
    depth = most if pad else options.start + len(vocabulary)
    numbers = call.emit(op, x, params=params, part="numbers")
    if options.mode != "tf_idf":
        call.discard_weights()
        return encoded(call, numbers, options.mode, depth, options.counts)
    weights = _idf_weights(call, options, len(vocabulary), depth)
    dtype = str(weights.dtype)
    counts = encoded(call, numbers, "count", depth, dtype, part="counts")
    return call.emit(Scale(), counts, params={"scale": weights})


def _vocabulary(call: LayerCall, options: _Options) -> Array:
    """The tokens, special ones left out: from the config, or from the file beside it."""
    held = call.layer.arrays
    if "vocabulary" not in held:
        given = plain(call.config.take("vocabulary", None))
        if isinstance(given, str):
            raise call.refusal(
                f"its vocabulary is in another file, {given!r}, which nothing here opens",
                "give the layer the vocabulary as a list, or adapt() it, before saving",
            )
        tokens = _adapted(call, options) if given is None else list(given)
        special = [options.mask_token] * options.oov_start + [options.oov_token] * options.num_oov
        if tokens[: len(special)] == special:
            tokens = tokens[len(special) :]
        if options.dtype == STRING:
            array = strings(np.array([str(t) for t in tokens], object))
        else:
            array = np.array([int(t) for t in tokens], options.dtype)
        held["vocabulary"] = {"vocabulary": array}
    return held["vocabulary"]["vocabulary"]


def _adapted(call: LayerCall, options: _Options) -> list[Any]:
    """The vocabulary ``adapt`` found, a token a line.

    A token that is itself the end of a line (texts split into characters have it)
    is written as two empty lines; nothing else is, since no two tokens are equal.
    """
    text = call.layer.weights.asset(VOCABULARY)
    if text is None:
        raise call.refusal(
            "the file does not hold its vocabulary, as no .h5 file holds what adapt() found",
            "adapt the layer and save the model as .keras",
        )
    lines = text.split("\n")
    size = call.config.take("vocabulary_size", None)
    if len(lines) - 1 == size:
        for i in range(len(lines) - 1):
            if lines[i] == lines[i + 1] == "":
                lines[i : i + 2] = ["\n"]
                break
    return lines if options.dtype == STRING else [int(line) for line in lines]


def _idf_weights(call: LayerCall, options: _Options, tokens: int, depth: int) -> Array:
    """What counts are multiplied by, for every number of the output.

    Weights of a constructor speak of the tokens it was given: unknown tokens get
    their mean, numbers beyond the vocabulary 0.
    """
    held = call.layer.arrays
    if "idf" not in held:
        given = plain(call.config.take("idf_weights", None))
        if given is None:
            held["idf"] = call.weights(idf_weights=(depth,))
        else:
            call.discard_weights()
            weights = np.asarray(given, np.float64)
            before = options.start + tokens - len(weights)
            padded = np.pad(
                weights,
                (before, depth - before - len(weights)),
                constant_values=((np.average(weights) if before else 0.0), 0.0),
            )
            held["idf"] = {
                "idf_weights": padded.astype(
                    "float32" if options.counts in INTEGERS else options.counts
                )
            }
    return held["idf"]["idf_weights"]


def _salt(call: LayerCall) -> tuple[int, int] | None:
    salt = call.config.take("salt", None)
    if salt is None:
        return None
    pair = (salt, salt) if isinstance(salt, int) else tuple(salt)
    return int(pair[0]), int(pair[1])
