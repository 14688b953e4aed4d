"""Normalisation beside real Keras."""

from __future__ import annotations

from typing import Any

from support import case, parity


def positive(keras: Any, model: Any) -> None:
    """Variances of several dimensions, which the harness takes for kernels, are positive too."""
    model.set_weights([abs(w) + 0.1 for w in model.get_weights()])


CASES = [
    case("layer by deviation", lambda k: k.layers.LayerNormalization(axis=(1, 2), rms_scaling=True), (5, 4), writers=("keras",)),
    case("batch norm", lambda k: k.layers.BatchNormalization(), (5, 4)),
    case("batch norm images", lambda k: k.layers.BatchNormalization(epsilon=1e-2), (6, 5, 4)),
    case("batch norm first axis", lambda k: k.layers.BatchNormalization(axis=1), (6, 5, 4)),
    case("batch norm no scale", lambda k: k.layers.BatchNormalization(scale=False), (4,)),
    case("batch norm no center", lambda k: k.layers.BatchNormalization(center=False), (4,)),
    case("batch norm frozen", lambda k: k.layers.BatchNormalization(trainable=False), (4,)),
    case("conv, batch norm, relu", lambda k: [k.layers.Conv2D(4, 3, use_bias=False), k.layers.BatchNormalization(), k.layers.ReLU()], (7, 6, 3)),
    case("dense, batch norm", lambda k: [k.layers.Dense(4), k.layers.BatchNormalization()], (5,)),
    case("layer norm", lambda k: k.layers.LayerNormalization(), (5, 4)),
    case("batch norm two axes", lambda k: k.layers.BatchNormalization(axis=[1, 3], epsilon=1e-2), (5, 4, 3), writers=("tf_keras",), after=positive),
    case("batch norm three axes", lambda k: k.layers.BatchNormalization(axis=[1, 2, 3], scale=False), (5, 4, 3), writers=("tf_keras",), after=positive),
    case("batch norm ghost batches", lambda k: k.layers.BatchNormalization(virtual_batch_size=2), (5, 3), writers=("tf_keras",), batch0=False, after=positive),
    case("batch norm ghost batches, axis 1, renorm", lambda k: k.layers.BatchNormalization(axis=1, virtual_batch_size=2, renorm=True, center=False), (5, 4, 3), writers=("tf_keras",), batch0=False, after=positive),
    case("batch norm ghost batches, two axes", lambda k: k.layers.BatchNormalization(axis=[1, 2], virtual_batch_size=2), (5, 4, 3), writers=("tf_keras",), batch0=False, after=positive),
    case("batch norm renorm", lambda k: k.layers.BatchNormalization(axis=-2, renorm=True), (5, 3), writers=("tf_keras",)),
    case("layer norm two axes", lambda k: k.layers.LayerNormalization(axis=[1, 2], epsilon=1e-2), (5, 4)),
    case("layer norm of whole numbers", lambda k: k.layers.LayerNormalization(), (5, 4), dtype="int32"),
    case("layer norm first axis", lambda k: k.layers.LayerNormalization(axis=1), (5, 4)),
    case("layer norm plain", lambda k: k.layers.LayerNormalization(scale=False, center=False), (5, 4)),
    case("rms", lambda k: k.layers.RMSNormalization(), (5, 4), writers=("keras",)),
    case("rms two axes", lambda k: k.layers.RMSNormalization(axis=[-2, -1], epsilon=0.1), (5, 4, 3), writers=("keras",)),
    case("group", lambda k: k.layers.GroupNormalization(3), (5, 4, 6)),
    case("group first axis", lambda k: k.layers.GroupNormalization(2, axis=1, epsilon=0.1, scale=False), (6, 5, 3)),
    case("group middle axis", lambda k: k.layers.GroupNormalization(2, axis=2, center=False), (5, 6, 3)),
    case("group instance", lambda k: k.layers.GroupNormalization(-1), (5, 4, 6)),
    case("unit", lambda k: k.layers.UnitNormalization(), (5, 4)),
    case("unit two axes", lambda k: k.layers.UnitNormalization(axis=[1, 2]), (5, 4, 3)),
    case("layer norm axes in another order", lambda k: k.layers.LayerNormalization(axis=[-1, 1]), (5, 4, 3)),
    # Keras 2 keeps to what the file says, a prediction of Keras 3 is one in any case. It has no mean of no rows.
    case("frozen batch norm called in training", lambda k, x: k.layers.BatchNormalization(trainable=False)(x, training=True), (5, 4)),
    case("synchronized batch norms", lambda k: [k.layers.experimental.SyncBatchNormalization(), k.layers.BatchNormalization(), k.layers.experimental.SyncBatchNormalization()], (5, 4), writers=("tf_keras",)),
    case("spectral of another dtype", lambda k: k.layers.SpectralNormalization(k.layers.Dense(3, dtype="float64")), (5, 4), writers=("keras",)),
    case("spectral dense", lambda k: k.layers.SpectralNormalization(k.layers.Dense(3, activation="relu")), (5, 4), writers=("keras",)),
    case("spectral conv", lambda k: k.layers.SpectralNormalization(k.layers.Conv2D(3, 2), power_iterations=2), (5, 4, 6), writers=("keras",)),
]  # fmt: skip


@parity(CASES)
def test_normalization(run: Any) -> None:
    """Same as Keras."""
    run()
