"""The hash functions beside TensorFlow's, on strings of every length."""

from __future__ import annotations

import numpy as np
import pytest

from layergraph.backends.numpy.hashing import combined, fingerprints, keyed_hashes
from support import keras_of

LARGEST = 2**63 - 1

FARM = [
    1936946117179621456, 295683112107943449, 158272014227505925, 8285897768275123656,
    5632434746988667224, 3266688203953142610, 6395953677959721955, 8459422974058598367,
]  # fmt: skip
SIP = [4928313950774450900, 1794559269514456261, 3399060530919575945]


def _texts() -> list[bytes]:
    rng = np.random.default_rng(0)
    texts = [rng.bytes(length) for length in range(301) for _ in range(10)]
    return [texts[i] for i in rng.permutation(len(texts))]


@pytest.mark.live
def test_farmhash_is_tensorflows() -> None:
    keras_of("keras")
    import tensorflow as tf

    texts = _texts()
    wanted = tf.strings.to_hash_bucket_fast(tf.constant(texts), LARGEST).numpy()
    assert np.array_equal(fingerprints(texts) % np.uint64(LARGEST), wanted)


@pytest.mark.live
@pytest.mark.parametrize("key", [(0, 0), (133, 137), (-3, 2**62)])
def test_siphash_is_tensorflows(key: tuple[int, int]) -> None:
    keras_of("keras")
    import tensorflow as tf

    texts = _texts()
    wanted = tf.strings.to_hash_bucket_strong(tf.constant(texts), LARGEST, key=list(key)).numpy()
    assert np.array_equal(keyed_hashes(texts, key) % np.uint64(LARGEST), wanted)


def test_known_values() -> None:
    """Values TensorFlow 2.21 gave, to hold without it: one of each length class."""
    lengths = (0, 3, 7, 16, 32, 64, 65, 200)
    text = b"layergraph " * 20
    found = fingerprints([text[:n] for n in lengths]) % np.uint64(LARGEST)
    assert found.tolist() == FARM
    found = keyed_hashes([text[:n] for n in lengths[:3]], (133, 137)) % np.uint64(LARGEST)
    assert found.tolist() == SIP


def test_no_strings_and_order() -> None:
    assert fingerprints([]).shape == (0,)
    one, two = fingerprints([b"a"]), fingerprints([b"b"])
    assert combined(one, two) != combined(two, one)
