"""Arrays as old Kerases stored them, put into today's form.

Each function returns a ``Rearrange`` for the layers of one kind. Source: keras/engine/saving.py
``preprocess_weights_for_loading`` and ``_convert_rnn_weights``, Keras 2.2.4, which loads files of
Keras 1 and files of Theano; keras/layers/*.py, Keras 1.2.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from layergraph.frontends.keras.spec import LayerSpec, Rearrange
from layergraph.ir.types import Array, Shape

Arrays = Sequence[Array]
Shapes = Mapping[str, Shape]


class Writer(NamedTuple):
    """What wrote the arrays.

    Attributes:
        major: 1, 2 or 3: version of Keras.
        theano: whether kernels were made for true convolution, which mirrors
            them, and not for the correlation everybody else computes.
    """

    major: int
    theano: bool


CURRENT = Writer(2, theano=False)


GATES = {
    "LSTM": (4, (0, 2, 1, 3)),
    "GRU": (3, (0, 1, 2)),
    "ConvLSTM2D": (4, (0, 2, 1, 3)),
}
"""Number of gates, and the place of each of today's among those of Keras 1: an LSTM's stood input,
candidate, forget, output."""


def rearranged(spec: LayerSpec, writer: Writer) -> Rearrange | None:
    """What puts a layer's arrays into today's form; ``None`` where they are."""
    kind, first = spec.class_name, spec.config.get("data_format") == "channels_first"
    if kind in ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose"):
        return Convolution(writer, kind, first)
    if kind in GATES:
        gates, order = GATES[kind]
        return Gates(gates, order, writer, first, convolution=kind == "ConvLSTM2D")
    if first and kind in ("LocallyConnected1D", "LocallyConnected2D"):
        return locally_connected_first
    if writer.major > 1:
        return None
    if kind in ("PReLU", "SReLU", "ParametricSoftplus"):
        return broadcast
    if first and kind == "SeparableConv2D":
        return separable_first
    return None


@dataclass(frozen=True)
class Convolution:
    """Kernels of a convolution.

    Attributes:
        writer: what wrote them.
        class_name: today's Keras class.
        first: whether the layer puts channels first.
    """

    writer: Writer
    class_name: str
    first: bool

    def __call__(self, left: Arrays, shapes: Shapes) -> tuple[int, Arrays]:
        """The kernel of today, and the bias."""
        count = len(shapes)
        own = list(left[:count])
        if not own:
            return count, own
        wanted = next(iter(shapes.values()))
        kernel = own[0]
        if self.writer.major == 1:
            kernel = self._from_keras1(kernel, wanted)
        if self.writer.theano:
            kernel = mirrored(kernel)
        if kernel.ndim == 4 and not _fits(kernel, wanted):
            # Weights of Theano's own layout under a newer version number.
            other = kernel.transpose(3, 2, 0, 1)
            kernel = other if _fits(other, wanted) else kernel
        return count, [np.ascontiguousarray(kernel), *own[1:]]

    def _from_keras1(self, kernel: Array, wanted: Shape) -> Array:
        if self.class_name == "Conv1D" and kernel.ndim == 4:
            if kernel.shape[1] != 1 or not _fits(kernel[:, 0], wanted):
                kernel = kernel.transpose(2, 3, 1, 0)  # before Keras 1.2
            return kernel[:, 0]
        if self.first and kernel.ndim > 3:
            # (filters, channels, *sizes)
            kernel = kernel.transpose(*range(2, kernel.ndim), 1, 0)
        if self.class_name == "Conv2DTranspose" and kernel.ndim == 4:
            kernel = kernel.transpose(0, 1, 3, 2)
        return kernel


def separable_first(left: Arrays, shapes: Shapes) -> tuple[int, Arrays]:
    """Both kernels of Keras 1's SeparableConvolution2D with channels first."""
    own = list(left[: len(shapes)])
    return len(own), [a.transpose(2, 3, 1, 0) if a.ndim == 4 else a for a in own]


def locally_connected_first(left: Arrays, shapes: Shapes) -> tuple[int, Arrays]:
    """A bias stored ``(*places, filters)`` whose memory is ``(filters, *places)``.

    Keras 1 and 2 reshape it where they should transpose; trained values stand accordingly.
    Source: also tf_keras/src/backend.py ``bias_add``, tf-keras 2.21.
    """
    own = list(left[: len(shapes)])
    if len(own) == 2:
        *places, filters = own[1].shape
        own[1] = np.moveaxis(own[1].reshape(filters, *places), 0, -1)
    return len(shapes), own


@dataclass(frozen=True)
class Gates:
    """Arrays of a recurrent layer, which may be one a gate, or CuDNN's.

    Attributes:
        gates: how many there are.
        order: place in the file of each gate, in today's order.
        first: whether kernels are convolutions with Keras 1's channels first.
        writer: what wrote them.
    """

    gates: int
    order: tuple[int, ...]
    writer: Writer
    first: bool = False
    convolution: bool = False

    def __call__(self, left: Arrays, shapes: Shapes) -> tuple[int, Arrays]:
        """Kernel, recurrent kernel and bias of today."""
        count, own = len(shapes), list(left[: len(shapes)])
        if self._one_a_gate(left, shapes):
            count = 3 * self.gates
            own = [self._joined([left[3 * g + i] for g in self.order]) for i in range(3)]
        if self.convolution and self.writer.theano:
            own[:2] = map(mirrored, own[:2])
        if not self.convolution and len(own) == 3:
            own = self._without_cudnn(own, shapes)
        return count, own

    def _one_a_gate(self, left: Arrays, shapes: Shapes) -> bool:
        if self.writer.major != 1 or len(left) < 3 * self.gates or "bias" not in shapes:
            return False
        # The first bias has one element a unit, not one a unit and gate.
        return left[2].ndim == 1 and left[2].shape[0] * self.gates == shapes["bias"][-1]

    def _joined(self, parts: list[Array]) -> Array:
        if self.first and self.writer.major == 1:
            parts = [p.transpose(2, 3, 1, 0) if p.ndim == 4 else p for p in parts]
        return np.concatenate(parts, axis=-1)

    def _without_cudnn(self, own: list[Array], shapes: Shapes) -> list[Array]:
        """CuDNN keeps two biases a gate and each gate's kernels transposed."""
        kernel, recurrent, bias = own
        units = recurrent.shape[0]
        if bias.shape != (2 * self.gates * units,):
            return own
        kernels = np.split(kernel, self.gates, axis=1)
        recurrents = np.split(recurrent, self.gates, axis=1)
        both = bias.reshape(2, -1)
        return [
            np.hstack([k.T.reshape(k.shape, order="F") for k in kernels]),
            np.hstack([k.T for k in recurrents]),
            both if shapes["bias"][:1] == (2,) and len(shapes["bias"]) == 2 else both.sum(axis=0),
        ]


def broadcast(left: Arrays, shapes: Shapes) -> tuple[int, Arrays]:
    """Arrays of size 1 along axes that Keras 1 shared without saying so in the config."""
    count = len(shapes)
    wanted = list(shapes.values())
    return (
        count,
        [
            np.ascontiguousarray(np.broadcast_to(a, shape)) if None not in shape else a  # type: ignore[arg-type]
            for a, shape in zip(left[:count], wanted, strict=False)
        ],
    )


def mirrored(kernel: Array) -> Array:
    """A kernel of true convolution as one of correlation, reversed along every spatial axis."""
    return np.ascontiguousarray(kernel[(slice(None, None, -1),) * (kernel.ndim - 2)])


def _fits(array: Array, shape: Shape) -> bool:
    return array.ndim == len(shape) and all(
        want is None or want == got for want, got in zip(shape, array.shape, strict=True)
    )
