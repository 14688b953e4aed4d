"""The comparison itself: what it lets pass and what it says of the rest."""

from __future__ import annotations

import numpy as np
import pytest

from golden.compare import complaint
from layergraph.tools.flat import flat

KERAS = np.array([[1.0, -4.0, 0.5]], np.float32)


@pytest.mark.parametrize(
    ("got", "says"),
    [
        pytest.param(KERAS + np.float32(3e-5), "", id="within 1e-5 of the largest value"),
        pytest.param(KERAS + np.float32(5e-5), "largest value 4", id="beyond it"),
        pytest.param(KERAS * [[1, 1, np.nan]], "float64", id="another dtype"),
        pytest.param(np.where(KERAS == 0.5, np.float32("nan"), KERAS), "nan", id="not a number"),
        pytest.param(KERAS[0], "[3]", id="another shape"),
    ],
)
def test_complaint(got: np.ndarray[tuple[int, ...], np.dtype[np.float32]], says: str) -> None:
    found = complaint(got, KERAS, 1e-5)
    assert (says in found) if says else not found


def test_complaint_names_the_place() -> None:
    got = KERAS.copy()
    got[0, 1] = 7
    assert "at [0, 1]: 7.0, in Keras -4.0" in complaint(got, KERAS, 1e-5)


def test_structures_are_flattened_by_path() -> None:
    nested = {"b": [KERAS, (KERAS,)], "a": KERAS}
    assert list(flat(nested)) == ["a", "b/0", "b/1/0"]
    assert list(flat(KERAS)) == ["0"]
