"""Configs written by Keras 2 (keras.io, tf.keras, tf-keras), upgraded to the current dialect.

Source: tf_keras/src/engine/functional.py ``get_network_config`` and
``process_node``, tf-keras 2.21; measured on files of tf-keras 2.21.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from layergraph.frontends.keras.eras.arrays import CURRENT, Writer, rearranged
from layergraph.frontends.keras.eras.keras3 import Entry, Keras3, is_triple, map_refs
from layergraph.frontends.keras.eras.keras_io import steps_of
from layergraph.frontends.keras.spec import (
    TENSORFLOW,
    CallSpec,
    LayerSpec,
    ModelSpec,
    TensorRef,
    refs_in,
)

if TYPE_CHECKING:
    from layergraph.frontends.keras.eras.tensorflow_functions import Spelled
from layergraph.ir.errors import Unsupported, UnsupportedError

Options = dict[str, Any]

LAMBDAS = ("TFOpLambda", "SlicingOpLambda")

HARD_SIGMOID = LayerSpec("hard_sigmoid", "HardSigmoid", {"slope": 0.2, "offset": 0.5})
"""``0.2 x + 0.5``, where Keras 3 has ``x / 6 + 0.5``: tf_keras/src/backend.py."""


CUDNN: dict[str, tuple[str, Options]] = {
    "CuDNNLSTM": ("LSTM", {"activation": "tanh", "recurrent_activation": "sigmoid"}),
    "CuDNNGRU": (
        "GRU",
        {"activation": "tanh", "recurrent_activation": "sigmoid", "reset_after": True},
    ),
}
"""Layers made for NVIDIA's library: today's class, and what they do without saying so."""


class Keras2(Keras3):
    """Parser of one Keras 2 file's config.

    Args:
        file: path, for errors.
        writer: what wrote the file's arrays.
        version: version that wrote the config.
    """

    def __init__(self, file: str, writer: Writer = CURRENT, version: str = "") -> None:
        super().__init__(file)
        self.writer = writer
        self.own = steps_of(version)

    def layer(self, entry: Entry) -> LayerSpec:
        """One layer; a function of TensorFlow becomes the operation it is."""
        written = entry.get("class_name") if isinstance(entry, dict) else None
        if written in CUDNN:
            class_name, options = CUDNN[written]
            entry = {**entry, "class_name": class_name, "config": {**options, **entry["config"]}}
        spec = super().layer(entry)
        if written in CUDNN:
            spec = replace(spec, written=written)
        spec = replace(spec, rearrange=rearranged(spec, self.writer))
        function = spec.config.get("function")
        if spec.class_name == "TensorFlowOpLayer":
            return self._operation(spec)
        if spec.class_name not in LAMBDAS or not isinstance(function, str):
            return spec
        # Imported here: few models hold functions of TensorFlow, and the tables are long.
        from layergraph.frontends.keras.eras.tensorflow_functions import spelled

        calls = tuple(self.call(node, whole=True) for node in entry.get("inbound_nodes") or ())
        return _respelled(spec, spelled(function, calls))

    def _operation(self, spec: LayerSpec) -> LayerSpec:
        """A ``TensorFlowOpLayer``: the operation it wraps, as the function it is."""
        from layergraph.frontends.keras.eras.node_def import parse
        from layergraph.frontends.keras.eras.tensorflow_functions import Spelled, spelled
        from layergraph.frontends.keras.eras.tensorflow_nodes import as_call

        try:
            node = parse(spec.config.get("node_def"))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise self.damaged(f"the node_def of layer {spec.name!r}: {error}") from error
        constants = {
            int(k): np.asarray(self.value(v)).tolist()
            for k, v in (spec.config.get("constants") or {}).items()
        }
        function, calls = "", []
        for call in spec.calls:
            read = iter(_flat(call.args))
            inputs = [
                constants[i] if i in constants else next(read, None)
                for i in range(len(node.inputs))
            ]
            found = as_call(node, inputs)
            if isinstance(found, str):
                return _respelled(spec, Spelled(refusal=found))
            function = found[0]
            calls.append(found[1])
        return _respelled(spec, spelled(function, tuple(calls)))

    def module(self, class_name: str, config: Options) -> str:
        """Keras 2 has no operations of its own."""
        return ""

    def options(self, class_name: str, config: Options) -> Options:
        """Options in Keras 3 spelling."""
        upgraded = dict(config)
        for step in (*EVERY_LAYER, *STEPS.get(class_name, ()), *self.own.get(class_name, ())):
            upgraded = step(upgraded)
        return super().options(class_name, upgraded)

    def activation(self, value: Any) -> Any:
        """An activation, with Keras 2's own ``hard_sigmoid`` spelled out."""
        found = super().activation(value)
        return HARD_SIGMOID if found == "hard_sigmoid" else found

    def model(self, name: str, entry: Entry, config: Options) -> ModelSpec:
        """A model whose calls all count from 0."""
        if "input_layers" not in config:
            layers = tuple(self.layer(item) for item in config["layers"])
            return self.sequential(name, entry, config, layers)
        entries = [item for item in config["layers"] if isinstance(item, dict)]
        layers = tuple(self.layer(item) for item in entries)
        raw = self.border([config["input_layers"], config["output_layers"]], lambda r: r)
        # A nested model's own creation is its node 0, so its calls count from 1;
        # whether that was so when this file was written shows in the lowest index used.
        seen: dict[str, int] = {}
        for ref in [r for s in layers for c in s.calls for r in c.refs()] + list(refs_in(raw)):
            seen[ref.layer] = min(ref.call, seen.get(ref.layer, ref.call))
        base = {s.name: seen.get(s.name, 0) for s in layers if s.model is not None}

        def shift(ref: TensorRef) -> TensorRef:
            return ref._replace(call=ref.call - base.get(ref.layer, 0))

        return ModelSpec(
            name=name,
            class_name=entry["class_name"],
            kind="functional",
            layers=tuple(_shifted(spec, shift) for spec in layers),
            inputs=_unwrapped(map_refs(raw[0], shift)),
            outputs=_unwrapped(map_refs(raw[1], shift)),
        )

    def call(self, node: Any, *, whole: bool = False) -> CallSpec:
        """One inbound node: tensors as ``[layer, call, tensor, kwargs]``, kwargs repeated.

        Args:
            node: the node.
            whole: a list of one tensor is a list and a constant what the file says, as
                functions of TensorFlow take them; for a layer a constant is an array.
        """
        if isinstance(node, dict) and isinstance(node.get("kwargs"), dict):
            return super().call(node)
        if not isinstance(node, (dict, list)):
            raise self.damaged(f"expected a call, found {str(node)[:80]!r}")
        kwargs: Options = {}
        inputs = self._nested(node, kwargs, whole=whole)
        if isinstance(inputs, list) and len(inputs) == 1 and not whole:
            inputs = inputs[0]
        given = {k: self._kwarg(v) for k, v in kwargs.items()}
        return CallSpec((inputs,), given if whole else {k: _arrays(k, v) for k, v in given.items()})

    def _nested(self, data: Any, kwargs: Options, *, whole: bool) -> Any:
        """Tensors of a node; fills ``kwargs`` from the first that carries some."""
        if isinstance(data, dict):
            return {k: self._nested(v, kwargs, whole=whole) for k, v in data.items()}
        if not isinstance(data, list):
            raise self.damaged(f"expected tensors, found {str(data)[:80]!r}")
        if data[:2] == ["_CONSTANT_VALUE", -1] and len(data) in (3, 4):
            kwargs.update(data[3] if len(data) == 4 else {})
            return data[2] if whole else self._constant(data[2])
        if len(data) in (3, 4) and is_triple(data[:3]):
            if len(data) == 4 and isinstance(data[3], dict):
                for key, value in data[3].items():
                    kwargs.setdefault(key, value)
            return TensorRef(*data[:3])
        return [self._nested(item, kwargs, whole=whole) for item in data]

    def _constant(self, data: Any) -> Any:
        """A constant as an array."""
        if isinstance(data, list) and data[:1] == [{"_TYPE": "COMPOSITE"}]:
            reason = "a layer is called on a sparse or ragged constant"
            item = Unsupported("a layer", "CompositeTensor", reason, "make it a dense one")
            raise UnsupportedError([item], file=self.file)
        return _array(data)

    def _kwarg(self, data: Any) -> Any:
        """A keyword argument; tensors in it are bare triples."""
        if isinstance(data, list):
            if is_triple(data):
                return TensorRef(*data)
            return [self._kwarg(item) for item in data]
        if isinstance(data, dict):
            return {key: self._kwarg(value) for key, value in data.items()}
        return data


TENSOR_ARGUMENTS = ("mask", "attention_mask", "key", "value")
STATE_ARGUMENTS = ("initial_state", "states")


def _arrays(key: str, data: Any) -> Any:
    """An argument of a layer's call, which files give as numbers where it was a constant."""
    if not isinstance(data, list) or not all(map(_is_number, _flat(data))):
        return data
    if key in TENSOR_ARGUMENTS:
        return _array(data)
    if key in STATE_ARGUMENTS:
        # One state has an even number of axes: rows and units, or rows, sizes and filters.
        depth, item = 0, data
        while isinstance(item, list) and item:
            depth, item = depth + 1, item[0]
        return [_array(state) for state in data] if depth % 2 else _array(data)
    return data


def _is_number(value: Any) -> bool:
    return isinstance(value, (bool, int, float))


def _array(data: Any) -> Any:
    """A constant; the file has lost its dtype, floats had the default's."""
    array = np.asarray(data)
    return array.astype("float32") if array.dtype.kind == "f" else array


def _flat(data: Any) -> list[Any]:
    if isinstance(data, (list, tuple)) and not isinstance(data, TensorRef):
        return [leaf for item in data for leaf in _flat(item)]
    return [data]


def _respelled(spec: LayerSpec, found: Spelled) -> LayerSpec:
    """A layer of a TensorFlow function as the operation it is."""
    if found.refusal:
        return replace(spec, config={"refusal": found.refusal})
    kind, _, name = found.operation.partition(".")
    return replace(
        spec,
        class_name=name,
        config=found.options or {},
        module=TENSORFLOW if kind == "tf" else f"{TENSORFLOW}.ops.numpy",
        calls=found.calls,
    )


# --- upgrade steps: options in, options out ---------------------------------------


def renamed(**names: str) -> Callable[[Options], Options]:
    def rename(options: Options) -> Options:
        return {names.get(k, k): v for k, v in options.items()}

    rename.__doc__ = f"Rename {names}."
    return rename


def dropped(*names: str) -> Callable[[Options], Options]:
    def drop(options: Options) -> Options:
        return {k: v for k, v in options.items() if k not in names}

    drop.__doc__ = f"Drop {names}, which do not change predictions."
    return drop


def dropped_when(value: Any, *names: str) -> Callable[[Options], Options]:
    def drop(options: Options) -> Options:
        return {k: v for k, v in options.items() if k not in names or v != value}

    drop.__doc__ = f"Drop {names} where they say {value!r}, which is all Keras 3 does."
    return drop


def _single_axis(options: Options) -> Options:
    """``axis`` is a list of one in tf.keras, a number in Keras 3."""
    axis = options.get("axis")
    return {**options, "axis": axis[0]} if isinstance(axis, list) and len(axis) == 1 else options


def _ghost_batches(options: Options) -> Options:
    """``virtual_batch_size`` is of training; while set, axes count an axis that is gone."""
    size = options.get("virtual_batch_size")
    found = {k: v for k, v in options.items() if k != "virtual_batch_size"}
    axis = found.get("axis")
    if size is None or not isinstance(axis, list):
        return found
    return {**found, "axis": [a - 1 for a in axis], "ghosts": True}


def stated(**options: Any) -> Callable[[Options], Options]:
    def state(given: Options) -> Options:
        return {**options, **given}

    state.__doc__ = f"State {options}, which Keras 2 does without saying so."
    return state


def _bins(options: Options) -> Options:
    """``bins`` was the name of both, before TensorFlow 2.6."""
    if "bins" not in options:
        return options
    bins = options["bins"]
    key = "num_bins" if isinstance(bins, int) else "bin_boundaries"
    return {key: bins, **{k: v for k, v in options.items() if k != "bins"}}


def _without_int64(options: Options) -> Options:
    """tf-keras forgets this dtype of an IntegerLookup that counts, as once all said it.

    Source: tf_keras/src/layers/preprocessing/integer_lookup.py, tf-keras 2.21.
    """
    if options.get("output_mode", "int") == "int" or options.get("dtype") != "int64":
        return options
    return {**options, "dtype": "float32"}


def _ngrams(options: Options) -> Options:
    """A tuple as tf-keras' decoder reads it; it writes lists, which it does not take back."""
    given = options.get("ngrams")
    if not isinstance(given, dict) or given.get("class_name") != "__tuple__":
        return options
    return {**options, "ngrams": given.get("items")}


EVERY_LAYER = (renamed(batch_input_shape="batch_shape"),)

_RECURRENT = (dropped("implementation"), stated(kept_first=True))
_CONVOLUTIONAL_RECURRENT = (
    *_RECURRENT,
    dropped_when(False, "time_major", "unroll"),
    stated(zero_output_for_mask="ignored"),
)
_MERGE = (stated(masks="and"),)
_CONVOLUTION = (dropped_when(1, "groups"),)
_BINCOUNT = stated(bincount=True)
_OWN_DTYPE = stated(own_dtype=True)

STEPS: dict[str, tuple[Callable[[Options], Options], ...]] = {
    "BatchNormalization": (
        _ghost_batches,
        _single_axis,
        dropped("fused"),
        dropped_when(None, "adjustment"),
    ),
    "DepthwiseConv1D": _CONVOLUTION,
    "DepthwiseConv2D": _CONVOLUTION,
    "SeparableConv1D": _CONVOLUTION,
    "SeparableConv2D": _CONVOLUTION,
    "Conv1DTranspose": _CONVOLUTION,
    "Conv2DTranspose": _CONVOLUTION,
    "Conv3DTranspose": _CONVOLUTION,
    "LeakyReLU": (renamed(alpha="negative_slope"),),
    **dict.fromkeys(
        ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"), _MERGE
    ),
    "CategoryEncoding": (renamed(max_tokens="num_tokens"), _BINCOUNT, stated(checked=True)),
    "Discretization": (_bins, stated(whole="int64"), _BINCOUNT),
    "HashedCrossing": (_BINCOUNT,),
    "Hashing": (_BINCOUNT,),
    "IntegerLookup": (
        renamed(max_values="max_tokens", mask_value="mask_token", oov_value="oov_token"),
        _OWN_DTYPE,
        _BINCOUNT,
        _without_int64,
    ),
    "StringLookup": (_OWN_DTYPE, _BINCOUNT),
    "TextVectorization": (stated(counts="float32"), _BINCOUNT, _ngrams),
    "RandomBrightness": (stated(casts=True),),
    "RandomContrast": (stated(casts=True),),
    "RandomCrop": (stated(resizes=True),),
    "Resizing": (stated(float_output=True),),
    "UpSampling2D": (stated(float_output=True),),
    "MultiHeadAttention": (stated(masking="add"),),
    "Softmax": (stated(masking="add"),),
    "ConvLSTM1D": _CONVOLUTIONAL_RECURRENT,
    "ConvLSTM2D": _CONVOLUTIONAL_RECURRENT,
    "ConvLSTM3D": _CONVOLUTIONAL_RECURRENT,
    "RNN": _RECURRENT,
    "SimpleRNN": _RECURRENT,
    "LSTM": _RECURRENT,
    "GRU": _RECURRENT,
    "TimeDistributed": (stated(masks="inner"),),
}
"""Upgrade steps by Keras class, in the order they apply."""


# --- tensor references -------------------------------------------------------------


def _shifted(spec: LayerSpec, shift: Callable[[TensorRef], TensorRef]) -> LayerSpec:
    calls = tuple(CallSpec(map_refs(c.args, shift), map_refs(c.kwargs, shift)) for c in spec.calls)
    return replace(spec, calls=calls)


def _unwrapped(border: Any) -> Any:
    """A list of one tensor is that tensor in Keras 2."""
    return border[0] if isinstance(border, list) and len(border) == 1 else border
