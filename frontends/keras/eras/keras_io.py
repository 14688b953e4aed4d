"""What keras.io 2.0 to 2.3, which had backends of its own, computes otherwise than tf.keras.

Source: keras/backend/tensorflow_backend.py ``rnn`` and ``resize_images``, keras/layers/recurrent.py
``StackedRNNCells``, keras/layers/wrappers.py ``Bidirectional``, Keras 2.0.9 to 2.3.1; answers
recorded from them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Options = dict[str, Any]
Step = Callable[[Options], Options]
Steps = dict[str, tuple[Step, ...]]

LAST = (2, 3)
"""Keras 2.4 was tf.keras under another name."""

OUTPUTS_STATES = (2, 2, 5)
"""Before it a masked step's output was the first state."""

OWN_ORDER = (2, 2, 3)
"""Before it states of stacked cells were always the last cell's first."""


def steps_of(version: str) -> Steps:
    """Upgrade steps by class for files of a version; none for those of tf.keras, ``2.2.4-tf``."""
    numbers = re.fullmatch(r"(\d+)\.(\d+)(?:\.(\d+))?", version)
    if numbers is None:
        return {}
    found = tuple(int(n or 0) for n in numbers.groups())
    if found[:2] > LAST:
        return {}
    steps: Steps = {
        "Bidirectional": (_set(zero_output_for_mask=False),),
        "UpSampling2D": (_set(centred=False),),
    }
    if found < OUTPUTS_STATES:
        steps.update(dict.fromkeys(("SimpleRNN", "LSTM", "GRU", "RNN"), (_outputs_states,)))
    if found < OWN_ORDER:
        steps["StackedRNNCells"] = (_set(states_reversed=True),)
    return steps


def _set(**options: Any) -> Step:
    def change(given: Options) -> Options:
        return {**given, **options}

    change.__doc__ = f"State {options}, which this Keras does without saying so."
    return change


def _outputs_states(options: Options) -> Options:
    """A masked step outputs the state, given states included, unless the loop is unrolled."""
    return {**options, "outputs_states": not options.get("unroll", False)}
