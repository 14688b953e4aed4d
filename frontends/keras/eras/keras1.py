"""Configs written by Keras 1, upgraded to the dialect of Keras 2.

Source: get_config and call in keras/layers/*.py and keras/engine/topology.py, Keras 1.2.2; renames
as in keras/legacy/interfaces.py, Keras 2.2.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from layergraph.frontends.keras.eras.keras1_sequential import flattened, normalized
from layergraph.frontends.keras.eras.keras2 import Keras2, dropped, renamed, stated
from layergraph.frontends.keras.eras.keras3 import Entry
from layergraph.frontends.keras.spec import LayerSpec, ModelSpec
from layergraph.ir.errors import Unsupported, UnsupportedError

Options = dict[str, Any]
Step = Callable[[Options], Options]

CLASSES = {
    "AtrousConvolution1D": "Conv1D",
    "AtrousConvolution2D": "Conv2D",
    "TimeDistributedDense": "Dense",
}
"""Classes that Keras 2 has under another name with the same options; others in ``RENAMED``."""

MERGES = {
    "sum": "Add",
    "mul": "Multiply",
    "ave": "Average",
    "max": "Maximum",
    "concat": "Concatenate",
    "dot": "Dot",
}
"""Layer of Keras 2 by ``mode`` of Merge."""

UNSTATED = frozenset(
    "UpSampling2D UpSampling3D ZeroPadding2D ZeroPadding3D Cropping2D Cropping3D".split()
)
"""Classes that follow ``dim_ordering`` and do not save it."""

GRAPH = (
    "models of named nodes were replaced in Keras 1.0 and no Keras since 1.2 loads them",
    "build it again with the functional API and load its arrays into that",
)
"""Why not, and what instead, for the model class of Keras 0."""

FORMATS = {"th": "channels_first", "tf": "channels_last"}


class Keras1(Keras2):
    """Parser of one Keras 1 file's config."""

    orders: frozenset[str] = frozenset()

    def model_layer(self, entry: Entry) -> LayerSpec:
        """The top model; notes which ``dim_ordering`` its layers state."""
        self.orders = frozenset(_orders(entry))
        if entry.get("class_name") == "Graph":
            raise UnsupportedError([Unsupported("graph", "Graph", *GRAPH)], file=self.file)
        return super().model_layer(entry)

    def layer(self, entry: Entry) -> LayerSpec:
        """One layer."""
        if isinstance(entry, dict) and isinstance(entry.get("config"), dict):
            entry = normalized(entry)
            config = entry["config"]
            if not isinstance(config.get("layers"), list):
                entry = self._upgraded(entry, config)
        return super().layer(entry)

    def model(self, name: str, entry: Entry, config: Options) -> ModelSpec:
        """A model; a Sequential that begins with a Merge is a graph."""
        if "input_layers" not in config:
            layers = [normalized(item) for item in config["layers"]]
            config = {**config, "layers": [_named(item, i) for i, item in enumerate(layers)]}
            if layers and layers[0].get("class_name") == "Merge":
                config = flattened(config["layers"])
        return super().model(name, entry, config)

    def _upgraded(self, entry: Entry, config: Options) -> Entry:
        """An entry whose class and options are Keras 2's."""
        written = str(entry.get("class_name"))
        if written in UNSTATED and "dim_ordering" not in config:
            config = {**config, "dim_ordering": self._order(entry, written)}
        config = _ordered(_training_dropped(config))
        for step in STEPS.get(written, ()):
            config = step(config)
        if written == "Merge":
            written = MERGES.get(str(config.get("mode")), written)
            if written != "Merge":
                config = _merge_options(written, config)
        return {**entry, "class_name": CLASSES.get(written, written), "config": config}

    def _order(self, entry: Entry, class_name: str) -> str:
        """Where channels are for a layer that does not say: where the others have them."""
        if len(self.orders) > 1:
            name = str(entry.get("name") or entry["config"].get("name"))
            raise UnsupportedError(
                [
                    Unsupported(
                        name,
                        class_name,
                        "Keras 1 did not save its dim_ordering, and the model's layers use both",
                        "load and save the model once with Keras 2.2",
                    )
                ],
                file=self.file,
            )
        return next(iter(self.orders), "tf")


def _orders(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        if data.get("dim_ordering") in FORMATS:
            yield data["dim_ordering"]
        data = list(data.values())
    if isinstance(data, list):
        for item in data:
            yield from _orders(item)


def _named(entry: Entry, place: int) -> Entry:
    """A model within a Sequential has no name in the file; its place gives it one."""
    if isinstance(entry.get("config"), list) and not entry.get("name"):
        return {**entry, "name": f"{entry['class_name'].lower()}_{place}"}
    return entry


# --- upgrade steps: options in, options out ---------------------------------------

TRAINING = frozenset(
    """
    init inner_init forget_bias_init gamma_init beta_init alpha_init t_left_init a_left_init
    t_right_init a_right_init weights cache_enabled transform_bias
    W_regularizer U_regularizer b_regularizer depthwise_regularizer pointwise_regularizer
    W_constraint U_constraint b_constraint depthwise_constraint pointwise_constraint
    gamma_regularizer beta_regularizer dropout_W dropout_U
    """.split()
)


def _training_dropped(options: Options) -> Options:
    """Drop what changes training or initial weights only."""
    return {k: v for k, v in options.items() if k not in TRAINING}


def _ordered(options: Options) -> Options:
    """``dim_ordering`` as ``data_format``, ``input_dtype`` as ``dtype``."""
    found = dict(options)
    if "dim_ordering" in found:
        order = found.pop("dim_ordering")
        found["data_format"] = FORMATS.get(order, order)
    if "input_dtype" in found:
        found["dtype"] = found.pop("input_dtype") or "float32"
    return found


def _kernel(*names: str) -> Step:
    def join(options: Options) -> Options:
        found = {k: v for k, v in options.items() if k not in names}
        return {**found, "kernel_size": [options[name] for name in names]}

    join.__doc__ = f"Join {names} to one kernel_size."
    return join


def _padding_2d(options: Options) -> Options:
    """Padding as a pair an axis; a dict or four numbers otherwise."""
    given = options.get("padding")
    if isinstance(given, dict):
        sides = (("top_pad", "bottom_pad"), ("left_pad", "right_pad"))
        given = [[given.get(a, 0), given.get(b, 0)] for a, b in sides]
    elif isinstance(given, list) and len(given) == 4:
        given = [given[:2], given[2:]]
    return {**options, "padding": given}


def _padding_1d(options: Options) -> Options:
    """Padding as a pair; a dict otherwise."""
    given = options.get("padding")
    if isinstance(given, dict):
        given = [given.get("left_pad", 0), given.get("right_pad", 0)]
    return {**options, "padding": given}


def _merge_options(class_name: str, options: Options) -> Options:
    """The options that the mode has."""
    found: Options = {k: v for k, v in options.items() if k in ("name", "implicit")}
    if class_name == "Concatenate":
        found["axis"] = options.get("concat_axis", -1)
    if class_name == "Dot":
        found["axes"] = options.get("dot_axes", -1)
    return found


_CONVOLUTION = (
    renamed(
        nb_filter="filters", subsample="strides", subsample_length="strides",
        border_mode="padding", bias="use_bias", atrous_rate="dilation_rate",
        filter_length="kernel_size",
    ),
)  # fmt: skip


def _full(options: Options) -> Options:
    """``full`` of Theano is ``valid`` on an input with zeros all around."""
    if options.get("padding") != "full":
        return options
    return {**options, "padding": "valid", "full": True}


_SEQUENCE = (*_CONVOLUTION, dropped("input_dim", "input_length"))
_IMAGE = (*_CONVOLUTION, _kernel("nb_row", "nb_col"))
_POOLING = (renamed(pool_length="pool_size", stride="strides", border_mode="padding"),)
_DENSE = (
    renamed(output_dim="units", bias="use_bias", nb_feature="features"),
    dropped("input_dim", "input_length"),
)
_RECURRENT = (
    renamed(output_dim="units", inner_activation="recurrent_activation"),
    dropped("consume_less", "input_dim", "input_length"),
)
_RATE = (renamed(p="rate", sigma="stddev"),)
_UNSHAPED = (dropped("dim_ordering", "data_format"),)

STEPS: dict[str, tuple[Step, ...]] = {
    **dict.fromkeys(("Dense", "TimeDistributedDense", "MaxoutDense", "Highway"), _DENSE),
    **dict.fromkeys(("Convolution1D", "AtrousConvolution1D"), (*_SEQUENCE, _full)),
    **dict.fromkeys(("Convolution2D", "AtrousConvolution2D"), (*_IMAGE, _full)),
    **dict.fromkeys(("Deconvolution2D", "LocallyConnected2D", "SeparableConvolution2D"), _IMAGE),
    "LocallyConnected1D": _SEQUENCE,
    "Convolution3D": (*_CONVOLUTION, _kernel("kernel_dim1", "kernel_dim2", "kernel_dim3"), _full),
    **dict.fromkeys(
        (f"{kind}Pooling{rank}D" for kind in ("Max", "Average") for rank in (1, 2, 3)), _POOLING
    ),
    **dict.fromkeys(("SimpleRNN", "GRU", "LSTM"), _RECURRENT),
    "ConvLSTM2D": (*_IMAGE, *_RECURRENT),
    "Bidirectional": (stated(zero_output_for_mask=False), dropped("weights")),
    "Embedding": (dropped("dropout"),),
    "UpSampling1D": (renamed(length="size"),),
    "ZeroPadding1D": (_padding_1d,),
    "ZeroPadding2D": (_padding_2d,),
    **dict.fromkeys(("Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout"), _RATE),
    **dict.fromkeys(("SpatialDropout2D", "SpatialDropout3D"), (*_RATE, *_UNSHAPED)),
    "ActivityRegularization": (dropped("l1", "l2"),),
    "ParametricSoftplus": (dropped("alpha_init", "beta_init"),),
}  # fmt: skip
"""Upgrade steps by Keras 1 class, in the order they apply."""
