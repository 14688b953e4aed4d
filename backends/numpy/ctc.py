"""Connectionist temporal classification: the forward recursion and the beam search.

Source: A. Graves et al., "Connectionist temporal classification", ICML 2006;
tensorflow/python/ops/ctc_ops.py and tensorflow/core/util/ctc/ctc_beam_search.h,
TensorFlow 2.21.
"""

from __future__ import annotations

import numpy as np

from layergraph.ir.types import Array

NEVER = np.float32(np.log(1e-307))
"""Logarithm of a probability of nothing: TensorFlow's, so that labels that do not fit the
time get the same large loss instead of an infinite one."""

Prefix = tuple[int, ...]


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
    beam: list[Prefix] = [()]
    # Log-probability of each prefix, by whether its last step is blank.
    on_blank, on_label = np.zeros(1), np.full(1, -np.inf)
    for row in scores:
        beam, on_blank, on_label = _advanced(beam, on_blank, on_label, row, blank, width)
    total = np.logaddexp(on_blank, on_label)
    order = np.argsort(-total, kind="stable")[:paths]
    return [(list(beam[i]), float(total[i])) for i in order]


def _advanced(
    beam: list[Prefix], on_blank: Array, on_label: Array, row: Array, blank: int, width: int
) -> tuple[list[Prefix], Array, Array]:
    """One step: every prefix stays, or grows by a label; the best are kept."""
    total = np.logaddexp(on_blank, on_label)
    at = {prefix: i for i, prefix in enumerate(beam)}
    grown = total[:, None] + row
    grown[:, blank] = -np.inf
    stays_blank, stays_label = total + row[blank], np.full(len(beam), -np.inf)
    for i, prefix in enumerate(beam):
        if not prefix:
            continue
        label = prefix[-1]
        # A label that follows itself is a new one only behind a blank.
        grown[i, label] = on_blank[i] + row[label]
        stays_label[i] = on_label[i] + row[label]
    for i, prefix in enumerate(beam):
        if prefix and (parent := at.get(prefix[:-1])) is not None:
            label = prefix[-1]
            stays_label[i] = np.logaddexp(stays_label[i], grown[parent, label])
            grown[parent, label] = -np.inf
    stays = np.logaddexp(stays_blank, stays_label)
    order = np.argsort(-np.concatenate([stays, grown.ravel()]), kind="stable")[:width]
    kept: list[Prefix] = []
    blanks, labels = np.full(len(order), -np.inf), np.full(len(order), -np.inf)
    for j, place in enumerate(order):
        if place < len(beam):
            kept.append(beam[place])
            blanks[j], labels[j] = stays_blank[place], stays_label[place]
        else:
            parent, label = divmod(int(place) - len(beam), len(row))
            kept.append((*beam[parent], label))
            labels[j] = grown[parent, label]
    alive = np.flatnonzero(np.logaddexp(blanks, labels) > -np.inf)
    return [kept[j] for j in alive], blanks[alive], labels[alive]
