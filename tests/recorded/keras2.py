"""Record the answers of real keras.io 2.0 to 2.3, which no TensorFlow of today installs beside.

    pip download --no-deps --no-binary :all: keras==2.2.4    # unpack it
    python tests/recorded/keras2.py UNPACKED_FOLDER [NAME ...]

As ``keras1.py`` does; of 2.0.9, 2.1.6, 2.2.4 and 2.3.1 every model that the version can build.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from keras1 import old_keras, record

MODELS: dict[str, Callable[[], Any]] = {}


def keras_2(source: str) -> Any:
    """Keras 2 from its source folder, with what TensorFlow has dropped since 2.0 put back."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"  # so that tf.keras, which 2.3 looks at, is not itself
    tensorflow = import_module("tensorflow")
    tensorflow.compat.v1.__version__ = "1.15.0"
    ops, tensor = import_module("tensorflow.python.framework.ops"), tensorflow.Tensor
    ops._TensorLike = tensor
    ops.is_dense_tensor_like = lambda x: isinstance(x, tensor)
    return old_keras(source)


def model(build: Callable[[], Any]) -> Callable[[], Any]:
    """Put a model on the list."""
    MODELS[build.__name__] = build
    return build


def taken(kind: Any, *args: Any, **options: Any) -> Any:
    """A layer, without options that this Keras does not know yet."""
    try:
        return kind(*args, **options)
    except TypeError:
        return kind(*args)


@model
def recurrent() -> Any:
    from keras import layers as kl
    from keras.models import Model

    x, a, b = kl.Input((5, 3), name="gaps"), kl.Input((2,), name="a"), kl.Input((2,), name="b")
    masked = kl.Masking()(x)
    outputs = []
    for kind in (kl.SimpleRNN, kl.GRU, kl.LSTM):
        initial = [a, b] if kind is kl.LSTM else [a]
        outputs += [
            kind(2, implementation=2)(x),
            kind(2, use_bias=False, dropout=0.2)(masked),
            kind(2, return_sequences=True, go_backwards=True)(masked),
            kind(2, return_sequences=True, activation="relu", unroll=True)(masked),
            *kind(2, return_state=True)(masked, initial_state=initial),
            kind(2, return_sequences=True)(masked, initial_state=initial),
        ]
    outputs.append(taken(kl.GRU, 2, reset_after=True)(x))
    outputs.append(kl.LSTM(2, recurrent_activation="sigmoid", return_sequences=True)(masked))
    return Model([x, a, b], outputs)


@model
def cells() -> Any:
    from keras import layers as kl
    from keras.models import Model

    x = kl.Input((5, 3), name="gaps")
    a, b, c = (kl.Input((n,), name=name) for name, n in (("a", 2), ("b", 2), ("c", 4)))
    masked = kl.Masking()(x)

    def stack(first: int) -> Any:
        return [kl.GRUCell(first), kl.LSTMCell(2)]

    # Keras before 2.2.3 puts the states of the last cell first.
    other = [c, a, b] if _version() >= (2, 2, 3) else [a, b, c]
    outputs = [
        kl.RNN(kl.SimpleRNNCell(2), return_sequences=True)(masked),
        kl.RNN(kl.LSTMCell(2), go_backwards=True)(masked),
        kl.RNN(stack(2), return_sequences=True)(masked),
        kl.RNN(stack(2), go_backwards=True)(masked),
        *kl.RNN(stack(4), return_state=True)(x),
        *kl.RNN(stack(4), return_state=True)(x, initial_state=other),
        kl.RNN(kl.StackedRNNCells(stack(2)), return_sequences=True)(
            masked, initial_state=[a, b, a]
        ),
    ]
    return Model([x, a, b, c], outputs)


def _version() -> tuple[int, ...]:
    import keras

    return tuple(int(number) for number in str(keras.__version__).split("."))


@model
def bidirectional() -> Any:
    from keras import layers as kl
    from keras.models import Model

    x = kl.Input((5, 3), name="gaps")
    a, b = kl.Input((2,), name="a"), kl.Input((2,), name="b")
    masked = kl.Masking()(x)
    kinds = (kl.LSTM, kl.GRU, kl.SimpleRNN, kl.LSTM)
    outputs = []
    for kind, mode in zip(kinds, ("concat", "sum", "mul", "ave"), strict=True):
        outputs.append(kl.Bidirectional(kind(2), merge_mode=mode)(masked))
        both = kl.Bidirectional(kind(2, return_sequences=True), merge_mode=mode)
        outputs.append(kl.GRU(2, return_sequences=True)(both(masked)))
        outputs.append(both(masked))
    outputs += kl.Bidirectional(kl.LSTM(2, return_sequences=True), merge_mode=None)(masked)
    outputs.append(kl.Bidirectional(kl.LSTM(2, return_sequences=True, go_backwards=True))(x))
    if _version() >= (2, 1):
        states = kl.Bidirectional(kl.GRU(2, return_state=True))
        outputs += states(masked, initial_state=[a, b])
        outputs += kl.Bidirectional(kl.LSTM(2, return_state=True, return_sequences=True))(masked)
        return Model([x, a, b], outputs)
    return Model(x, outputs)


@model
def masks() -> Any:
    from keras import layers as kl
    from keras.models import Model

    p, q = kl.Input((5, 3), name="gaps_p"), kl.Input((5, 3), name="gaps_q")
    ids = kl.Input((5,), dtype="int32", name="ids")
    a, b = kl.Masking()(p), kl.Masking()(q)
    words = kl.Embedding(9, 3, mask_zero=True)(ids)

    def seen(y: Any) -> Any:
        return kl.SimpleRNN(2, return_sequences=True)(y)

    outputs = [
        seen(kl.Add()([a, b])),
        seen(kl.Multiply()([a, q])),
        seen(kl.Maximum()([words, b])),
        seen(kl.Concatenate()([a, b])),
        seen(kl.Concatenate()([words, q])),
        seen(kl.Concatenate(axis=1)([a, b])),
        kl.Dot(axes=2)([a, b]),
        kl.Dot(axes=(1, 1), normalize=True)([p, q]),
        seen(kl.TimeDistributed(kl.Dense(4, activation="relu"))(words)),
        seen(kl.BatchNormalization()(kl.Dropout(0.3)(kl.Dense(4, activation="tanh")(a)))),
        seen(kl.Activation("relu")(kl.LSTM(2, return_sequences=True)(words))),
    ]
    if _version() >= (2, 2):
        outputs.append(kl.Subtract()([a, b]))
    if _version() >= (2, 2, 3):
        outputs.append(kl.GlobalAveragePooling1D()(a))
    return Model([p, q, ids], outputs)


def _images(order: str) -> Any:
    from keras import backend
    from keras import layers as kl
    from keras.models import Model

    backend.set_image_data_format(order)
    axis = 1 if order == "channels_first" else -1
    x = kl.Input((3, 7, 6) if axis == 1 else (7, 6, 3), name="x")
    outputs = [
        kl.Conv2D(4, (3, 2), activation="hard_sigmoid")(x),
        kl.Conv2D(2, (2, 3), padding="same", strides=(2, 1), use_bias=False)(x),
        kl.Conv2D(3, (2, 3), dilation_rate=2)(x),
        kl.Conv2DTranspose(2, (3, 2))(x),
        kl.Conv2DTranspose(2, (3, 2), padding="same", strides=2, activation="tanh")(x),
        kl.SeparableConv2D(4, (2, 3), depth_multiplier=2, padding="same")(x),
        kl.MaxPooling2D((3, 2), strides=(2, 1), padding="same")(x),
        kl.AveragePooling2D((2, 3), padding="same")(x),
        kl.GlobalMaxPooling2D()(x),
        kl.UpSampling2D((2, 3))(x),
        kl.ZeroPadding2D(((1, 2), (0, 3)))(x),
        kl.Cropping2D(((1, 2), (0, 1)))(x),
        kl.BatchNormalization(axis=axis)(x),
        kl.BatchNormalization(axis=2, epsilon=0.01, scale=False)(x),
        kl.LocallyConnected2D(2, (3, 2), strides=(2, 1), activation="tanh")(x),
        kl.Dense(2)(kl.Flatten()(kl.SpatialDropout2D(0.2)(x))),
        kl.Dense(2)(taken(kl.Flatten, data_format=order)(x)),
    ]
    if _version() >= (2, 2):
        outputs += [
            kl.DepthwiseConv2D((2, 3), depth_multiplier=2, strides=2)(x),
            kl.Conv2DTranspose(2, (3, 4), strides=3, output_padding=(1, 2))(x),
        ]
    if _version() >= (2, 2, 3):
        outputs.append(kl.UpSampling2D((2, 3), interpolation="bilinear")(x))
    if _version() >= (2, 2, 3) and axis == -1:
        outputs.append(kl.Conv2DTranspose(2, (3, 2), dilation_rate=2)(x))
    return Model(x, outputs)


@model
def images_last() -> Any:
    return _images("channels_last")


@model
def images_first() -> Any:
    return _images("channels_first")


@model
def sequences() -> Any:
    from keras import layers as kl
    from keras.models import Model

    x, v = kl.Input((7, 3), name="x"), kl.Input((4, 5, 3, 2), name="v")
    outputs = [
        kl.Conv1D(4, 3, padding="causal", dilation_rate=2)(x),
        kl.Conv1D(2, 2, strides=2, padding="same", activation="softsign")(x),
        kl.LocallyConnected1D(2, 3, strides=2)(x),
        kl.MaxPooling1D(3, strides=2, padding="same")(x),
        kl.AveragePooling1D(2)(x),
        kl.ZeroPadding1D((1, 2))(kl.Cropping1D((1, 2))(kl.UpSampling1D(2)(x))),
        kl.Permute((2, 1))(kl.GaussianNoise(0.2)(x)),
        kl.Reshape((-1, 7))(kl.AlphaDropout(0.2)(x)),
        kl.RepeatVector(2)(kl.GlobalMaxPooling1D()(x)),
        kl.Conv3D(2, (2, 3, 1), strides=(1, 2, 1))(v),
        kl.MaxPooling3D((2, 1, 3), strides=(1, 2, 2))(v),
        kl.ZeroPadding3D((1, 0, 2))(kl.Cropping3D(((1, 1), (0, 2), (1, 0)))(v)),
        kl.Conv3DTranspose(2, (2, 3, 1), strides=2)(v),
        kl.ConvLSTM2D(2, (2, 3), padding="same")(v),
        kl.ConvLSTM2D(2, 2, return_sequences=True, go_backwards=True, activation="relu")(v),
        kl.ConvLSTM2D(2, (1, 2), data_format="channels_first", return_sequences=True)(v),
        kl.BatchNormalization(axis=1)(x),
    ]
    if _version() >= (2, 1):
        outputs.append(kl.SeparableConv1D(4, 3, depth_multiplier=2, strides=2)(x))
    return Model([x, v], outputs)


@model
def activations() -> Any:
    from keras import layers as kl
    from keras.models import Model

    x = kl.Input((4, 3, 2), name="x")
    outputs = [
        kl.LeakyReLU(0.2)(x),
        kl.LeakyReLU()(x),
        kl.PReLU()(x),
        kl.PReLU(shared_axes=[1, 2])(x),
        kl.ELU(0.7)(x),
        kl.ThresholdedReLU(0.6)(x),
    ]
    names = "softmax elu selu softplus softsign relu tanh sigmoid hard_sigmoid linear"
    outputs += [kl.Dense(5, activation=name)(x) for name in names.split()]
    if _version() >= (2, 1):
        outputs.append(kl.Softmax(axis=2)(x))
    if _version() >= (2, 2):
        outputs.append(kl.ReLU(max_value=1.5)(x))
    if _version() >= (2, 2, 3):
        outputs.append(kl.ReLU(2.5, negative_slope=0.1, threshold=0.4)(x))
        outputs.append(kl.Activation("exponential")(x))
    return Model(x, outputs)


@model
def nested() -> Any:
    from keras import layers as kl
    from keras.models import Model, Sequential

    a, b = kl.Input((5,), name="a"), kl.Input((5,), name="b")
    frames = kl.Input((4, 6, 5, 2), name="frames")
    tower = Sequential(
        [
            kl.Dense(4, input_dim=5, name="first"),
            kl.BatchNormalization(name="norm"),
            kl.Dense(3, name="second", activation="relu"),
        ],
        name="tower",
    )
    inside = kl.Input((3,), name="inside")
    shared = kl.Dense(3, name="shared")
    norm = kl.BatchNormalization(name="inner_norm", trainable=False)
    head = Model(inside, [norm(shared(inside)), kl.Dense(2, name="q")(shared(inside))], name="head")
    movie = Sequential(
        [
            kl.Conv2D(3, (2, 3), input_shape=(6, 5, 2), data_format="channels_last"),
            kl.MaxPooling2D(2),
            kl.Flatten(),
            kl.Dense(2),
        ]
    )
    left, right = tower(a), tower(b)
    p, q = head(left)
    r, _ = head(right)
    last = kl.Dense(3, name="last")
    watched = kl.LSTM(3)(kl.TimeDistributed(movie)(frames))
    return Model(
        [a, b, frames], [p, q, kl.Average()([left, r]), last(left), last(last(right)), watched]
    )


@model
def words() -> Any:
    from keras import layers as kl
    from keras.models import Sequential

    return Sequential(
        [
            kl.Embedding(9, 4, input_length=5, mask_zero=True, name="ids"),
            kl.TimeDistributed(kl.Dense(3)),
            kl.Bidirectional(kl.LSTM(3, return_sequences=True)),
            kl.GRU(2),
            Sequential([kl.Dense(4, input_shape=(2,)), kl.Activation("tanh")]),
            kl.Dense(3, activation="softmax"),
        ]
    )


@model
def code() -> Any:
    from keras import layers as kl
    from keras.models import Sequential

    return Sequential([kl.Dense(2, input_dim=3), kl.Lambda(lambda x: x * x, name="squared")])


KEPT = {
    "2.0.9": ("recurrent", "bidirectional", "words"),
    "2.1.6": ("cells", "nested", "words"),
    "2.3.1": ("recurrent", "bidirectional", "cells", "images_first", "words"),
}
"""What is kept of the Kerases that differ little from 2.2.4; all of it was equal."""


def main() -> None:
    """Record them all, or those named."""
    keras = keras_2(sys.argv[1])
    prefix = "keras" + keras.__version__.replace(".", "")
    for name in sys.argv[2:] or KEPT.get(keras.__version__, MODELS):
        keras.backend.clear_session()
        keras.backend.set_image_data_format("channels_last")
        record(name, MODELS[name](), prefix=prefix)
        print(prefix, name)


if __name__ == "__main__":
    main()
