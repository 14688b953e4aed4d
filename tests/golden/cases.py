"""The table of small golden models: what each guards, what it is fed, who writes it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from golden import models
from golden.writers import WRITERS, Keras, Model
from layergraph.ir.types import Array

BATCH = 3
Maker = Callable[[np.random.Generator], Array]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One golden model: what it guards, how it is built, what it is fed, who writes it."""

    what: str
    build: Callable[[Keras], Model]
    inputs: Mapping[str, Maker]
    writers: tuple[str, ...] = tuple(WRITERS)


def floats(*shape: int, scale: float = 1.0, batch: int = BATCH) -> Maker:
    """Normal float32 values."""
    return lambda random: (scale * random.standard_normal((batch, *shape))).astype(np.float32)


def grid(*shape: int, limit: float) -> Maker:
    """Values from -limit to limit in equal steps, so that every branch of a function is met."""
    values: Array = np.linspace(-limit, limit, BATCH * math.prod(shape), dtype=np.float32)
    return lambda random: values.reshape(BATCH, *shape)


def gaps(steps: int, size: int) -> Maker:
    """Word ids; the first row is padded at the end, the second within, the third at the start."""

    def make(random: np.random.Generator) -> Array:
        ids = random.integers(1, size, (BATCH, steps)).astype(np.int32)
        ids[0, -3:] = ids[1, 2:4] = ids[1, 5] = ids[2, :2] = 0
        return ids

    return make


def zeroed_steps(steps: int, features: int) -> Maker:
    """Float sequences with steps of zeros at the end, in the middle and at the start."""

    def make(random: np.random.Generator) -> Array:
        keep = gaps(steps, 9)(random) != 0
        return np.where(keep[..., None], floats(steps, features)(random), np.float32(0))

    return make


def smooth_images(height: int, width: int, batch: int) -> Maker:
    """RGB images in [0, 1], like photographs in that neighbours are similar."""

    def make(random: np.random.Generator) -> Array:
        coarse = random.random((batch, 5, 5, 3))
        rows, columns = np.linspace(0, 4, height), np.linspace(0, 4, width)
        images = np.einsum("bijc,yi,xj->byxc", coarse, hat(rows), hat(columns))
        # Multiples of 1/255, as images have.
        return np.asarray(np.rint(images * 255) / 255, np.float32)

    return make


def hat(positions: Array) -> Array:
    """Weights of linear interpolation between five points, `(positions, 5)`."""
    weights: Array = np.maximum(0, 1 - np.abs(positions[:, None] - np.arange(5)))
    return weights


WORDS: Mapping[str, Maker] = {"words": gaps(9, 11)}
CASES = {
    "hard_sigmoid_lstm": Case(
        what="hard_sigmoid: 0.2x+0.5 in Keras 2, x/6+0.5 in Keras 3; inputs beyond 2.5 tell",
        build=models.hard_sigmoid_lstm,
        inputs={"steps": floats(7, 5, scale=3.0)},
    ),
    "gru_resets": Case(
        what="GRU with the reset gate after and before the product, without bias, backwards",
        build=models.gru_resets,
        inputs={"steps": floats(7, 5)},
    ),
    "masks_in_the_middle": Case(
        what="masked steps at the start, within and at the end, through three recurrent layers",
        build=models.masks_in_the_middle,
        inputs=WORDS,
    ),
    "masking_functional": Case(
        what="Masking, Bidirectional, TimeDistributed and a masked mean in a functional model",
        build=models.masking_functional,
        inputs={"steps": zeroed_steps(9, 4)},
    ),
    "same_padding": Case(
        what="uneven 'same' padding: even kernels, strides, dilation, groups, pooling, odd sizes",
        build=models.same_padding,
        inputs={"image": floats(14, 11, 4)},
    ),
    "transposed_convolutions": Case(
        what="Conv2DTranspose: same and valid, uneven strides, output_padding",
        build=models.transposed_convolutions,
        inputs={"image": floats(4, 5, 3)},
    ),
    "separable_convolutions": Case(
        what="DepthwiseConv2D and SeparableConv2D with depth multipliers, strides and dilation",
        build=models.separable_convolutions,
        inputs={"image": floats(11, 8, 3)},
    ),
    "batch_normalization": Case(
        what="BatchNormalization where it can be folded into its neighbour and where it cannot",
        build=models.batch_normalization,
        inputs={"image": floats(9, 7, 3)},
    ),
    "layer_normalization": Case(
        what="LayerNormalization over one and several axes, with and without scale and centre",
        build=models.layer_normalization,
        inputs={"values": floats(6, 5, 4)},
    ),
    "nested_shared": Case(
        what="a nested model called twice, a shared layer, a nested Sequential as the head",
        build=models.nested_shared,
        inputs={"left": floats(8, 7, 2), "right": floats(8, 7, 2)},
    ),
    "attention": Case(
        what="multi-head, dot-product and additive attention over masked words",
        build=models.attention,
        inputs=WORDS,
    ),
    "several_inputs_and_outputs": Case(
        what="inputs of different types and shapes, three outputs, one of them used inside too",
        build=models.several_inputs_and_outputs,
        inputs={
            "words": lambda random: random.integers(0, 9, (BATCH, 6)).astype(np.int32),
            "numbers": floats(5),
        },
    ),
    "dictionaries": Case(
        what="inputs and outputs as dictionaries whose keys are not in alphabetical order",
        build=models.dictionaries,
        inputs={"zebra": floats(5), "ant": floats(3)},
    ),
    "time_distributed_cnn": Case(
        what="a convolution, a pooling and a flattening applied to every step",
        build=models.time_distributed_cnn,
        inputs={"film": floats(4, 9, 7, 3)},
    ),
    "bidirectional_merges": Case(
        what="Bidirectional with every merge mode, around masked LSTM, GRU and SimpleRNN",
        build=models.bidirectional_merges,
        inputs=WORDS,
    ),
    "encoder_decoder": Case(
        what="states handed from one recurrent layer to the next",
        build=models.encoder_decoder,
        inputs={"source": floats(7, 4), "target": floats(5, 3)},
    ),
    "causal_conv1d": Case(
        what="Conv1D causal, dilated, strided; padding, cropping, upsampling, pooling of steps",
        build=models.causal_conv1d,
        inputs={"steps": floats(17, 3)},
    ),
    "shapes": Case(
        what="uneven padding and cropping, both upsamplings, Permute, Reshape with -1, Flatten",
        build=models.shapes,
        inputs={"image": floats(6, 5, 4)},
    ),
    "activations": Case(
        what="every activation function and layer that both Kerases have, from -7 to 7",
        build=models.activations,
        inputs={"values": grid(7, 5, limit=7.0)},
    ),
    "merges": Case(
        what="every merging layer of two and three inputs, and one that broadcasts",
        build=models.merges,
        inputs={"left": floats(6, 5), "right": floats(6, 5)},
    ),
}
