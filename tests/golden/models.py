"""Small models, one a trap: what eras, containers and readers of Keras files get wrong.

Each builder takes a Keras module, Keras 3 or tf-keras, and returns a model. No two sizes of an
input are equal, so that swapped axes show.
"""

from __future__ import annotations

from golden.writers import Keras, Model


def hard_sigmoid_lstm(keras: Keras) -> Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((7, 5)),
            layers.LSTM(4, recurrent_activation="hard_sigmoid", return_sequences=True),
            layers.GRU(6, recurrent_activation="hard_sigmoid", reset_after=False),
            layers.Dense(3, activation="hard_sigmoid"),
        ]
    )


def gru_resets(keras: Keras) -> Model:
    layers = keras.layers
    x = inputs = keras.Input((7, 5), name="steps")
    x = layers.GRU(4, reset_after=True, return_sequences=True, name="reset_after")(x)
    x = layers.GRU(6, reset_after=False, return_sequences=True, name="reset_before")(x)
    x = layers.GRU(3, use_bias=False, go_backwards=True, name="backwards")(x)
    return keras.Model(inputs, x)


def masks_in_the_middle(keras: Keras) -> Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((9,), dtype="int32"),
            layers.Embedding(11, 5, mask_zero=True),
            layers.SimpleRNN(6, return_sequences=True),
            layers.GRU(4, return_sequences=True),
            layers.Dropout(0.5),
            layers.LSTM(3),
        ]
    )


def masking_functional(keras: Keras) -> Model:
    layers = keras.layers
    x = inputs = keras.Input((9, 4), name="steps")
    x = layers.Masking(0.0, name="masking")(x)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="both")(x)
    x = layers.TimeDistributed(layers.Dense(5, activation="tanh"), name="each")(x)
    return keras.Model(inputs, layers.GlobalAveragePooling1D(name="mean")(x))


def same_padding(keras: Keras) -> Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((14, 11, 4)),
            layers.Conv2D(6, (4, 3), strides=(2, 1), padding="same", activation="relu"),
            layers.Conv2D(4, (3, 2), dilation_rate=(1, 2), padding="same", groups=2),
            layers.MaxPooling2D((3, 2), strides=2, padding="same"),
            layers.AveragePooling2D((2, 3), strides=(1, 2), padding="same"),
            layers.Conv2D(5, 2, strides=2, activation="tanh"),
        ]
    )


def transposed_convolutions(keras: Keras) -> Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((4, 5, 3)),
            layers.Conv2DTranspose(4, (3, 2), strides=2, padding="same", activation="relu"),
            layers.Conv2DTranspose(2, (2, 4), strides=(1, 3)),
            layers.Conv2DTranspose(
                3, 3, strides=2, padding="same", output_padding=0, use_bias=False
            ),
        ]
    )


def separable_convolutions(keras: Keras) -> Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((11, 8, 3)),
            layers.DepthwiseConv2D((3, 4), strides=2, depth_multiplier=2, padding="same"),
            layers.SeparableConv2D(
                5, (2, 3), depth_multiplier=3, padding="same", activation="relu"
            ),
            layers.DepthwiseConv2D(2, dilation_rate=(2, 1), activation="sigmoid"),
            layers.GlobalMaxPooling2D(),
        ]
    )


def batch_normalization(keras: Keras) -> Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((9, 7, 3)),
            # Before a padded convolution: folding its shift forward would change the border.
            layers.BatchNormalization(epsilon=0.01),
            layers.Conv2D(4, 3, padding="same"),
            layers.BatchNormalization(scale=False),
            layers.ReLU(),
            layers.DepthwiseConv2D(3),
            layers.BatchNormalization(center=False),
            layers.Flatten(),
            layers.Dense(6, use_bias=False),
            layers.BatchNormalization(),
        ]
    )


def layer_normalization(keras: Keras) -> Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6, 5, 4)),
            layers.LayerNormalization(),
            layers.LayerNormalization(axis=[2, 3], epsilon=0.1),
            layers.LayerNormalization(axis=1, center=False),
            layers.LayerNormalization(axis=[1, 2, 3], scale=False),
        ]
    )


def nested_shared(keras: Keras) -> Model:
    layers = keras.layers
    x = image = keras.Input((8, 7, 2), name="image")
    x = layers.Conv2D(3, 3, activation="relu", name="convolution")(x)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    encoder = keras.Model(image, layers.Dense(5, name="dense")(x), name="encoder")
    left, right = (keras.Input((8, 7, 2), name=name) for name in ("left", "right"))
    shared = layers.Dense(4, activation="tanh", name="shared")
    both = [shared(encoder(left)), shared(encoder(right))]
    joined = layers.Concatenate(name="joined")([*both, layers.Subtract(name="difference")(both)])
    head = keras.Sequential(
        [keras.Input((12,)), layers.Dense(3, name="hidden"), layers.Softmax(name="softmax")],
        name="head",
    )
    return keras.Model([left, right], head(joined))


def attention(keras: Keras) -> Model:
    layers = keras.layers
    words = keras.Input((9,), dtype="int32", name="words")
    x = layers.Embedding(11, 6, mask_zero=True, name="embedding")(words)
    heads = layers.MultiHeadAttention(2, 4, value_dim=3, name="heads")(x, x, use_causal_mask=True)
    x = layers.LayerNormalization(name="normalized")(layers.Add(name="added")([x, heads]))
    dots = layers.Attention(use_scale=True, name="dots")([x, x])
    sums = layers.AdditiveAttention(name="sums")([dots, x])
    x = layers.Concatenate(name="joined")([dots, sums])
    x = layers.GlobalAveragePooling1D(name="mean")(x)
    return keras.Model(words, layers.Dense(3, activation="softmax", name="classes")(x))


def several_inputs_and_outputs(keras: Keras) -> Model:
    layers = keras.layers
    words = keras.Input((6,), dtype="int32", name="words")
    numbers = keras.Input((5,), name="numbers")
    read = layers.LSTM(4, name="read")(layers.Embedding(9, 3, name="embedding")(words))
    joined = layers.Concatenate(name="joined")([read, numbers])
    return keras.Model(
        [words, numbers],
        [
            layers.Dense(2, name="two")(joined),
            read,
            layers.Dense(3, activation="softmax", name="three")(joined),
        ],
    )


def dictionaries(keras: Keras) -> Model:
    layers = keras.layers
    inputs = {"zebra": keras.Input((5,), name="zebra"), "ant": keras.Input((3,), name="ant")}
    large = layers.Dense(4, activation="relu", name="large")(inputs["zebra"])
    small = layers.Dense(4, activation="sigmoid", name="small")(inputs["ant"])
    outputs = {
        "product": layers.Multiply(name="product")([large, small]),
        "average": layers.Average(name="average")([large, small]),
    }
    return keras.Model(inputs, outputs)


def time_distributed_cnn(keras: Keras) -> Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((4, 9, 7, 3)),
            layers.TimeDistributed(layers.Conv2D(5, 3, strides=2, activation="relu")),
            layers.TimeDistributed(layers.MaxPooling2D(2)),
            layers.TimeDistributed(layers.Flatten()),
            layers.SimpleRNN(6),
        ]
    )


def bidirectional_merges(keras: Keras) -> Model:
    layers = keras.layers
    words = keras.Input((9,), dtype="int32", name="words")
    vectors = layers.Embedding(11, 5, mask_zero=True, name="embedding")(words)
    cells = {
        "concat": layers.LSTM(3),
        "sum": layers.GRU(4),
        "mul": layers.SimpleRNN(5),
        "ave": layers.LSTM(6),
    }
    merged = [
        layers.Bidirectional(cell, merge_mode=mode, name=mode)(vectors)
        for mode, cell in cells.items()
    ]
    apart = layers.Bidirectional(
        layers.GRU(2, return_sequences=True), merge_mode=None, name="apart"
    )(vectors)
    return keras.Model(words, [*merged, *apart])


def encoder_decoder(keras: Keras) -> Model:
    layers = keras.layers
    source, target = keras.Input((7, 4), name="source"), keras.Input((5, 3), name="target")
    encoded, *state = layers.LSTM(6, return_state=True, name="encoder")(source)
    decoded = layers.LSTM(6, return_sequences=True, name="decoder")(target, initial_state=state)
    again, last = layers.GRU(6, return_sequences=True, return_state=True, name="again")(
        decoded, initial_state=encoded
    )
    return keras.Model([source, target], [layers.Dense(2, name="answer")(again), last])


def causal_conv1d(keras: Keras) -> Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((17, 3)),
            layers.Conv1D(4, 3, dilation_rate=2, padding="causal", activation="relu"),
            layers.ZeroPadding1D((1, 2)),
            layers.Conv1D(6, 2, strides=3, padding="same"),
            layers.UpSampling1D(3),
            layers.Cropping1D((2, 1)),
            layers.MaxPooling1D(3, strides=2, padding="same"),
            layers.AveragePooling1D(2),
            layers.GlobalMaxPooling1D(),
        ]
    )


def shapes(keras: Keras) -> Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6, 5, 4)),
            layers.ZeroPadding2D(((1, 2), (0, 3))),
            layers.Cropping2D(((2, 0), (1, 1))),
            layers.UpSampling2D((2, 3)),
            layers.UpSampling2D((1, 2), interpolation="bilinear"),
            layers.Permute((3, 1, 2)),
            layers.Reshape((2, -1)),
            layers.Flatten(),
            layers.Dense(3),
            layers.RepeatVector(2),
        ]
    )


# The functions that Keras 3 and tf-keras both know by these names.
FUNCTIONS = (
    "elu",
    "exponential",
    "gelu",
    "hard_sigmoid",
    "linear",
    "mish",
    "relu",
    "selu",
    "sigmoid",
    "softmax",
    "softplus",
    "softsign",
    "swish",
    "tanh",
)


def activations(keras: Keras) -> Model:
    layers = keras.layers
    inputs = keras.Input((7, 5), name="values")
    functions = [layers.Activation(name, name=f"{name}_function")(inputs) for name in FUNCTIONS]
    slope = "negative_slope" if keras.__name__ == "keras" else "alpha"
    made = [
        layers.LeakyReLU(**{slope: 0.3}, name="leaky")(inputs),
        layers.PReLU(shared_axes=[1], name="learnt_slope")(inputs),
        layers.ELU(alpha=0.7, name="exponential_slope")(inputs),
        layers.ReLU(max_value=4.0, negative_slope=0.1, threshold=0.5, name="clipped")(inputs),
        layers.Softmax(axis=1, name="over_steps")(inputs),
    ]
    return keras.Model(inputs, functions + made)


def merges(keras: Keras) -> Model:
    layers = keras.layers
    left, right = keras.Input((6, 5), name="left"), keras.Input((6, 5), name="right")
    kinds = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
    simple = [getattr(layers, kind)(name=kind.lower())([left, right]) for kind in kinds]
    row = layers.Dense(5, name="row")(layers.Flatten(name="flat")(right))
    return keras.Model(
        [left, right],
        [
            *simple,
            layers.Add(name="three")([left, right, simple[2]]),
            layers.Concatenate(axis=1, name="below")([left, right]),
            layers.Add(name="broadcast")([left, layers.Reshape((1, 5), name="one_row")(row)]),
        ],
    )
