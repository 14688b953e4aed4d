"""The real data that the trained models learn from and are tried on: CIFAR-10 and NusaX-Senti.

Neither is part of the project. Every function takes the folder that holds `cifar10/` and
`nusax/`; `find_data` says where that is, or why there is none.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Padding = Literal["pre", "post"]

ROOT = Path(__file__).resolve().parents[2]
SENTIMENTS = ("negative", "neutral", "positive")
PAD, UNKNOWN = 0, 1
FILES = {
    "cifar10": ("train.parquet", "test.parquet"),
    "nusax": ("train.csv", "valid.csv", "test.csv"),
}


def find_data() -> Path:
    """The data folder: `LAYERGRAPH_DATA`, or `../shared/data` beside the checkout.

    Raises:
        FileNotFoundError: with one sentence that says what to do.
    """
    folder = Path(os.environ.get("LAYERGRAPH_DATA") or ROOT.parent / "shared" / "data")
    try:
        require(folder, *FILES)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{error}; set LAYERGRAPH_DATA to the folder with CIFAR-10 and NusaX"
        ) from error
    return folder


def require(folder: Path, *names: str) -> None:
    """See that the files of data sets are there.

    Args:
        folder: the data folder.
        names: `cifar10`, `nusax`.

    Raises:
        FileNotFoundError: names the first that is missing.
    """
    for name in names:
        for file in FILES[name]:
            if not (folder / name / file).is_file():
                raise FileNotFoundError(f"{folder} holds no {name}/{file}")


def cifar10(folder: Path, split: Literal["train", "test"]) -> tuple[Floats, Ints]:
    """Images as float32 `(n, 32, 32, 3)` in [0, 1], and class numbers `(n,)`."""
    import pyarrow.parquet as parquet
    from PIL import Image

    table = parquet.read_table(folder / "cifar10" / f"{split}.parquet")
    images = np.empty((table.num_rows, 32, 32, 3), np.float32)
    for row, encoded in zip(images, table["image"].to_pylist(), strict=True):
        with Image.open(io.BytesIO(encoded)) as image:
            row[...] = np.asarray(image.convert("RGB"), np.float32) / 255
    return images, np.asarray(table["label"].to_pylist(), np.int64)


def nusax(folder: Path, split: Literal["train", "valid", "test"]) -> tuple[list[str], Ints]:
    """Sentences, and their sentiment as an index into `SENTIMENTS`."""
    with open(folder / "nusax" / f"{split}.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = [SENTIMENTS.index(row["label"]) for row in rows]
    return [row["text"] for row in rows], np.asarray(labels, np.int64)


class Vocabulary:
    """Words by their frequency in the training sentences; made from the data, so none is copied.

    Id 0 is padding, 1 an unknown word, 2 the most frequent word, and so on; equal counts go by
    the alphabet.
    """

    def __init__(self, sentences: list[str], size: int) -> None:
        counts = Counter(word for sentence in sentences for word in tokens(sentence))
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        self.ids = {
            word: number for number, word in enumerate(ranked[: size - 2], start=UNKNOWN + 1)
        }

    def encode(self, sentences: list[str], steps: int, padding: Padding) -> NDArray[np.int32]:
        """Word ids as int32 `(n, steps)`: long sentences lose their end, short ones get zeros."""
        encoded = np.full((len(sentences), steps), PAD, np.int32)
        for row, sentence in zip(encoded, sentences, strict=True):
            ids = [self.ids.get(word, UNKNOWN) for word in tokens(sentence)][:steps]
            start = steps - len(ids) if padding == "pre" else 0
            row[start : start + len(ids)] = ids
        return encoded


def tokens(sentence: str) -> list[str]:
    """Lower-case words without punctuation."""
    return re.findall(r"\w+", sentence.lower())
