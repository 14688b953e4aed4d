"""Layers that only models of ``keras.applications`` have."""

from __future__ import annotations

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.elementwise import Scale
from layergraph.ir.ops.merge import Merge
from layergraph.ir.ops.shape import Identity


@reads("LayerScale")
def layer_scale(call: LayerCall) -> Tensor:
    """A factor a channel: keras/src/applications/convnext.py."""
    call.config.ignore("init_values")
    arrays = call.weights(gamma=(call.config.int("projection_dim"),))
    return call.emit(Scale(), call.input(), params={"scale": arrays["gamma"]})


@reads("StochasticDepth")
def stochastic_depth(call: LayerCall) -> Tensor:
    """Nothing at inference: keras/src/applications/convnext.py."""
    call.config.ignore("drop_path_rate")
    return call.emit(Identity(), call.input())


@reads("CustomScaleLayer")
def custom_scale(call: LayerCall) -> Tensor:
    """A scaled residual: keras/src/applications/inception_resnet_v2.py."""
    shortcut, residual = call.inputs()
    scaled = call.emit(Scale(factor=call.config.float("scale")), residual, part="scaled")
    return call.emit(Merge(kind="add"), shortcut, scaled)
