"""Operators of the augmentation layers that work at inference too."""

from __future__ import annotations

from dataclasses import dataclass

from layergraph.ir.op import Op
from layergraph.ir.types import TensorType


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoContrast(Op):
    """Each channel of each image stretched to the whole range.

    Inputs: x ``(batch, a, b, c)``, floating; lowest and highest value are taken
    over ``a`` and ``b``, whatever the data format.
    Output: as x; a channel of one value stays.
    Source: keras/src/layers/preprocessing/image_preprocessing/auto_contrast.py,
    Keras 3.15.

    Attributes:
        value_range: the range.
    """

    value_range: tuple[float, float] = (0.0, 255.0)

    def infer(self, x: TensorType) -> TensorType:
        """The type of ``x``."""
        if x.rank != 4:
            raise ValueError(f"expects 4 axes, got {x}")
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualizeTiles(Op):
    """Contrast-limited adaptive histogram equalisation.

    Every tile of a grid has a histogram, cut at a limit, whose running sum maps
    values; a pixel takes the maps of the four tiles around it.

    Inputs: x ``(batch, height, width, channels)``.
    Output: as x, float32.
    Source: keras/src/layers/preprocessing/image_preprocessing/clahe.py, Keras 3.15.

    Attributes:
        clip_limit: how far above the mean a histogram may rise; 0 for no limit.
        tile_grid_size: tiles down and across.
        value_range: lowest and highest value, told apart in 256 levels.
    """

    clip_limit: float = 4.0
    tile_grid_size: tuple[int, int] = (8, 8)
    value_range: tuple[float, float] = (0.0, 255.0)

    def infer(self, x: TensorType) -> TensorType:
        """The shape of ``x``."""
        if x.rank != 4:
            raise ValueError(f"expects 4 axes, got {x}")
        return x.with_dtype("float32")


@dataclass(frozen=True, slots=True, kw_only=True)
class PadBoxes(Op):
    """A fixed number of rows: the first ones, or all and filling behind.

    Inputs: x ``(batch, rows, ...)``.
    Output: ``(batch, number, ...)``.
    Source: keras/src/layers/preprocessing/image_preprocessing/
    max_num_bounding_box.py, Keras 3.15.

    Attributes:
        number: how many rows.
        fill_value: what fills.
    """

    number: int
    fill_value: float = -1.0

    def infer(self, x: TensorType) -> TensorType:
        """The second axis replaced."""
        return x.with_shape((x.shape[0], self.number, *x.shape[2:]))
