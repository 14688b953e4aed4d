"""Connectionist temporal classification: the forward recursion and the beam search.

Source: A. Graves et al., "Connectionist temporal classification", ICML 2006;
tensorflow/python/ops/ctc_ops.py and tensorflow/core/util/ctc/ctc_beam_search.h,
TensorFlow 2.21.
"""

from __future__ import annotations

import math
from heapq import heapify, heappush, heapreplace

import numpy as np

from layergraph.ir.types import Array

NEVER = np.float32(np.log(1e-307))
"""Logarithm of a probability of nothing: TensorFlow's, so that labels that do not fit the
time get the same large loss instead of an infinite one."""


def forward(
    labels: Array, emitted: Array, blanks: Array, label_lengths: Array, lengths: Array
) -> Array:
    """Logarithm of the probability of each row's labels.

    Args:
        labels: ``(batch, labels)``.
        emitted: log-probability of each label at each step, ``(batch, time, labels)``.
        blanks: that of the blank, ``(batch, time)``.
        label_lengths, lengths: how many of each count, ``(batch,)``.

    States are a start, the labels, and a blank behind the start and each label.
    """
    batch, time, count = emitted.shape
    follows = np.where(labels[:, 1:] == labels[:, :-1], -np.inf, 0).astype("float32")
    label = np.full((batch, count), -np.inf, "float32")
    blank = np.full((batch, count + 1), -np.inf, "float32")
    start = np.zeros((batch, 1), "float32")
    with np.errstate(all="ignore"):
        for step in range(time):
            reached = np.logaddexp(label, blank[:, :-1])
            reached[:, 1:] = np.logaddexp(reached[:, 1:], label[:, :-1] + follows)
            reached[:, :1] = np.logaddexp(reached[:, :1], start)
            held = np.logaddexp(blank, np.concatenate([start, label], axis=1))
            runs = (step < lengths)[:, None]
            label = np.where(runs, reached + emitted[:, step], label)
            blank = np.where(runs, held + blanks[:, step, None], blank)
            start = np.where(runs, np.float32(-np.inf), start)
        states = np.concatenate([start, label, blank], axis=1)
        last = np.arange(count + 1) == np.asarray(label_lengths)[:, None]
        states = states + np.where(np.concatenate([last, last], axis=1), 0, NEVER)
        return np.asarray(np.logaddexp.reduce(states, axis=1, initial=-np.inf))


class Prefix:
    """A label sequence, the log-probability of it, and of it by how its last step reads.

    Attributes:
        parent, label: the sequence without its last label, and that label.
        children: longer sequences met so far, by their last label.
        total, on_blank, on_label: at this step; of nothing while it is not kept.
        old_total, old_blank: at the step before.
    """

    __slots__ = ("children", "label", "old_blank", "old_total", "on_blank", "on_label", "parent",
                 "total")  # fmt: skip

    def __init__(self, parent: Prefix | None, label: int) -> None:
        self.parent, self.label = parent, label
        self.children: dict[int, Prefix] = {}
        self.total = self.on_blank = self.on_label = -math.inf
        self.old_total = self.old_blank = -math.inf

    def labels(self) -> list[int]:
        """The sequence."""
        found, at = [], self
        while at.parent is not None:
            found.append(at.label)
            at = at.parent
        return found[::-1]

    def stay(self, row: Array, blank: int) -> None:
        """Another step that adds no label."""
        parent = self.parent
        if parent is not None:
            if parent.total > -math.inf:
                again = self.label == parent.label
                before = parent.old_blank if again else parent.old_total
                self.on_label = float(np.logaddexp(self.on_label, before))
            self.on_label += float(row[self.label])
        self.on_blank = self.old_total + float(row[blank])
        self.total = float(np.logaddexp(self.on_blank, self.on_label))


def best_paths(logits: Array, blank: int, width: int, paths: int) -> list[tuple[list[int], float]]:
    """The most probable label sequences of one row, with their log-probabilities.

    Args:
        logits: ``(time, classes)``.
        blank: the class that is no label.
        width: prefixes kept from step to step.
        paths: sequences wanted.
    """
    scores = logits.astype("float64")
    scores = scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True)
    root = Prefix(None, -1)
    root.total = root.on_blank = 0.0
    beam = [root]
    for row in scores:
        beam = _advanced(beam, row, blank, width)
    beam.sort(key=lambda prefix: -prefix.total)
    return [(prefix.labels(), prefix.total) for prefix in beam[:paths]]


def _advanced(beam: list[Prefix], row: Array, blank: int, width: int) -> list[Prefix]:
    """One step: every prefix stays, then grows by each label; the best are kept.

    Prefixes are dropped one by one as better ones are found, in TensorFlow's
    order, because what grows depends on it.
    """
    beam = sorted(beam, key=lambda prefix: -prefix.total)
    for prefix in beam:
        prefix.old_total, prefix.old_blank = prefix.total, prefix.on_blank
    for prefix in beam:
        prefix.stay(row, blank)
    kept = [(prefix.total, i, prefix) for i, prefix in enumerate(beam)]
    heapify(kept)
    for prefix in beam:
        if prefix.old_total > _least(kept, width):
            _grow(prefix, row, blank, width, kept)
    return [entry[2] for entry in kept]


def _least(kept: list[tuple[float, int, Prefix]], width: int) -> float:
    """What a prefix must exceed to be kept."""
    return kept[0][0] if len(kept) >= width else -math.inf


def _grow(
    prefix: Prefix, row: Array, blank: int, width: int, kept: list[tuple[float, int, Prefix]]
) -> None:
    reached = prefix.old_total + row
    reached[blank] = -np.inf
    if prefix.label >= 0:
        # A label that follows itself is a new one only behind a blank.
        reached[prefix.label] = prefix.old_blank + row[prefix.label]
    hopeful = np.flatnonzero(reached > _least(kept, width)).tolist()
    for label in sorted({*hopeful, *prefix.children}):
        child = prefix.children.get(label)
        if child is not None and child.total > -math.inf:
            continue
        score = float(reached[label])
        if score > _least(kept, width):
            child = prefix.children.setdefault(label, child or Prefix(prefix, label))
            child.total = child.on_label = score
            child.on_blank = -math.inf
            entry = (score, id(child), child)
            if len(kept) < width:
                heappush(kept, entry)
            else:
                _, _, dropped = heapreplace(kept, entry)
                dropped.total = dropped.on_blank = dropped.on_label = -math.inf
        elif child is not None:
            child.old_total = child.old_blank = -math.inf
