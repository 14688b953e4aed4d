"""What the results say, in words that depend on them: no figure in the text is typed by hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from math import sqrt
from typing import Any

from study.configurations import BASES, Recurrent
from study.plots import Results, drawn, levels
from study.results import Result

OF_LEVELS: Mapping[str, str] = {
    "layers": "{} layers",
    "filters": "{} filters",
    "kernel": "kernels of {0}x{0}",
    "pooling": "{} pooling",
    "units": "{} cells",
    "direction": "{} direction",
}
"""How a level of a factor is called."""

TITLES: Mapping[str, str] = {
    "layers": "Layers",
    "filters": "Filters",
    "kernel": "Kernels",
    "pooling": "Pooling",
    "units": "Cells",
    "direction": "Direction",
}


def called(factor: str, level: Any) -> str:
    """A level in words."""
    if level == 1:
        return "1 layer"
    return "both directions" if level == "both" else OF_LEVELS[factor].format(level)


def chance(results: Sequence[Result]) -> float:
    """How far two scores may be apart because of which test rows there happen to be.

    Twice the standard error of the difference of two independent shares as
    large as the accuracies.
    """
    variances = [
        found.accuracy * (1 - found.accuracy) / found.rows
        for result in results
        for found in [next(iter(result.agreement.values()))]
    ]
    return 2 * sqrt(2 * max(variances))


def about_factor(results: Results, kind: str, factor: str) -> str:
    """What a factor does to macro F1, to what is learnt and to what is retained."""
    found = levels(results, kind, factor)
    scores = {level: result.f1 for level, result in found.items()}
    best, worst = max(scores, key=scores.__getitem__), min(scores, key=scores.__getitem__)
    spread, noise = scores[best] - scores[worst], chance(list(found.values()))
    listed = ", ".join(f"{called(factor, level)} {score:.3f}" for level, score in scores.items())
    weighed = (
        f"The best is {spread:.3f} above the worst, more than the {noise:.3f} that another draw of "
        "test rows could make."
        if spread > noise
        else f"They lie within {spread:.3f}, and another draw of test rows alone could make "
        f"{noise:.3f}: this study shows no effect."
    )
    return (
        f"**{TITLES[factor]}.** Macro F1 {_course(list(scores.values()), called(factor, best))} "
        f"({listed}). {weighed} {_learnt(found, factor)}"
    )


def _course(scores: Sequence[float], best: str) -> str:
    steps = [after - before for before, after in pairwise(scores)]
    if len(steps) > 1 and all(step > 0 for step in steps):
        return "rises with every step"
    if len(steps) > 1 and all(step < 0 for step in steps):
        return "falls with every step"
    return f"is highest with {best}"


def _learnt(found: Mapping[Any, Result], factor: str) -> str:
    """Where learning and generalising part: the gap of the last epoch."""
    gaps = {level: gap(result) for level, result in found.items()}
    widest, least = max(gaps, key=gaps.__getitem__), min(gaps, key=gaps.__getitem__)
    return (
        "In the last epoch the accuracy on training rows is above that on validation rows by "
        f"{_points(gaps[least])} ({called(factor, least)}) to {_points(gaps[widest])} "
        f"({called(factor, widest)})."
    )


def gap(result: Result) -> float:
    """Training accuracy above validation accuracy after the last epoch."""
    return result.history["accuracy"][-1] - result.history["val_accuracy"][-1]


def _points(share: float) -> str:
    return f"{100 * share:.0f} points"


def chapter(results: Results, kind: str) -> list[str]:
    """The paragraphs on one kind of network."""
    return [about_factor(results, kind, factor) for factor in drawn(results, kind)]


def pairs(results: Results) -> list[tuple[Recurrent, Result, Result]]:
    """SimpleRNN and LSTM in the same configuration, as far as both are there."""
    found = []
    for configuration, result in results.items():
        if isinstance(configuration, Recurrent) and configuration.cell == "LSTM":
            twin = Recurrent(
                "SimpleRNN", configuration.layers, configuration.units, configuration.direction
            )
            if twin in results:
                found.append((configuration, results[twin], result))
    return found


def lstm_against_rnn(results: Results) -> list[str]:
    """The chapter that the report leaves open: what the LSTM's gates are worth here."""
    found = pairs(results)
    if not found:
        return []
    gains = [lstm.f1 - rnn.f1 for _, rnn, lstm in found]
    noise = chance([result for _, *both in found for result in both])
    clear = sum(gain > noise for gain in gains), sum(-gain > noise for gain in gains)
    average = sum(gains) / len(gains)
    return [
        f"In {len(found)} configurations both were trained alike. The LSTM has the higher macro F1 "
        f"in {sum(gain > 0 for gain in gains)} of them, on average by {average:+.3f} (from "
        f"{min(gains):+.3f} to {max(gains):+.3f}). A difference above {noise:.3f} is more than "
        f"another draw of test rows could make: {clear[0]} {_speak(clear[0])} so clear in favour "
        f"of the LSTM, {clear[1]} in favour of the SimpleRNN.",
        _costs(found),
        _overfitting(found),
        _chosen([(c.name, lstm) for c, _, lstm in found]),
        *_base(results),
    ]


def _speak(count: int) -> str:
    return "is" if count == 1 else "are"


def _costs(found: Sequence[tuple[Recurrent, Result, Result]]) -> str:
    parameters = [lstm.parameters / rnn.parameters for _, rnn, lstm in found]
    seconds = [lstm.seconds / rnn.seconds for _, rnn, lstm in found]
    return (
        "Its gates cost four times a SimpleRNN's recurrent weights; with the embedding, which both "
        f"have, the LSTM has {min(parameters):.1f} to {max(parameters):.1f} times the parameters, "
        f"and took {min(seconds):.1f} to {max(seconds):.1f} times as long to train here."
    )


def _overfitting(found: Sequence[tuple[Recurrent, Result, Result]]) -> str:
    told = []
    sides = {"SimpleRNN": [rnn for _, rnn, _ in found], "LSTM": [lstm for *_, lstm in found]}
    for name, results in sides.items():
        kept = [result.kept for result in results]
        ends = {len(result.history["loss"]) for result in results}
        told.append(
            f"the {name}s after epoch {_span(kept)} of {_span(ends)}, and in the last one their "
            f"training accuracy is {_points(sum(map(gap, results)) / len(results))} above that of "
            "validation on average"
        )
    return (
        f"Validation accuracy is highest for {told[0]}; for {told[1]}. The training rows are few, "
        "and a model learns them by heart."
    )


def _chosen(found: Sequence[tuple[str, Result]]) -> str:
    """Where the loss would have chosen another epoch than the accuracy did."""
    early = {}
    for name, result in found:
        losses = result.history["val_loss"]
        if (lowest := losses.index(min(losses)) + 1) < result.kept:
            accuracies = result.history["val_accuracy"]
            early[name] = accuracies[result.kept - 1] - accuracies[lowest - 1]
    if not early:
        return "No LSTM had its lowest validation loss before the epoch that was kept."
    most = sorted(early, key=early.__getitem__, reverse=True)[:2]
    listed = " and ".join(f"{_points(early[name])} in {name}" for name in most)
    return (
        f"In {len(early)} of {len(found)} LSTMs validation loss was lowest before the epoch that "
        f"was kept, and accuracy rose after that, most by {listed}. A model that grows surer of "
        "its few mistakes has a rising loss and a rising accuracy at once. Surer also means "
        "larger numbers before the softmax, in which rounding shows more."
    )


def _span(numbers: Collection[int]) -> str:
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low} to {high}"


def rounding(results: Results) -> str:
    """Which of the two is nearer to the same model in float64."""
    found = [a for result in results.values() for a in result.agreement.values()]
    nearer = sum(a.rounding_layergraph < a.rounding_keras for a in found)
    keras = max(found, key=lambda a: a.rounding_keras)
    ours = max(found, key=lambda a: a.rounding_layergraph)
    return (
        f"Both compute in float32, so neither is exact. {len(found)} files were computed in "
        f"float64 too: against that, Keras is off by up to {keras.rounding_keras:.1e} and "
        f"layergraph by up to {ours.rounding_layergraph:.1e}; layergraph is the nearer one in "
        f"{nearer} of {len(found)} files."
    )


def _base(results: Results) -> list[str]:
    both = [results.get(BASES[kind]) for kind in ("SimpleRNN", "LSTM")]
    if None in both:
        return []
    rnn, lstm = (result for result in both if result is not None)
    return [
        "In the base configuration the SimpleRNN has, in the epoch that was kept, a training "
        f"accuracy of {rnn.history['accuracy'][rnn.kept - 1]:.2f}, and a macro F1 of {rnn.f1:.3f} "
        f"on the test rows; the LSTM has {lstm.history['accuracy'][lstm.kept - 1]:.2f} and "
        f"{lstm.f1:.3f}."
    ]
