"""Record the answers of real Keras 1.2.2, which does not install beside a TensorFlow of today.

    pip download --no-deps --no-binary :all: keras==1.2.2    # unpack it
    python tests/recorded/keras1.py UNPACKED_FOLDER

Runs its source over ``tensorflow.compat.v1``; writes a model file and an ``.npz`` of inputs ``x0``,
``x1``, ... and outputs ``y0``, ``y1``, ... for each function of ``MODELS`` to ``tests/recorded``.
"""

from __future__ import annotations

import collections
import collections.abc
import inspect
import os
import sys
import zlib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np

HERE = Path(__file__).parent
MODELS: dict[str, Callable[[], Any]] = {}


def old_keras(source: str) -> Any:
    """Keras 1 or 2.2 from its source folder, over TensorFlow 2's own TensorFlow 1."""
    os.environ.update(KERAS_BACKEND="tensorflow", KERAS_HOME=mkdtemp())
    import tensorflow

    v1 = tensorflow.compat.v1
    v1.disable_v2_behavior()
    for name in [n for n in sys.modules if n.partition(".")[0] == "keras"]:
        del sys.modules[name]
    sys.modules["tensorflow"] = v1
    control_flow_ops = import_module("tensorflow.python.ops.control_flow_ops")
    control_flow_ops.while_loop = v1.while_loop
    sys.path.insert(0, source)
    # What Python has dropped since.
    for name in ("Iterable", "Mapping", "Callable", "Sequence"):
        setattr(collections, name, getattr(collections.abc, name))
    inspect.getargspec = inspect.getfullargspec  # type: ignore[attr-defined]
    for kind in (bool, int, float, object, str):
        setattr(np, kind.__name__, kind)
    sys.modules.setdefault("yaml", type(sys)("yaml"))
    import keras

    return keras


def model(build: Callable[[], Any]) -> Callable[[], Any]:
    """Put a model on the list."""
    MODELS[build.__name__] = build
    return build


def weights_for(name: str, given: list[Any]) -> list[Any]:
    """Random arrays, vectors positive so that variances are."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return [
        (rng.uniform(0.1, 1.0, w.shape) - (0.45 if w.ndim > 1 else 0.0)).astype("float32")
        for w in given
    ]


def inputs_for(name: str, net: Any) -> list[Any]:
    """Inputs; integers are word ids with gaps."""
    rng = np.random.default_rng(zlib.crc32(name.encode()) + 1)
    found = []
    for tensor, shape in zip(net.inputs, _shapes(net), strict=True):
        size = (3, *shape[1:])
        if "int" in str(tensor.dtype) or "ids" in tensor.name:
            ids = rng.integers(1, 9, size)
            ids[:, 2] = ids[:2, -1] = ids[0, 0] = 0
            found.append(ids.astype(tensor.dtype.as_numpy_dtype))
            continue
        values = rng.normal(0, 1.5, size)
        if "gaps" in tensor.name:
            values[:, 2] = values[:2, -1] = values[0, 0] = 0
        found.append(values.astype("float32"))
    return found


def _shapes(net: Any) -> list[Any]:
    shape = net.input_shape
    return shape if isinstance(shape, list) else [shape]


def fill(name: str, net: Any) -> None:
    """Give a model random weights, layer by layer: not all versions take them at once."""
    for layer in getattr(net, "flattened_layers", net.layers):
        layer.set_weights(weights_for(f"{name}/{layer.name}", layer.get_weights()))


def record(name: str, net: Any, folder: Path = HERE, prefix: str = "keras1") -> None:
    """Write one model and its answers."""
    fill(name, net)
    inputs = inputs_for(name, net)
    answers = net.predict(inputs if len(inputs) > 1 else inputs[0])
    answers = answers if isinstance(answers, list) else [answers]
    arrays = {f"x{i}": a for i, a in enumerate(inputs)}
    arrays.update({f"y{i}": a for i, a in enumerate(answers)})
    np.savez_compressed(folder / f"{prefix}_{name}.npz", **arrays)
    net.save(str(folder / f"{prefix}_{name}.h5"))


# --- the models ---------------------------------------------------------------------------


@model
def core() -> Any:
    from keras import layers as kl
    from keras.models import Model

    x = kl.Input((5,), name="x")
    seq = kl.Input((4, 3), name="seq")
    outputs = [
        kl.Dense(4, activation="hard_sigmoid", W_regularizer="l2")(x),
        kl.Activation("softmax")(kl.Dense(3, bias=False)(x)),
        kl.MaxoutDense(3, nb_feature=2)(x),
        kl.MaxoutDense(2, nb_feature=3, bias=False)(x),
        kl.Highway(activation="relu")(x),
        kl.Highway(activation="tanh", bias=False)(x),
        kl.RepeatVector(3)(kl.Dropout(0.4)(x)),
        kl.Reshape((6, -1))(seq),
        kl.Permute((2, 1))(kl.GaussianNoise(0.3)(seq)),
        kl.TimeDistributedDense(2, activation="tanh")(seq),
        kl.Dense(2)(kl.GaussianDropout(0.3)(seq)),
        kl.Activation("softmax")(kl.ActivityRegularization(0.1)(kl.Permute((2, 1))(seq))),
        kl.Flatten()(kl.SpatialDropout1D(0.2)(seq)),
    ]
    return Model([x, seq], outputs)


@model
def activations() -> Any:
    from keras import layers as kl
    from keras.layers import advanced_activations as ka
    from keras.models import Model

    x = kl.Input((4, 3, 2), name="x")
    outputs = [
        ka.LeakyReLU(0.2)(x),
        ka.PReLU()(x),
        ka.PReLU(shared_axes=[1, 2])(x),
        ka.ELU(0.7)(x),
        ka.ParametricSoftplus()(x),
        ka.ParametricSoftplus(shared_axes=[1])(x),
        ka.ThresholdedReLU(0.6)(x),
        ka.SReLU()(x),
        ka.SReLU(shared_axes=[2])(x),
    ]
    names = "softplus softsign relu tanh sigmoid hard_sigmoid".split()
    outputs += [kl.Activation(name)(x) for name in names]
    return Model(x, outputs)


def _images(order: str) -> Any:
    from keras import backend
    from keras import layers as kl
    from keras.models import Model

    backend.set_image_dim_ordering(order)
    shape = (7, 6, 3) if order == "tf" else (3, 7, 6)
    x = kl.Input(shape, name="x")
    back = (lambda f, h, w: (3, h, w, f)) if order == "tf" else (lambda f, h, w: (3, f, h, w))
    outputs = [
        kl.Convolution2D(4, 3, 2, activation="relu")(x),
        kl.Convolution2D(2, 2, 3, border_mode="same", subsample=(2, 1), bias=False)(x),
        kl.AtrousConvolution2D(3, 2, 3, atrous_rate=(2, 2))(x),
        kl.Deconvolution2D(2, 3, 2, back(2, 9, 7))(x),
        kl.Deconvolution2D(
            2, 3, 2, back(2, 14, 12), border_mode="same", subsample=(2, 2), activation="tanh"
        )(x),
        kl.MaxPooling2D((3, 2), strides=(2, 1), border_mode="same")(x),
        kl.AveragePooling2D((2, 3))(x),
        kl.GlobalMaxPooling2D()(x),
        kl.GlobalAveragePooling2D()(x),
        kl.UpSampling2D((2, 3))(x),
        kl.ZeroPadding2D((1, 2))(x),
        kl.ZeroPadding2D((1, 2, 0, 3))(x),
        kl.ZeroPadding2D({"top_pad": 1, "right_pad": 2})(x),
        kl.Cropping2D(((1, 2), (0, 1)))(x),
        kl.BatchNormalization(axis=-1 if order == "tf" else 1)(x),
        kl.Dense(2)(kl.Flatten()(kl.SpatialDropout2D(0.2)(x))),
        kl.LocallyConnected2D(2, 3, 2, subsample=(2, 1), activation="tanh")(x),
    ]
    outputs.append(kl.SeparableConvolution2D(4, 2, 3, depth_multiplier=2, border_mode="same")(x))
    return Model(x, outputs)


@model
def images_last() -> Any:
    return _images("tf")


@model
def images_first() -> Any:
    return _images("th")


def _volumes(order: str) -> Any:
    from keras import backend
    from keras import layers as kl
    from keras.models import Model

    backend.set_image_dim_ordering(order)
    x = kl.Input((5, 6, 4, 2) if order == "tf" else (2, 5, 6, 4), name="x")
    outputs = [
        kl.Convolution3D(3, 2, 3, 1, subsample=(2, 1, 1))(x),
        kl.MaxPooling3D((2, 1, 3), strides=(1, 2, 2))(x),
        kl.AveragePooling3D((2, 3, 2))(x),
        kl.UpSampling3D((1, 2, 3))(x),
        kl.ZeroPadding3D((1, 0, 2))(x),
        kl.Cropping3D(((1, 1), (0, 2), (1, 0)))(x),
        kl.GlobalAveragePooling3D()(x),
    ]
    return Model(x, outputs)


@model
def volumes_last() -> Any:
    return _volumes("tf")


@model
def volumes_first() -> Any:
    return _volumes("th")


@model
def sequences() -> Any:
    from keras import layers as kl
    from keras.models import Model

    x = kl.Input((7, 3), name="x")
    outputs = [
        kl.Convolution1D(4, 3, activation="relu")(x),
        kl.Convolution1D(2, 2, border_mode="same", subsample_length=2, bias=False)(x),
        kl.AtrousConvolution1D(3, 2, atrous_rate=2)(x),
        kl.MaxPooling1D(3, stride=2, border_mode="same")(x),
        kl.AveragePooling1D(2)(x),
        kl.GlobalMaxPooling1D()(x),
        kl.GlobalAveragePooling1D()(x),
        kl.UpSampling1D(2)(x),
        kl.ZeroPadding1D(2)(x),
        kl.ZeroPadding1D((1, 2))(x),
        kl.ZeroPadding1D({"left_pad": 3})(x),
        kl.Cropping1D((1, 2))(x),
        kl.LocallyConnected1D(2, 3, subsample_length=2)(x),
        kl.TimeDistributed(kl.Dense(2, activation="relu"))(x),
    ]
    return Model(x, outputs)


@model
def normalizations() -> Any:
    from keras import layers as kl
    from keras.models import Model

    x = kl.Input((4, 3), name="x")
    outputs = [
        kl.BatchNormalization()(x),
        kl.BatchNormalization(axis=1, epsilon=0.01, momentum=0.9)(x),
        kl.BatchNormalization(mode=1, epsilon=0.02)(x),
        kl.BatchNormalization(mode=2, axis=1)(x),
        kl.BatchNormalization(mode=2)(x),
    ]
    return Model(x, outputs)


@model
def recurrent() -> Any:
    from keras import layers as kl
    from keras.models import Model

    x = kl.Input((5, 3), name="gaps")
    masked = kl.Masking()(x)
    outputs = []
    for kind in (kl.SimpleRNN, kl.GRU, kl.LSTM):
        for way in ("cpu", "mem", "gpu"):
            outputs.append(kind(2, consume_less=way)(x))
        outputs += [
            kind(2, return_sequences=True, go_backwards=True, unroll=True)(x),
            kind(2, return_sequences=True, dropout_W=0.2, dropout_U=0.1)(masked),
            kind(2, activation="relu")(masked),
        ]
    outputs.append(kl.LSTM(2, inner_activation="sigmoid", forget_bias_init="one")(x))
    return Model(x, outputs)


@model
def bidirectional() -> Any:
    from keras import layers as kl
    from keras.models import Model

    x = kl.Input((5, 3), name="gaps")
    masked = kl.Masking()(x)
    outputs = []
    for mode in ("concat", "sum", "mul", "ave"):
        outputs.append(kl.Bidirectional(kl.LSTM(2), merge_mode=mode)(x))
        outputs.append(
            kl.Bidirectional(kl.GRU(2, return_sequences=True, consume_less="gpu"), merge_mode=mode)(
                masked
            )
        )
    outputs.append(kl.Bidirectional(kl.SimpleRNN(2, return_sequences=True))(masked))
    outputs.append(kl.Bidirectional(kl.LSTM(2))(masked))
    return Model(x, outputs)


@model
def words() -> Any:
    from keras import layers as kl
    from keras.models import Sequential

    return Sequential(
        [
            kl.Embedding(9, 4, input_length=5, mask_zero=True, dropout=0.2, name="ids"),
            kl.TimeDistributed(kl.Dense(3)),
            kl.LSTM(3, return_sequences=True),
            kl.TimeDistributed(kl.Dense(2)),
            kl.Activation("softmax"),
        ]
    )


@model
def merges() -> Any:
    from keras import layers as kl
    from keras.models import Model

    a, b, c = (kl.Input((4, 3), name=name) for name in ("a", "b", "c"))
    u, v = (kl.Input((5,), name=name) for name in ("u", "v"))
    outputs = [kl.merge([a, b, c], mode=mode) for mode in ("sum", "mul", "ave", "max", "concat")]
    outputs += [
        kl.merge([a, b], mode="concat", concat_axis=1),
        kl.merge([u, v], mode="dot"),
        kl.merge([u, v], mode="dot", dot_axes=1),
        kl.merge([a, b], mode="dot"),
        kl.merge([a, b], mode="dot", dot_axes=[1, 1]),
        kl.merge([u, v], mode="cos"),
        kl.merge([a, b], mode="cos", dot_axes=1),
        kl.merge([a, b], mode="cos", dot_axes=2),
    ]
    return Model([a, b, c, u, v], outputs)


@model
def masked_merges() -> Any:
    from keras import layers as kl
    from keras.models import Model

    a, b = kl.Input((5, 3), name="gaps_a"), kl.Input((5, 3), name="gaps_b")
    p, q = kl.Masking()(a), kl.Masking()(b)
    outputs = [
        kl.LSTM(2, return_sequences=True)(kl.merge(pair, mode=mode))
        for mode in ("sum", "mul", "ave", "concat")
        for pair in ([p, q], [p, b])
    ]
    return Model([a, b], outputs)


def _branch(name: str) -> Any:
    from keras import layers as kl
    from keras.models import Sequential

    return Sequential([kl.Dense(4, input_dim=3, name=name), kl.Activation("tanh")])


@model
def merge_first() -> Any:
    from keras import layers as kl
    from keras.models import Sequential

    return Sequential(
        [
            kl.Merge([_branch("left"), _branch("right")], mode="concat"),
            kl.Dense(2),
            kl.BatchNormalization(),
        ]
    )


@model
def merge_of_merges() -> Any:
    from keras import layers as kl
    from keras.models import Model, Sequential

    inner = Sequential([kl.Merge([_branch("left"), _branch("right")], mode="mul"), kl.Dense(3)])
    x = kl.Input((2,), name="x")
    functional = Model(x, kl.Dense(3, name="of_x")(x))
    embedded = Sequential([kl.Embedding(9, 3, input_length=4, name="ids"), kl.Flatten(),
                           kl.Dense(3)])  # fmt: skip
    return Sequential([kl.Merge([inner, functional, embedded], mode="sum"), kl.Dense(2)])


@model
def merged_siblings() -> Any:
    from keras import layers as kl
    from keras.models import Sequential

    shared = kl.Dense(4, input_dim=3, name="shared")
    left, right = Sequential([shared]), Sequential([kl.Activation("tanh", input_shape=(3,))])
    right.add(shared)
    return Sequential([kl.Merge([left, right], mode="cos"), kl.Flatten(), kl.Dense(2)])


@model
def nested() -> Any:
    from keras import layers as kl
    from keras.models import Model, Sequential

    a, b = kl.Input((5,), name="a"), kl.Input((5,), name="b")
    tower = Sequential(
        [
            kl.Dense(4, input_dim=5, name="first"),
            kl.BatchNormalization(name="norm"),
            kl.Dense(3, name="first_b", activation="relu"),
        ]
    )
    inside = kl.Input((3,), name="inside")
    head = Model(inside, [kl.Dense(2, name="p")(inside), kl.Dense(3, name="q")(inside)])
    left, right = tower(a), tower(b)
    p, q = head(left)
    return Model([a, b], [p, q, kl.merge([left, right], mode="max"), right])


@model
def wrapped_model() -> Any:
    from keras import layers as kl
    from keras.models import Model, Sequential

    frames = kl.Input((4, 6, 5, 2), name="frames")
    tower = Sequential(
        [
            kl.Convolution2D(3, 2, 2, input_shape=(6, 5, 2), dim_ordering="tf"),
            kl.Flatten(),
            kl.Dense(2),
        ]
    )
    return Model(frames, kl.GRU(3)(kl.TimeDistributed(tower)(frames)))


@model
def movies() -> Any:
    from keras import layers as kl
    from keras.models import Sequential

    return Sequential(
        [
            kl.ConvLSTM2D(
                3, 2, 3, border_mode="same", dim_ordering="tf", input_shape=(4, 5, 6, 2),
                return_sequences=True,
            ),
            kl.ConvLSTM2D(2, 3, 2, border_mode="same", dim_ordering="tf", go_backwards=True),
        ]
    )  # fmt: skip


def main() -> None:
    """Record them all, or those named."""
    keras = old_keras(sys.argv[1])
    for name, build in MODELS.items():
        if sys.argv[2:] and name not in sys.argv[2:]:
            continue
        keras.backend.clear_session()
        keras.backend.set_image_dim_ordering("tf")
        record(name, build())
        print(name)


if __name__ == "__main__":
    main()
