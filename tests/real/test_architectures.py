"""Whole architectures beside real Keras, as people build them, at sizes no two of which agree."""

from __future__ import annotations

from typing import Any

from support import case, parity


def _block(k: Any, x: Any, context: Any = None, *, causal: bool = False) -> Any:
    """One layer of a Transformer."""
    layers = k.layers
    attended = layers.MultiHeadAttention(2, 3, dropout=0.1)(x, x, use_causal_mask=causal)
    x = layers.LayerNormalization(epsilon=1e-6)(layers.Add()([x, attended]))
    if context is not None:
        crossed = layers.MultiHeadAttention(2, 3)(query=x, value=context)
        x = layers.LayerNormalization(epsilon=1e-6)(layers.Add()([x, crossed]))
    inner = layers.Dense(6)(layers.Dense(10, activation="gelu")(x))
    return layers.LayerNormalization(epsilon=1e-6)(layers.Add()([x, layers.Dropout(0.1)(inner)]))


def transformer(k: Any, source: Any, target: Any) -> Any:
    """Encoder and decoder over padded tokens."""
    layers = k.layers
    x = layers.Embedding(11, 6, mask_zero=True)(source)
    y = layers.Embedding(11, 6, mask_zero=True)(target)
    x = _block(k, _block(k, x))
    y = _block(k, y, x, causal=True)
    return layers.Dense(11, activation="softmax")(y)


def u_net(k: Any, x: Any) -> Any:
    """Down, up, and across."""
    layers = k.layers

    def double(x: Any, filters: int) -> Any:
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
            x = layers.Activation("relu")(layers.BatchNormalization()(x))
        return x

    first = double(x, 4)
    second = double(layers.MaxPooling2D()(first), 6)
    bottom = double(layers.MaxPooling2D()(second), 8)
    up = layers.Conv2DTranspose(6, 2, strides=2, padding="same")(bottom)
    up = double(layers.Concatenate()([up, second]), 6)
    up = layers.UpSampling2D(2, interpolation="bilinear")(up)
    up = double(layers.Concatenate()([up, first]), 4)
    # No sigmoid: the drawn weights reach far into where it magnifies rounding.
    return layers.Conv2D(2, 1)(up)


def seq2seq(k: Any, source: Any, target: Any) -> Any:
    """An encoder's states start the decoder."""
    layers = k.layers
    words = layers.Embedding(11, 5, mask_zero=True)
    _, h, c = layers.LSTM(7, return_state=True)(words(source))
    y = layers.LSTM(7, return_sequences=True)(words(target), initial_state=[h, c])
    return layers.TimeDistributed(layers.Dense(11, activation="softmax"))(y)


def siamese(k: Any, a: Any, b: Any) -> Any:
    """One tower for both sides."""
    layers = k.layers
    tower = k.Sequential(
        [
            layers.Input((13, 9, 2)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(5, activation="tanh"),
        ],
        name="tower",
    )
    left, right = tower(a), tower(b)
    near = layers.Dot(axes=1, normalize=True)([left, right])
    apart = layers.Subtract()([left, right])
    return layers.Dense(1, activation="sigmoid")(layers.Concatenate()([near, apart]))


def gan_generator(k: Any, noise: Any) -> Any:
    """Noise to an image."""
    layers = k.layers
    x = layers.Dense(3 * 2 * 8, use_bias=False)(noise)
    x = layers.LeakyReLU()(layers.BatchNormalization()(x))
    x = layers.Reshape((3, 2, 8))(x)
    for filters, strides in ((6, 1), (4, 2)):
        x = layers.Conv2DTranspose(
            filters, 5, strides=strides, padding="same", use_bias=False
        )(x)  # fmt: skip
        x = layers.LeakyReLU()(layers.BatchNormalization()(x))
    return layers.Conv2DTranspose(3, 5, strides=2, padding="same", activation="tanh")(x)


def wavenet(k: Any, x: Any) -> Any:
    """Dilated causal convolutions with gates."""
    layers = k.layers
    x = layers.Conv1D(4, 1)(x)
    skips = []
    for rate in (1, 2, 4):
        tanh = layers.Conv1D(4, 2, dilation_rate=rate, padding="causal", activation="tanh")(x)
        gate = layers.Conv1D(4, 2, dilation_rate=rate, padding="causal", activation="sigmoid")(x)
        skip = layers.Conv1D(4, 1)(layers.Multiply()([tanh, gate]))
        skips.append(skip)
        x = layers.Add()([x, skip])
    return layers.Dense(3, activation="softmax")(layers.Activation("relu")(layers.Add()(skips)))


def vision_transformer(k: Any, image: Any) -> Any:
    """Patches as tokens."""
    layers = k.layers
    x = layers.Conv2D(6, 4, strides=4)(image)
    x = layers.Reshape((-1, 6))(x)
    x = _block(k, _block(k, x))
    return layers.Dense(5)(layers.GlobalAveragePooling1D()(x))


CASES = [
    case("transformer", transformer, [(7,), (5,)], dtype="int32", make="ids"),
    case("u-net", u_net, (20, 12, 3), rtol=2e-5),
    case("seq2seq", seq2seq, [(7,), (5,)], dtype="int32", make="ids"),
    case("siamese", siamese, [(13, 9, 2), (13, 9, 2)]),
    case("gan generator", gan_generator, (7,)),
    case("wavenet", wavenet, (17, 2)),
    case("vision transformer", vision_transformer, (16, 12, 3)),
]


@parity(CASES)
def test_architecture(run: Any) -> None:
    run()
