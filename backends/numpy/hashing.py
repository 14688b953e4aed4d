"""The hash functions of TensorFlow's string operators, over many strings at once.

Strings of one length are the rows of a matrix of bytes, and every line below
computes a column of 64-bit words that wrap around, as C++ does. So the cost is
one of NumPy's calls a step and length, not a step and string.

Source: farmhash.cc ``farmhashna::Hash64`` of google/farmhash, which TensorFlow
calls ``Fingerprint64``; siphash of google/highwayhash (SipHash-2-4, Aumasson and
Bernstein 2012), which it calls ``StrongKeyedHash``; tensorflow/core/platform/
fingerprint.h ``FingerprintCat64``, TensorFlow 2.21.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Words: TypeAlias = npt.NDArray[np.uint64]
Bytes: TypeAlias = npt.NDArray[np.uint8]

U = np.uint64
MASK = (1 << 64) - 1

K0, K1, K2 = U(0xC3A5C85C97CB3127), U(0xB492B66FBE98F273), U(0x9AE16A3B2F90404F)
"""FarmHash's constants: primes between 2**63 and 2**64."""

CAT = U(0xC6A4A7935BD1E995)

SIP = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
"""SipHash's initial state: ``somepseudorandomlygeneratedbytes``."""


def fingerprints(texts: Sequence[bytes]) -> Words:
    """FarmHash's 64-bit fingerprint of each string."""
    return _by_length(texts, _farm)


def keyed_hashes(texts: Sequence[bytes], key: tuple[int, int]) -> Words:
    """SipHash-2-4 of each string under a key of two 64-bit numbers."""
    return _by_length(texts, partial(_sip, key=key))


def combined(first: Words, second: Words) -> Words:
    """One fingerprint of two, in this order."""
    result = first ^ CAT
    result = result ^ (_mix(second * CAT) * CAT)
    result = _mix(result * CAT) * CAT
    return _mix(result)


def _by_length(texts: Sequence[bytes], function: Callable[[Bytes], Words]) -> Words:
    out = np.empty(len(texts), U)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    order = np.argsort(lengths, kind="stable")
    cuts = np.flatnonzero(np.diff(lengths[order])) + 1
    for rows in np.split(order, cuts) if len(texts) else ():
        joined = b"".join([texts[i] for i in rows])
        out[rows] = function(np.frombuffer(joined, np.uint8).reshape(len(rows), -1))
    return out


def _word(data: Bytes, start: int, size: int = 8) -> Words:
    """The little-endian number in some columns."""
    columns = np.ascontiguousarray(data[:, start : start + size])
    words: Words = columns.view(f"<u{size}")[:, 0].astype(U)
    return words


def _rotated(x: Words, bits: int) -> Words:
    return (x >> U(bits)) | (x << U(64 - bits))


def _mix(x: Words) -> Words:
    return x ^ (x >> U(47))


def _hash_pair(u: Words, v: Words, factor: Any) -> Words:
    a = _mix((u ^ v) * factor)
    hashed: Words = _mix((v ^ a) * factor) * factor
    return hashed


# --- FarmHash ---------------------------------------------------------------------


def _farm(data: Bytes) -> Words:
    size = data.shape[1]
    if size <= 16:
        return _farm_to_16(data, size)
    if size <= 32:
        return _farm_to_32(data, size)
    return _farm_to_64(data, size) if size <= 64 else _farm_long(data, size)


def _factor(size: int) -> np.uint64:
    return U((int(K2) + 2 * size) & MASK)


def _farm_to_16(data: Bytes, size: int) -> Words:
    if size >= 8:
        factor = _factor(size)
        a, b = _word(data, 0) + K2, _word(data, size - 8)
        c = _rotated(b, 37) * factor + a
        return _hash_pair(c, (_rotated(a, 25) + b) * factor, factor)
    if size >= 4:
        a = (_word(data, 0, 4) << U(3)) + U(size)
        return _hash_pair(a, _word(data, size - 4, 4), _factor(size))
    if size > 0:
        first, middle, last = (data[:, i].astype(U) for i in (0, size >> 1, size - 1))
        y, z = first + (middle << U(8)), U(size) + (last << U(2))
        return _mix(y * K2 ^ z * K0) * K2
    return np.full(len(data), K2)


def _farm_to_32(data: Bytes, size: int) -> Words:
    factor = _factor(size)
    a, b = _word(data, 0) * K1, _word(data, 8)
    c, d = _word(data, size - 8) * factor, _word(data, size - 16) * K2
    first = _rotated(a + b, 43) + _rotated(c, 30) + d
    return _hash_pair(first, a + _rotated(b + K2, 18) + c, factor)


def _farm_to_64(data: Bytes, size: int) -> Words:
    factor = _factor(size)
    a, b = _word(data, 0) * K2, _word(data, 8)
    c, d = _word(data, size - 8) * factor, _word(data, size - 16) * K2
    y = _rotated(a + b, 43) + _rotated(c, 30) + d
    z = _hash_pair(y, a + _rotated(b + K2, 18) + c, factor)
    e, f = _word(data, 16) * factor, _word(data, 24)
    g, h = (y + _word(data, size - 32)) * factor, (z + _word(data, size - 24)) * factor
    first = _rotated(e + f, 43) + _rotated(g, 30) + h
    return _hash_pair(first, e + _rotated(f + a, 18) + g, factor)


def _farm_long(data: Bytes, size: int) -> Words:
    """Blocks of 64 bytes; the last one overlaps the one before."""
    zero = np.zeros(len(data), U)
    x = zero + U(81 * int(K2) & MASK) + _word(data, 0)
    y = zero + U(81 * int(K1) + 113 & MASK)
    z = _mix(y * K2 + U(113)) * K2
    v, w = (zero, zero), (zero, zero)
    last = (size - 1) // 64 * 64
    for start in range(0, last, 64):
        x = _rotated(x + y + v[0] + _word(data, start + 8), 37) * K1
        y = _rotated(y + v[1] + _word(data, start + 48), 42) * K1
        x = x ^ w[1]
        y = y + v[0] + _word(data, start + 40)
        z = _rotated(z + w[0], 33) * K1
        v = _weak(data, start, v[1] * K1, x + w[0])
        w = _weak(data, start + 32, z + w[1], y + _word(data, start + 16))
        x, z = z, x
    factor = K1 + ((z & U(255)) << U(1))
    start = size - 64
    first = w[0] + U(size - 1 & 63)
    v = (v[0] + first, v[1])
    w = (first + v[0], w[1])
    x = _rotated(x + y + v[0] + _word(data, start + 8), 37) * factor
    y = _rotated(y + v[1] + _word(data, start + 48), 42) * factor
    x = x ^ (w[1] * U(9))
    y = y + v[0] * U(9) + _word(data, start + 40)
    z = _rotated(z + w[0], 33) * factor
    v = _weak(data, start, v[1] * factor, x + w[0])
    w = _weak(data, start + 32, z + w[1], y + _word(data, start + 16))
    x, z = z, x
    left = _hash_pair(v[0], w[0], factor) + _mix(y) * K0 + z
    return _hash_pair(left, _hash_pair(v[1], w[1], factor) + x, factor)


def _weak(data: Bytes, start: int, a: Words, b: Words) -> tuple[Words, Words]:
    """32 bytes and two seeds to two words."""
    first, second, third, fourth = (_word(data, start + 8 * i) for i in range(4))
    a = a + first
    b = _rotated(b + a + fourth, 21)
    c = a
    a = a + second + third
    return a + fourth, b + _rotated(a, 44) + c


# --- SipHash ----------------------------------------------------------------------


def _sip(data: Bytes, key: tuple[int, int]) -> Words:
    count, size = data.shape
    # The last word holds the bytes that are left and, on top, the length.
    padded = np.zeros((count, size // 8 * 8 + 8), np.uint8)
    padded[:, :size] = data
    padded[:, -1] = size & 255
    v = [np.full(count, U((k & MASK) ^ s)) for k, s in zip((*key, *key), SIP, strict=True)]
    for start in range(0, padded.shape[1], 8):
        word = _word(padded, start)
        v[3] = v[3] ^ word
        _sip_rounds(v, 2)
        v[0] = v[0] ^ word
    v[2] = v[2] ^ U(255)
    _sip_rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _sip_rounds(v: list[Words], count: int) -> None:
    for _ in range(count):
        v[0] = v[0] + v[1]
        v[2] = v[2] + v[3]
        v[1] = _rotated(v[1], 51) ^ v[0]
        v[3] = _rotated(v[3], 48) ^ v[2]
        v[0] = _rotated(v[0], 32)
        v[2] = v[2] + v[1]
        v[0] = v[0] + v[3]
        v[1] = _rotated(v[1], 47) ^ v[2]
        v[3] = _rotated(v[3], 43) ^ v[0]
        v[2] = _rotated(v[2], 32)
