"""What of a supported class is refused: the last column of the table of supported layers.

Each entry stands for a refusal in the class's reader, or for what no array can
hold; a test holds the names to the classes that are read.
"""

from __future__ import annotations

_CELLS = "cells of one's own and constants are refused"
_FIXED = "stateful only with a fixed batch size"
_SPARSE = "sparse=True is refused"
_CODE = "Python functions as options are refused"

RESTRICTIONS: dict[str, str] = {
    "Bidirectional": _FIXED,
    "ConvLSTM1D": _FIXED,
    "ConvLSTM2D": _FIXED,
    "ConvLSTM3D": _FIXED,
    "DropoutWrapper": "keep probabilities below 1 are refused: they drop values in predictions too",
    "GRU": _FIXED,
    "InputLayer": "ragged=True is refused",
    "IntegerLookup": "a vocabulary adapted by Keras 3 only from .keras, which alone holds it",
    "LSTM": _FIXED,
    "Merge": _CODE,
    "RNN": f"{_CELLS}; {_FIXED}",
    "ResidualWrapper": "residual_fn is refused",
    "SimpleRNN": _FIXED,
    "StringLookup": "a vocabulary adapted by Keras 3 only from .keras, which alone holds it",
    "TensorFlowOpLayer": "operations that have a TensorFlow function below",
    "TernaryDense": "packed by quantize('ternary') is refused",
    "TextVectorization": f"{_CODE}; ragged=True is refused",
    "TimeDistributed": "around a stateful layer it is refused",
    "ops.Bincount": _SPARSE,
    "ops.OneHot": _SPARSE,
    "ops.MultiHot": _SPARSE,
    "ops.Argpartition": "of a vector, which is all TensorFlow runs",
    "ops.CTCDecode": "mask_index=-1 with beam search is refused",
}
