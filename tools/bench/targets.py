"""What layergraph is to reach, and whether a benchmark shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from layergraph.tools.bench.models import MODELS
from layergraph.tools.bench.results import Ratio, Results

SEED = ("seed_cnn", "seed_rnn", "seed_lstm", "seed_gru")
RECURRENT = SEED[1:]
LARGEST = ("VGG16", "ConvNeXtTiny", "ResNet50", "DenseNet121")
"""The four that do most work a row."""


def without(models: Sequence[str]) -> tuple[str, ...]:
    """All models but these."""
    return tuple(name for name in MODELS if name not in models)


@dataclass(frozen=True)
class Target:
    """So many times faster, or smaller, than an engine on some models.

    Attributes:
        against: the other engine.
        what: of what, in words.
        models: all of which must reach it.
        least: the ratio to reach; above 1 layergraph is better.
        measure: ``latency`` at a batch size, or of whole processes ``seconds`` or ``peak``.
        batch: see above.
    """

    against: str
    what: str
    models: tuple[str, ...]
    least: float
    measure: str = "latency"
    batch: int = 1

    def ratios(self, results: Results) -> dict[str, Ratio]:
        """What was measured, by model."""
        found = {}
        for model in self.models:
            ratio = self._ratio(results, model)
            if ratio is not None:
                found[model] = ratio
        return found

    def reasons(self, results: Results) -> dict[str, str]:
        """Models that the other engine, or ours, could not run, and why."""
        cells = {model: results.cell(model, self.batch, self.against) for model in self.models}
        return {
            model: cell.reason
            for model, cell in cells.items()
            if cell is not None and cell.reason and cell.limit is None
        }

    def _ratio(self, results: Results, model: str) -> Ratio | None:
        if self.measure == "latency":
            return results.ratio(model, self.batch, self.against)
        ours = results.process(model, "layergraph")
        theirs = results.process(model, self.against)
        if ours is None or theirs is None:
            return None
        a, b = (getattr(one, self.measure) for one in (ours, theirs))
        return Ratio(b / a)


TARGETS = (
    Target("tf-function", "tf.function, batch 1", SEED, 2.0),
    Target("tf-function", "tf.function, batch 1", ("cifar_cnn", "transformer"), 1.0),
    Target("tf-function", "tf.function, batch 1", ("unet", "ResNet50", "VGG16"), 0.8),
    Target(
        "tf-function", "tf.function, batch 1",
        ("MobileNetV2", "EfficientNetB0", "DenseNet121", "ConvNeXtTiny"), 0.5,
    ),
    Target("tf-function", "tf.function, batch 32", SEED, 1.0, batch=32),
    Target("tf-function", "tf.function, batch 32", without(SEED), 0.6, batch=32),
    Target("keras-predict", "model.predict, batch 1", without(LARGEST), 3.0),
    Target("keras-numpy", "Keras on NumPy, batch 1", without(RECURRENT), 3.0),
    Target("keras-numpy", "Keras on NumPy, batch 1", RECURRENT, 30.0),
    Target("onnx-reference", "ONNX reference, batch 1", tuple(MODELS), 5.0),
    Target("tf-function", "cold start, TensorFlow", ("seed_cnn",), 8.0, measure="seconds"),
    Target("tf-function", "peak memory, TensorFlow", ("seed_cnn", "ResNet50"), 2.0, measure="peak"),
)  # fmt: skip
"""Ratios above 1 mean that layergraph is faster, or holds less memory."""


@dataclass(frozen=True)
class Verdict:
    """One target beside what was measured.

    Attributes:
        target: the target.
        ratios: what was measured, by model.
        missed: models below it.
        unknown: models that were not measured.
        reasons: models that could not be, and why.
    """

    target: Target
    ratios: dict[str, Ratio]
    missed: tuple[str, ...]
    unknown: tuple[str, ...]
    reasons: dict[str, str]

    @property
    def text(self) -> str:
        """In a few words."""
        if self.missed:
            return f"missed: {', '.join(self.missed)}"
        if self.unknown:
            return "not measured" if not self.ratios else f"not measured: {', '.join(self.unknown)}"
        return "met"


def verdicts(results: Results, targets: Iterable[Target] = TARGETS) -> list[Verdict]:
    """Every target beside what a benchmark shows."""
    found = []
    for target in targets:
        ratios, reasons = target.ratios(results), target.reasons(results)
        # A run given up at its limit shows that a ratio is at least so much, no more.
        missed = tuple(m for m, r in ratios.items() if r.value < target.least and r.exact)
        unsure = {m for m, r in ratios.items() if r.value < target.least and not r.exact}
        unknown = tuple(
            m for m in target.models if m in unsure or (m not in ratios and m not in reasons)
        )
        found.append(Verdict(target, ratios, missed, unknown, reasons))
    return found
