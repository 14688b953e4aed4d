"""What a finished configuration leaves: `result.json` beside its two model files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from study.configurations import Configuration, described

CONTAINERS = (".h5", ".keras")
FILE = "result.json"

LIMIT = 1e-5
"""Largest difference of a probability that the study allows."""


@dataclass(frozen=True)
class Settings:
    """How every model of a run is trained; a result made otherwise is made again.

    Attributes:
        rows: training rows at most, by data set.
        epochs: by data set.
        batch: by data set.
        seed: of weights, order of rows and dropout.
    """

    rows: Mapping[str, int]
    epochs: Mapping[str, int]
    batch: Mapping[str, int]
    seed: int

    def of(self, data: str) -> dict[str, int]:
        """What concerns one data set."""
        return {
            "rows": self.rows[data],
            "epochs": self.epochs[data],
            "batch": self.batch[data],
            "seed": self.seed,
        }


@dataclass(frozen=True)
class Agreement:
    """Keras and layergraph on all test rows, from one saved file.

    Attributes:
        rows: how many.
        equal: predictions that are the same class.
        f1_keras, f1_layergraph: macro F1.
        accuracy: share of right answers of layergraph.
        difference: largest difference of a probability.
        rounding_keras, rounding_layergraph: the same, of each against the model
            computed in float64.
    """

    rows: int
    equal: int
    f1_keras: float
    f1_layergraph: float
    accuracy: float
    difference: float
    rounding_keras: float
    rounding_layergraph: float

    def complaints(self) -> Iterator[str]:
        """What is not as the study demands."""
        if self.equal != self.rows:
            yield f"{self.rows - self.equal} of {self.rows} predictions differ"
        if self.f1_keras != self.f1_layergraph:
            yield f"macro F1 is {self.f1_layergraph!r}, in Keras {self.f1_keras!r}"
        # Written so that a NaN is a complaint.
        if not self.difference <= LIMIT:
            yield f"a probability differs by {self.difference:.2g}, more than {LIMIT:g}"


@dataclass(frozen=True)
class Result:
    """One configuration, trained and tried.

    Attributes:
        configuration: as plain data.
        settings: how it was trained.
        parameters: numbers it learnt.
        seconds: that training took.
        history: `loss`, `accuracy`, `val_loss`, `val_accuracy`, a value an epoch.
        agreement: by container.
        made_by: versions and machine.
    """

    configuration: Mapping[str, Any]
    settings: Mapping[str, int]
    parameters: int
    seconds: float
    history: Mapping[str, list[float]]
    agreement: Mapping[str, Agreement]
    made_by: Mapping[str, str]

    @property
    def kept(self) -> int:
        """The epoch whose weights were kept: the first of the highest validation accuracy."""
        accuracies = self.history["val_accuracy"]
        return accuracies.index(max(accuracies)) + 1

    @property
    def f1(self) -> float:
        """Macro F1 of layergraph on the test rows."""
        return self.agreement[CONTAINERS[0]].f1_layergraph

    @property
    def difference(self) -> float:
        """Largest difference of a probability, of both files."""
        return max(found.difference for found in self.agreement.values())

    def complaints(self, name: str) -> list[str]:
        """What is not as the study demands; a sentence each."""
        return [
            f"{name}{container}: {complaint}"
            for container, found in self.agreement.items()
            for complaint in found.complaints()
        ]

    def write(self, folder: Path) -> None:
        """Leave it in a folder."""
        (folder / FILE).write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Result:
        """Read one again.

        Raises:
            OSError: there is none.
            ValueError: it is damaged.
        """
        try:
            data = json.loads((folder / FILE).read_text(encoding="utf-8"))
            agreement = {name: Agreement(**found) for name, found in data["agreement"].items()}
            return cls(**{**data, "agreement": agreement})
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"{folder / FILE}: damaged ({error})") from error


def finished(configuration: Configuration, settings: Settings, work: Path) -> Result | None:
    """The result of a configuration, if it is there and was made with these settings."""
    folder = work / configuration.name
    if not all((folder / f"model{container}").is_file() for container in CONTAINERS):
        return None
    try:
        result = Result.read(folder)
    except (OSError, ValueError):
        return None
    same = result.configuration == described(configuration)
    return result if same and result.settings == settings.of(configuration.data) else None


def complaints(results: Mapping[Configuration, Result]) -> list[str]:
    """Every row of the study that is not as it demands."""
    return [
        complaint
        for configuration, result in results.items()
        for complaint in result.complaints(configuration.name)
    ]


def largest(results: Iterable[Result]) -> float:
    """The largest difference of a probability of all."""
    return max((result.difference for result in results), default=0.0)
