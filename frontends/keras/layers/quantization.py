"""Quantised weights of Dense, EinsumDense and Embedding, and adapters beside them.

Weights that are only stored in few bits become floats when they are read. Where
Keras rounds what a layer is given as well, the product is an operator of its own.

Source: keras/src/layers/core/{dense,einsum_dense}.py, keras/src/quantizers/*.py,
Keras 3.15.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

import numpy as np

from layergraph.frontends.keras.casting import compute_dtype
from layergraph.frontends.keras.layer import Layer, LayerCall, Tensor
from layergraph.frontends.keras.weights import LayerWeights
from layergraph.ir.narrow import rounded_to_bfloat16, rounded_to_float8
from layergraph.ir.op import Op
from layergraph.ir.ops.linear import Dense, EinsumDense, einsum_labels
from layergraph.ir.ops.merge import Merge
from layergraph.ir.ops.quantization import QuantizedEinsumDense, RoundToFloat8
from layergraph.ir.types import Array, Shape, product

STORED: dict[str, tuple[str, ...]] = {
    "int8": ("kernel", "bias", "kernel_scale"),
    "int4": ("kernel", "bias", "kernel_scale", "kernel_zero", "g_idx"),
    "float8": ("kernel", "bias", "inputs_scale", "inputs_amax_history", "kernel_scale",
               "kernel_amax_history", "outputs_grad_scale", "outputs_grad_amax_history"),
    "gptq": ("bias", "kernel", "kernel_scale", "kernel_zero", "g_idx"),
    "awq": ("bias", "kernel", "kernel_scale", "kernel_zero", "awq_scales", "g_idx"),
}  # fmt: skip
"""Arrays in the order in which Keras stores them (``variable_serialization_spec``)."""

LORA = ("lora_kernel_a", "lora_kernel_b")


@dataclass(frozen=True)
class Product:
    """A product with a kernel, as Dense and EinsumDense have one.

    Attributes:
        op: the operator for plain weights.
        kernel: shape of the kernel.
        bias: shape of the bias, ``None`` for none.
        attributes: where an outer layer holds this one, see ``LayerCall.weights``.
        path: name of this layer within the outer one.
    """

    op: Dense | EinsumDense
    kernel: Shape
    bias: Shape | None
    attributes: tuple[str, ...] = ()
    path: str = ""

    @property
    def equation(self) -> str:
        """The product as an einsum."""
        return self.op.equation if isinstance(self.op, EinsumDense) else "...x,xy->...y"


def emit_product(
    call: LayerCall,
    x: Tensor,
    what: Product,
    *,
    then: Sequence[Op | Layer | None] = (),
    part: str = "",
) -> Tensor:
    """Read the weights of a product, however they are stored, and emit it.

    Args:
        call: the call of the layer, or of the layer that holds it.
        x: what it is applied to.
        what: the product.
        then: activations.
        part: name of the node.
    """
    mode = _mode(call, what)
    adapted = bool(call.config.take("lora_rank", None)) and not what.attributes
    if mode is None and not adapted:
        params = call.weights(*what.attributes, kernel=what.kernel, bias=what.bias)
        return call.emit(what.op, x, params=params, then=then, part=part)
    call.config.ignore("quantization_config")
    arrays = _arrays(call, what, mode)
    activations = quantizer(call, mode) if mode in ("int8", "int4") else None
    delta = adapter(call, arrays)
    if activations is None or mode == "float8":
        if mode == "float8":
            x = call.emit(
                RoundToFloat8(), x, params={"scale": arrays["inputs_scale"]}, part="float8"
            )
        params = {"kernel": _kernel(call, what, mode, arrays, x), **_bias(call, mode, arrays)}
        if delta is not None:
            params["kernel"] = params["kernel"] + delta.astype(params["kernel"].dtype)
        return call.emit(what.op, x, params=params, then=then, part=part)
    op = QuantizedEinsumDense(equation=what.equation, **activations)
    params = _quantized_params(what, mode or "", arrays, x)
    bias = {"bias": arrays["bias"]} if "bias" in arrays else {}
    if delta is None:
        return call.emit(op, x, params={**params, **bias}, then=then, part=part)
    # The adapter sees what the layer is given before it is rounded.
    y = call.emit(op, x, params=params, part="quantized")
    beside = call.emit(what.op, x, params={"kernel": delta, **bias}, part="adapter")
    return call.emit(Merge(kind="add"), y, beside, then=then, part=part)


# --- what is stored -------------------------------------------------------------------


def _mode(call: LayerCall, what: Product) -> str | None:
    """How the weights are quantised.

    Keras forgets the policies of the layers inside an attention layer when it
    saves it (and then cannot load its own file); the arrays tell.
    """
    if mode := call.layer.policy(what.path).mode:
        return mode
    if not what.attributes:
        return None
    found = [array for _, array in _source(call, what, "").peek()]
    kinds = {a.dtype.name for a in found}
    if "uint8" in kinds:
        return "awq" if len(found) - (what.bias is not None) == len(STORED["awq"]) - 1 else "gptq"
    if "int8" in kinds:
        kernel = next(a for a in found if a.dtype == np.int8)
        return "int8" if kernel.ndim == len(what.kernel) else "int4"
    return None


def _source(call: LayerCall, what: Product, mode: str | None) -> LayerWeights:
    source = call.layer.weights
    for attribute in what.attributes:
        source = source.child(*attribute.split("|"))
    # In .h5 whole numbers of all inner layers follow all their floats.
    quantized = any(a.dtype.kind in "iu" for _, a in source.peek())
    return source.part(what.path) if mode and what.attributes and quantized else source


def _arrays(call: LayerCall, what: Product, mode: str | None) -> dict[str, Array]:
    """The stored arrays by role, floats in the dtype computed in; read once a layer."""
    key = "/".join((*what.attributes, "quantized"))
    if key in call.layer.arrays:
        return call.layer.arrays[key]
    source = _source(call, what, mode)
    names = [name.rsplit("/", 1)[-1] for name, _ in source.peek()]
    roles = STORED[mode] if mode else ("kernel", "bias")
    shapes = {role: _shape(what, mode, role) for role in roles}
    if what.bias is None:
        del shapes["bias"]
    if mode == "int4" and len(names) < len(shapes):
        del shapes["kernel_zero"], shapes["g_idx"]
    if mode in ("gptq", "awq") and len(names) == len(shapes) - 1:
        raise call.refusal(
            f"Keras leaves the zero points of {mode} out of .keras files, so its kernel is lost",
            "save the quantised model as .h5, which has them",
        )
    if LORA[0] in names:
        rank = call.config.int("lora_rank")
        adapter = ((*what.kernel[:-1], rank), (rank, what.kernel[-1]))
        shapes.update(zip(LORA, adapter, strict=True))
    arrays = call.cast_weights(source.take(shapes))
    call.layer.arrays[key] = arrays
    return arrays


def _shape(what: Product, mode: str | None, role: str) -> Shape | EllipsisType:
    """The shape of a stored array, ``None`` and ``...`` for what follows from others."""
    if role == "bias":
        return what.bias or ()
    if role == "kernel":
        return what.kernel if mode in (None, "int8", "float8") else (None, None)
    if role.endswith("_amax_history") or role in ("g_idx", "awq_scales"):
        return (None,)
    if mode == "float8":
        return ()
    return ...


def adapter(
    call: LayerCall, arrays: Mapping[str, Array], roles: tuple[str, str] = LORA
) -> Array | None:
    """What low-rank adaptation adds to the weights, ``None`` for nothing.

    A ``.keras`` file holds the sum, an ``.h5`` file both.
    """
    if roles[0] not in arrays:
        return None
    rank = call.config.int("lora_rank")
    alpha = call.config.optional_float("lora_alpha")
    a, b = (arrays[role].astype(np.float32) for role in roles)
    delta: Array = np.matmul(a, b) * np.float32((rank if alpha is None else alpha) / rank)
    return delta


def quantizer(call: LayerCall, mode: str | None, *, always: bool = False) -> dict[str, Any] | None:
    """Attributes of the operator that rounds what the layer is given, ``None`` for none.

    Args:
        call: the call.
        mode: how weights are quantised.
        always: whether the layer does so unless its config says no.
    """
    config = call.config.take("quantization_config", None)
    found: Any = {"class_name": "AbsMaxQuantizer"} if mode == "int8" or always else None
    if config:
        found = (config.get("config") or {}).get("activation_quantizer")
    if found is None:
        return None
    if found.get("class_name") != "AbsMaxQuantizer":
        raise call.refusal(f"it rounds its inputs by {found.get('class_name')!r}")
    given = found.get("config") or {}
    low, high = given.get("value_range", (-127, 127))
    return {"low": int(low), "high": int(high), "epsilon": float(given.get("epsilon", 1e-7))}


# --- what it stands for ---------------------------------------------------------------


def _kernel(
    call: LayerCall, what: Product, mode: str | None, arrays: Mapping[str, Array], x: Tensor
) -> Array:
    """The kernel as floats, computed in the layer's dtype as Keras does."""
    kernel, scale = arrays["kernel"], arrays.get("kernel_scale")
    shape = tuple(d or 0 for d in what.kernel)
    if mode is None:
        return kernel
    assert scale is not None
    if mode == "float8":
        wide = np.asarray(kernel, np.float32)
        return (rounded_to_float8(wide / scale) * scale).astype(kernel.dtype)
    if mode == "int8":
        return kernel.astype(scale.dtype) / _beside_kernel(what, scale, x)
    columns = _columns(what, mode, shape, x)
    if mode == "int4":
        flat = unpacked(kernel, columns, axis=1).astype(scale.dtype)
        if "g_idx" not in arrays:
            return (flat / scale).reshape(shape)
        return dequantized(flat, scale, arrays["kernel_zero"], arrays["g_idx"], 0).reshape(shape)
    packed = kernel.shape[0] != columns
    flat = (unpacked(kernel, columns, axis=0) if packed else kernel).astype(scale.dtype)
    flat = dequantized(flat, scale, arrays["kernel_zero"], arrays["g_idx"], 1).T
    if mode == "awq":
        flat = flat / arrays["awq_scales"][:, None]
    return np.ascontiguousarray(flat).reshape(shape)


def _columns(what: Product, mode: str, shape: tuple[int, ...], x: Tensor) -> int:
    """Columns of the kernel as the matrix that is quantised.

    gptq and awq go by the larger end of a kernel with three axes, int4 by
    which labels are summed.
    """
    if mode != "int4" and len(shape) == 3:
        return product(shape[1 if shape.index(max(shape)) == 0 else 2 :]) or 0
    if isinstance(what.op, Dense):
        return shape[1]
    (_, labels), output = einsum_labels(what.equation, [len(x.shape), len(shape)])
    return product([d for c, d in zip(labels, shape, strict=True) if c in output]) or 0


def _beside_kernel(what: Product, scale: Array, x: Tensor) -> Array:
    """A scale that broadcasts with the result, turned to broadcast with the kernel."""
    if isinstance(what.op, Dense):
        return scale
    (_, labels), output = einsum_labels(what.equation, [len(x.shape), len(what.kernel)])
    places = [output.index(c) - len(output) for c in labels if c in output]
    sizes = [d if c in output else 1 for c, d in zip(labels, what.kernel, strict=True)]
    kept = scale.reshape((1,) * (len(output) - scale.ndim) + scale.shape)
    others = tuple(i for i in range(len(output)) if i - len(output) not in places)
    order = np.argsort(np.argsort(places))
    return kept.squeeze(others).transpose(order).reshape([d or 0 for d in sizes])


def _quantized_params(
    what: Product, mode: str, arrays: Mapping[str, Array], x: Tensor
) -> dict[str, Array]:
    """Kernel and scale of the operator."""
    kernel, scale = arrays["kernel"], arrays["kernel_scale"]
    if mode == "int8":
        return {"kernel": kernel, "kernel_scale": scale}
    shape = tuple(d or 0 for d in what.kernel)
    columns = _columns(what, mode, shape, x)
    flat = unpacked(kernel, columns, axis=1)
    if isinstance(what.op, Dense):
        return {"kernel": flat, "kernel_scale": scale}
    return {"kernel": (flat.astype(scale.dtype) / scale).reshape(shape)}


def _bias(call: LayerCall, mode: str | None, arrays: Mapping[str, Array]) -> dict[str, Array]:
    if "bias" not in arrays:
        return {}
    bias = arrays["bias"]
    if mode == "float8" and compute_dtype(call.layer) == "float32":
        bias = rounded_to_bfloat16(bias)
    return {"bias": bias}


def unpacked(packed: Array, size: int, axis: int) -> Array:
    """Two whole numbers of four bits a byte, the lower half first, along an axis.

    Source: keras/src/quantizers/quantizers.py ``unpack_int4``, Keras 3.15.
    """
    low, high = packed & 15, (packed >> 4) & 15
    both = np.stack([low, high], axis=axis + 1)
    shape = list(packed.shape)
    shape[axis] *= 2
    values = both.reshape(shape).take(np.arange(size), axis=axis)
    return values if packed.dtype == np.uint8 else (values ^ 8) - 8


def dequantized(values: Array, scale: Array, zero: Array, groups: Array, axis: int) -> Array:
    """``(values - zero) * scale``, each group along an axis with its own.

    Source: keras/src/quantizers/quantizers.py ``dequantize_with_sz_map``, Keras 3.15.
    """
    index = groups.astype(np.int32)
    zeros = zero.take(index, axis=axis).astype(scale.dtype)
    found: Array = (values - zeros) * scale.take(index, axis=axis)
    return found
