"""What the models learn from, are watched on while they learn, and are tried on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from study.datasets import Ints, Vocabulary, cifar10, nusax, require
from study.models import STEPS, VOCABULARY

HELD_OUT = 10
"""One row in so many of CIFAR-10's training file, the last ones, is kept for validation."""

Rows = tuple[NDArray[Any], Ints]
"""Inputs and labels."""


@dataclass(frozen=True)
class Splits:
    """A data set as a model is fed with it.

    Attributes:
        train: what it learns from.
        validation: what its curves are measured on.
        test: what both engines answer.
    """

    train: Rows
    validation: Rows
    test: Rows


@lru_cache(maxsize=2)
def splits(data: str, folder: Path, rows: int) -> Splits:
    """Read a data set.

    Args:
        data: `cifar10` or `nusax`.
        folder: holds a folder of that name.
        rows: training rows at most; the test rows are always all.

    Raises:
        FileNotFoundError: a file is not there.
    """
    require(folder, data)
    return (_images if data == "cifar10" else _sentences)(folder, rows)


def _images(folder: Path, rows: int) -> Splits:
    images, labels = cifar10(folder, "train")
    held = len(images) - max(1, len(images) // HELD_OUT)
    learnt = min(rows, held)
    return Splits(
        (images[:learnt], labels[:learnt]),
        (images[held:], labels[held:]),
        cifar10(folder, "test"),
    )


def _sentences(folder: Path, rows: int) -> Splits:
    sentences, labels = nusax(folder, "train")
    sentences, labels = sentences[:rows], labels[:rows]
    vocabulary = Vocabulary(sentences, VOCABULARY)
    valid, test = nusax(folder, "valid"), nusax(folder, "test")
    return Splits(
        (vocabulary.encode(sentences, STEPS, "post"), labels),
        (vocabulary.encode(valid[0], STEPS, "post"), valid[1]),
        (vocabulary.encode(test[0], STEPS, "post"), test[1]),
    )
