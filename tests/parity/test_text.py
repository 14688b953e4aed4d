"""Text, vocabularies and hashing beside real Keras."""

from __future__ import annotations

from typing import Any

import numpy as np

from support import case, parity

VOCABULARY = ["cat", "the", "caf\u00e9", "mat", "The"]
IDF = [0.5, 1.5, 2.0, 0.25, 3.0]
SAW = np.array(
    [["the cat"], ["The mat, the m.a.t"], ["caf\u00e9 CAF\u00c9 don't"], ["the \U0001f408"]]
)
NUMBERS = [3, -7, 1, 9]


def _layer(name: str, **options: Any) -> Any:
    return lambda k: getattr(k.layers, name)(**options)


def _adapted(name: str, data: Any = SAW, **options: Any) -> Any:
    """A layer that has seen data; its vocabulary is stored beside the config, in .keras only."""

    def build(k: Any) -> Any:
        layer = getattr(k.layers, name)(**options)
        layer.adapt(data)
        return layer

    return build


KERAS = {"writers": ("keras",)}
TEXT = {"dtype": "string", "make": "texts"}
WORD = {"dtype": "string"}
ADAPTED = {"containers": (".keras",), "weights": False}
SL = "StringLookup"
IL = "IntegerLookup"
TV = "TextVectorization"


def _string(name: str, shape: Any = (4,), **options: Any) -> Any:
    keys = ("writers", "containers", "weights", "batch0")
    harness = {k: options.pop(k) for k in keys if k in options}
    return case(name, _layer(SL, vocabulary=VOCABULARY, **options), shape, **WORD, **harness)


LOOKUPS = [
    _string("string"),
    _string("string of rank 3", (4, 3)),
    _string("string mask", mask_token=""),
    _string("string mask word", mask_token="on"),
    _string("string two oov", num_oov_indices=2),
    _string("string five oov mask", num_oov_indices=5, mask_token=""),
    _string("string oov salt", num_oov_indices=3, salt=[3, 77], **KERAS),
    _string("string oov salt one", num_oov_indices=3, salt=5, **KERAS),
    _string("string one hot", (1,), output_mode="one_hot", weights=False),
    _string("string one hot of several", output_mode="one_hot", **KERAS),
    _string("string multi hot", output_mode="multi_hot"),
    _string("string multi hot mask", output_mode="multi_hot", mask_token="", num_oov_indices=2),
    _string("string multi hot of rank 3", (4, 3), output_mode="multi_hot", **KERAS),
    _string("string count", output_mode="count", mask_token=""),
    _string("string count of rank 3", (4, 3), output_mode="count", **KERAS),
    _string("string count padded", output_mode="count", max_tokens=9, pad_to_max_tokens=True),
    # tf-keras takes a batch of one for an axis of one here, when it is called eagerly.
    _string("string one hot without axis", (), output_mode="one_hot", **KERAS),
    _string("string multi hot without axis", (), output_mode="multi_hot", batch0=False),
    _string("string tf idf", output_mode="tf_idf", idf_weights=IDF, weights=False),
    _string("string tf idf padded", output_mode="tf_idf", idf_weights=IDF, max_tokens=11, pad_to_max_tokens=True, mask_token="", num_oov_indices=2, weights=False),
    case("string special tokens given", _layer(SL, vocabulary=["", "[UNK]", *VOCABULARY], mask_token=""), (4,), **WORD),
    case("string tf idf special given", _layer(SL, vocabulary=["[UNK]", *VOCABULARY], output_mode="tf_idf", idf_weights=[9.0, *IDF]), (4,), weights=False, **WORD),
    case("string adapted", _adapted(SL, SAW), (3,), **WORD, **ADAPTED),
    case("string adapted words", _adapted(SL, np.array(VOCABULARY + VOCABULARY[:2]), num_oov_indices=2, mask_token="", max_tokens=6), (3,), **WORD, **ADAPTED),
    case("string adapted tf idf", _adapted(SL, np.array([["the", "cat"], ["mat", "the"]]), output_mode="tf_idf"), (3,), **WORD, **ADAPTED),
    case("string inverted", _layer(SL, vocabulary=VOCABULARY, invert=True), (4,), dtype="int64"),
    case("string inverted int32", _layer(SL, vocabulary=VOCABULARY, invert=True, mask_token="", num_oov_indices=2), (4,), dtype="int32"),
    case("string inverted oov", _layer(SL, vocabulary=VOCABULARY, invert=True, oov_token="?"), (4,), dtype="int64"),
    case("string there and back", lambda k, x: k.layers.StringLookup(vocabulary=VOCABULARY, invert=True)(k.layers.StringLookup(vocabulary=VOCABULARY)(x)), (4,), **WORD),
    case("string int32", _layer(SL, vocabulary=VOCABULARY, dtype="int32"), (4,), writers=("tf_keras",), **WORD),
    case("string counts float64", _layer(SL, vocabulary=VOCABULARY, dtype="float64", output_mode="count"), (4,), writers=("tf_keras",), **WORD),
    case("string counts into dense", lambda k: [k.layers.StringLookup(vocabulary=VOCABULARY, output_mode="count"), k.layers.Dense(3)], (4,), **WORD),
    case("string sparse into dense", lambda k: [k.layers.StringLookup(vocabulary=VOCABULARY, output_mode="multi_hot", sparse=True), k.layers.Dense(3)], (4,), writers=("tf_keras",), batch0=False, **WORD),
]  # fmt: skip


def _integer(name: str, shape: Any = (4,), dtype: str = "int64", **options: Any) -> Any:
    keys = ("writers", "containers", "weights", "batch0")
    harness = {k: options.pop(k) for k in keys if k in options}
    return case(name, _layer(IL, vocabulary=NUMBERS, **options), shape, dtype=dtype, **harness)


INTEGERS = [
    _integer("integer"),
    _integer("integer int32", dtype="int32"),
    _integer("integer of floats", dtype="float32", **KERAS),
    _integer("integer mask", mask_token=0),
    _integer("integer two oov", num_oov_indices=2),
    _integer("integer three oov mask", num_oov_indices=3, mask_token=2),
    _integer("integer oov farmhash", num_oov_indices=3, oov_method="farmhash", **KERAS),
    _integer("integer oov farmhash salt", num_oov_indices=3, oov_method="farmhash", salt=9, **KERAS),
    _integer("integer one hot", (1,), output_mode="one_hot"),
    _integer("integer multi hot", output_mode="multi_hot", mask_token=0),
    _integer("integer count", output_mode="count", num_oov_indices=2),
    _integer("integer tf idf", output_mode="tf_idf", idf_weights=[1.0, 2.0, 0.5, 4.0], weights=False),
    _integer("integer inverted", invert=True),
    _integer("integer inverted mask", invert=True, mask_token=0, oov_token=-5),
    case("integer adapted", _adapted(IL, np.array([[3, 4], [3, 9]])), (4,), dtype="int64", **ADAPTED),
    case("integer adapted mask", _adapted(IL, np.array([[3, 4], [3, 0]]), mask_token=0, num_oov_indices=2), (4,), dtype="int64", **ADAPTED),
    case("integer vocabulary int32", _layer(IL, vocabulary=NUMBERS, vocabulary_dtype="int32", dtype="int32"), (4,), dtype="int32", writers=("tf_keras",)),
]  # fmt: skip


HASHES = [
    case("hashing", _layer("Hashing", num_bins=7), (4,), **WORD),
    case("hashing mask", _layer("Hashing", num_bins=7, mask_value=""), (4,), **WORD),
    case("hashing one bin mask", _layer("Hashing", num_bins=1, mask_value=""), (4,), **WORD),
    case("hashing salt", _layer("Hashing", num_bins=7, salt=133), (4,), **WORD),
    case("hashing salt pair", _layer("Hashing", num_bins=7, salt=[133, 2]), (4,), **WORD),
    case("hashing integers", _layer("Hashing", num_bins=7), (4, 3), dtype="int64"),
    case("hashing small integers mask", _layer("Hashing", num_bins=7, mask_value=3), (4,), dtype="int32"),
    case("hashing floats", _layer("Hashing", num_bins=7, mask_value=0), (4,), dtype="float32", **KERAS),
    case("hashing booleans", _layer("Hashing", num_bins=7), (4,), dtype="bool", **KERAS),
    case("hashing int32", _layer("Hashing", num_bins=7, dtype="int32"), (4,), **WORD),
    case("hashing one hot", _layer("Hashing", num_bins=7, output_mode="one_hot"), (1,), **WORD),
    case("hashing one hot of several", _layer("Hashing", num_bins=7, output_mode="one_hot"), (4,), **KERAS, **WORD),
    case("hashing multi hot", _layer("Hashing", num_bins=7, output_mode="multi_hot"), (4,), **WORD),
    case("hashing count", _layer("Hashing", num_bins=7, output_mode="count", salt=1), (4,), **WORD),
    case("hashing count of texts", _layer("Hashing", num_bins=3, output_mode="count"), (4,), **TEXT),
    case("crossing texts", lambda k, a, b: k.layers.HashedCrossing(9)([a, b]), [(1,), (1,)], **WORD),
    case("crossing text and number", lambda k, a, b: k.layers.HashedCrossing(9)([a, b]), [(1,), (1,)], dtype=("string", "int64")),
    case("crossing three", lambda k, a, b, c: k.layers.HashedCrossing(9)([a, b, c]), [(), (), ()], dtype=("int32", "string", "int64"), writers=("tf_keras",)),
    case("crossing one hot", lambda k, a, b: k.layers.HashedCrossing(9, output_mode="one_hot")([a, b]), [(1,), (1,)], dtype=("string", "int32")),
    # As above.
    case("crossing one hot without axis", lambda k, a, b: k.layers.HashedCrossing(9, output_mode="one_hot")([a, b]), [(), ()], dtype=("string", "int32"), writers=("keras",)),
]  # fmt: skip


def _vectors(name: str, shape: Any = (1,), **options: Any) -> Any:
    keys = ("writers", "containers", "weights", "batch0", "unknown")
    harness = {k: options.pop(k) for k in keys if k in options}
    options.setdefault("vocabulary", VOCABULARY)
    return case(name, _layer(TV, **options), shape, **TEXT, **harness)


VECTORS = [
    _vectors("text"),
    _vectors("text without axis", ()),
    _vectors("text cut", output_sequence_length=3),
    _vectors("text filled", output_sequence_length=30),
    _vectors("text lower", standardize="lower"),
    _vectors("text punctuation", standardize="strip_punctuation"),
    _vectors("text as it is", standardize=None),
    _vectors("text characters", split="character", vocabulary=["e", "a", " ", "\u00e9", "\u732b", "\ufffd", "\n"]),
    _vectors("text characters as they are", split="character", standardize=None, vocabulary=list("teCA \u00e9\u2028\ufffd")),
    _vectors("text unsplit", (3,), split=None, standardize="lower"),
    _vectors("text unsplit cut", (5,), split=None, output_sequence_length=3),
    _vectors("text unsplit filled", (3,), split=None, output_sequence_length=5),
    _vectors("text unsplit bigrams", (5,), split=None, ngrams=2, vocabulary=["mat", "cat the", "the ", "cat"]),
    _vectors("text bigrams", ngrams=2, vocabulary=["the cat", "cat", "cat sat", "the"]),
    _vectors("text trigrams only", ngrams=(3, 2), vocabulary=["the cat", "cat sat", "cat", "mat mat mat"]),
    _vectors("text bigrams cut", ngrams=2, output_sequence_length=5),
    _vectors("text multi hot", output_mode="multi_hot"),
    _vectors("text multi hot unsplit", (4,), output_mode="multi_hot", split=None),
    _vectors("text count", output_mode="count", max_tokens=12, pad_to_max_tokens=True),
    _vectors("text count bigrams", output_mode="count", ngrams=2),
    _vectors("text tf idf", output_mode="tf_idf", idf_weights=IDF, weights=False),
    _vectors("text tf idf padded", output_mode="tf_idf", idf_weights=IDF, max_tokens=9, pad_to_max_tokens=True, weights=False),
    case("text adapted", _adapted(TV), (1,), **TEXT, **ADAPTED),
    case("text adapted bigrams", _adapted(TV, ngrams=2, max_tokens=8, output_sequence_length=6), (1,), **TEXT, **ADAPTED),
    case("text adapted count", _adapted(TV, output_mode="count", pad_to_max_tokens=True, max_tokens=20), (1,), **TEXT, **ADAPTED),
    case("text adapted tf idf", _adapted(TV, output_mode="tf_idf"), (1,), **TEXT, **ADAPTED),
    case("text adapted tf idf padded", _adapted(TV, output_mode="tf_idf", max_tokens=20, pad_to_max_tokens=True), (1,), **TEXT, **ADAPTED),
    case("text to classes", lambda k: [_adapted(TV, output_sequence_length=9)(k), k.layers.Embedding(30, 6, mask_zero=True), k.layers.GRU(5), k.layers.Dense(3, activation="softmax")], (1,), **TEXT, **ADAPTED),
    case("text to pooled classes", lambda k: [_layer(TV, vocabulary=VOCABULARY)(k), k.layers.Embedding(30, 6), k.layers.GlobalAveragePooling1D(), k.layers.Dense(3)], (1,), **TEXT),
    case("text counts into dense", lambda k: [_layer(TV, vocabulary=VOCABULARY, output_mode="count")(k), k.layers.Dense(3)], (1,), **TEXT),
]  # fmt: skip


@parity([*LOOKUPS, *INTEGERS])
def test_lookup(run: Any) -> None:
    """Same as Keras."""
    run()


@parity(HASHES)
def test_hashing(run: Any) -> None:
    """Same as Keras."""
    run()


@parity(VECTORS)
def test_text(run: Any) -> None:
    """Same as Keras."""
    run()
