"""What a Keras cannot express is refused by layer before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

import layergraph as lg
from layergraph.ir.build import Builder
from layergraph.ir.graph import Graph, Source
from layergraph.ir.op import Op
from layergraph.ir.ops.image import Patches
from layergraph.ir.ops.linalg import LuFactor
from layergraph.ir.ops.shape import Upsample
from layergraph.ir.types import TensorType


def graph_of(op: Op, dtype: str) -> Graph:
    """A model of one layer on images."""
    build = Builder()
    image = build.input("image", TensorType((None, 5, 4, 4), dtype))
    found = build.add("refused", op, [image], sources=[Source("refused", "Layer")])
    return build.graph(inputs=["image"], outputs=found)


@pytest.mark.parametrize(
    ("op", "dtype", "extension", "reason"),
    [
        (Upsample(size=(2, 3), interpolation="gaussian"), "float32", ".keras", "gaussian"),
        (Upsample(size=(2, 3), interpolation="mitchellcubic"), "float32", ".keras", "mitchell"),
        (Upsample(size=(2, 3), interpolation="bilinear"), "uint8", ".keras", "uint8"),
        (Upsample(size=(2, 3), interpolation="bilinear", centred=False), "float32", ".h5",
         "TensorFlow 1"),
        (Patches(size=(3, 2), strides=(1, 2), dilation_rate=(2, 1)), "float32", ".keras",
         "dilation"),
        (LuFactor(), "float32", ".keras", "one matrix"),
    ],
)  # fmt: skip
def test_is_refused_by_layer(
    op: Op, dtype: str, extension: str, reason: str, tmp_path: Path
) -> None:
    target = tmp_path / f"model{extension}"
    with pytest.raises(lg.UnsupportedError, match=reason) as caught:
        lg.convert(graph_of(op, dtype), target)
    assert "refused" in str(caught.value)
    assert not list(tmp_path.iterdir())
