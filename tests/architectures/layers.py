"""Layers a random architecture is made of, with random valid arguments."""

from __future__ import annotations

from typing import Any

from architectures.sketch import Choices, Row

ACTIVATIONS = [
    "linear", "relu", "tanh", "sigmoid", "elu", "softplus", "selu", "gelu", "softsign", "swish", "hard_sigmoid",
    "exponential", "softmax",
]  # fmt: skip
Shape = tuple[Any, ...]


def rank(*ranks: int, known: int = 1) -> Any:
    """Shapes of these ranks whose last axes are known."""
    return lambda s: len(s) in ranks and all(d is not None and d > 0 for d in s[-known:])


def spatial(n: int, least: int = 3) -> Any:
    """Channels-last shapes with ``n`` spatial axes, large enough for windows."""
    return lambda s: (
        len(s) == n + 2
        and s[-1] is not None
        and all(d is None or least <= d <= 40 for d in s[1:-1])
        and s[-1] <= 40
    )


def _activation(c: Choices) -> str:
    kind = c.pick(ACTIVATIONS[:-2])
    return "" if kind == "linear" else f", activation={kind!r}"


def _sizes(c: Choices, n: int, low: int, high: int) -> str:
    if c.integer(0, 1):
        return repr(c.integer(low, high))
    sizes = tuple(c.integer(low, high) for _ in range(n))
    return repr(sizes)


def _bias(c: Choices) -> str:
    return c.pick(["", ", use_bias=False"])


def _window(c: Choices, n: int, *, transpose: bool = False) -> str:
    padding = c.pick(["valid", "same"])
    # TensorFlow has no strides and dilation at once.
    text = f", padding={padding!r}"
    if c.integer(0, 1):
        return text + f", strides={c.integer(1, 2)}"
    return text + (f", dilation_rate={c.integer(1, 2)}" if not transpose else "")


def _conv(n: int) -> Any:
    def write(c: Choices, x: str, s: Shape) -> str:
        groups = c.pick([1, *(g for g in (2, 3) if s[-1] % g == 0)])
        filters = groups * c.integer(1, 3)
        text = f", groups={groups}" if groups > 1 else ""
        return f"k.layers.Conv{n}D({filters}, {_sizes(c, n, 1, 3)}{_window(c, n)}{text}{_activation(c)}{_bias(c)})({x})"

    return write


def _causal(c: Choices, x: str, s: Shape) -> str:
    return f"k.layers.Conv1D({c.integer(1, 4)}, {c.integer(1, 3)}, padding='causal', dilation_rate={c.integer(1, 2)}{_activation(c)})({x})"


def _transposed(n: int) -> Any:
    return lambda c, x, s: (
        f"k.layers.Conv{n}DTranspose({c.integer(1, 3)}, {_sizes(c, n, 1, 3)}{_window(c, n, transpose=True)}{_activation(c)}{_bias(c)})({x})"
    )


def _depthwise(n: int) -> Any:
    return lambda c, x, s: (
        f"k.layers.DepthwiseConv{n}D({c.integer(1, 3)}{_window(c, n)}, depth_multiplier={c.integer(1, 2)}{_activation(c)}{_bias(c)})({x})"
    )


def _separable(n: int) -> Any:
    return lambda c, x, s: (
        f"k.layers.SeparableConv{n}D({c.integer(1, 3)}, {c.integer(1, 3)}{_window(c, n)}, depth_multiplier={c.integer(1, 2)}{_activation(c)})({x})"
    )


def _pool(n: int) -> Any:
    def write(c: Choices, x: str, s: Shape) -> str:
        kind, padding = c.pick(["Max", "Average"]), c.pick(["valid", "same"])
        strides = c.pick(["", ", strides=1", ", strides=2", ", strides=3"])
        return (
            f"k.layers.{kind}Pooling{n}D({_sizes(c, n, 1, 3)}{strides}, padding={padding!r})({x})"
        )

    return write


def _global(n: int) -> Any:
    return lambda c, x, s: (
        f"k.layers.Global{c.pick(['Max', 'Average'])}Pooling{n}D({c.pick(['', 'keepdims=True'])})({x})"
    )


def _padding(n: int, what: str) -> Any:
    def write(c: Choices, x: str, s: Shape) -> str:
        high = 2 if what == "ZeroPadding" else 1
        pairs = tuple((c.integer(0, high), c.integer(0, high)) for _ in range(n))
        return f"k.layers.{what}{n}D({pairs[0] if n == 1 else pairs})({x})"

    return write


def _upsampling(n: int) -> Any:
    def write(c: Choices, x: str, s: Shape) -> str:
        kind = ", interpolation='bilinear'" if n == 2 and c.integer(0, 1) else ""
        return f"k.layers.UpSampling{n}D({_sizes(c, n, 1, 2)}{kind})({x})"

    return write


def _cell(c: Choices, sequences: bool) -> str:
    kind = c.pick(["SimpleRNN", "LSTM", "GRU"])
    options = c.pick(["", ", activation='softsign'"])
    if kind != "SimpleRNN":
        options += c.pick(["", ", recurrent_activation='hard_sigmoid'"])
    if kind == "GRU":
        options += c.pick(["", ", reset_after=False"])
    options += c.pick(["", ", go_backwards=True"]) + _bias(c)
    return f"k.layers.{kind}({c.integer(1, 4)}, return_sequences={sequences}{options})"


def _recurrent(c: Choices, x: str, s: Shape) -> str:
    return f"{_cell(c, bool(c.integer(0, 1)))}({x})"


def _bidirectional(c: Choices, x: str, s: Shape) -> str:
    merge = c.pick(["concat", "sum", "mul", "ave"])
    cell = _cell(c, bool(c.integer(0, 1))).replace(", go_backwards=True", "")
    return f"k.layers.Bidirectional({cell}, merge_mode={merge!r})({x})"


def _distributed(c: Choices, x: str, s: Shape) -> str:
    inner = f"k.layers.Dense({c.integer(1, 4)}{_activation(c)})"
    if len(s) == 5 and c.integer(0, 1):
        inner = f"k.layers.Conv2D({c.integer(1, 3)}, {c.integer(1, 2)}, padding='same')"
    return f"k.layers.TimeDistributed({inner})({x})"


def _heads(c: Choices, x: str, s: Shape) -> str:
    value = c.pick(["", f", value_dim={c.integer(1, 3)}"])
    call = c.pick(["", ", use_causal_mask=True"])
    return f"k.layers.MultiHeadAttention({c.integer(1, 2)}, {c.integer(1, 4)}{value}{_bias(c)})({x}, {x}{call})"


def _attention(c: Choices, x: str, s: Shape) -> str:
    kind = c.pick(["Attention", "AdditiveAttention"])
    options = (
        c.pick(["", "use_scale=True"]) if kind == "Attention" else c.pick(["", "use_scale=False"])
    )
    return f"k.layers.{kind}({options})([{x}, {x}])"


def _reshape(c: Choices, x: str, s: Shape) -> str:
    inner = 1
    for d in s[1:]:
        inner *= d
    if c.integer(0, 1):
        return f"k.layers.Reshape((-1, {s[-1]}))({x})"
    divisors = [d for d in range(1, inner + 1) if inner % d == 0]
    first = c.pick(divisors)
    if c.integer(0, 1):
        return f"k.layers.Reshape(({first}, {inner // first}))({x})"
    second = c.pick([d for d in divisors if inner // first % d == 0])
    return f"k.layers.Reshape(({first}, {second}, {inner // first // second}))({x})"


def _permute(c: Choices, x: str, s: Shape) -> str:
    rest, order = list(range(1, len(s))), []
    while rest:
        order.append(rest.pop(c.integer(0, len(rest) - 1)))
    return f"k.layers.Permute({tuple(order)})({x})"


def _layer_norm(c: Choices, x: str, s: Shape) -> str:
    axes = [a for a in range(1, len(s)) if s[a] is not None]
    axis = c.pick(axes)
    options = c.pick(["", ", center=False", ", scale=False", ", epsilon=0.1"])
    return f"k.layers.LayerNormalization(axis={axis}{options})({x})"


def _batch_norm(c: Choices, x: str, s: Shape) -> str:
    axis = c.pick([a for a in range(1, len(s)) if s[a] is not None][::-1])
    options = c.pick(["", ", center=False", ", scale=False", ", epsilon=0.1"])
    return f"k.layers.BatchNormalization(axis={axis}{options})({x})"


def _activation_layer(c: Choices, x: str, s: Shape) -> str:
    kind = c.pick([f"Activation({a!r})" for a in ACTIVATIONS] + ["ReLU()", "ReLU(max_value=1.5)", "ELU(0.7)", "LeakyReLU()",
                   "Softmax()", "PReLU()", "Dropout(0.3)", "GaussianNoise(0.2)"])  # fmt: skip
    return f"k.layers.{kind}({x})"


def _first_channels(c: Choices, x: str, s: Shape) -> str:
    """Layers that Keras runs channels first on a CPU."""
    n = len(s) - 2
    kind = (
        c.pick([f"UpSampling{n}D(2", f"ZeroPadding{n}D(1", f"Cropping{n}D(1", "Flatten("])
        if n in (2, 3)
        else "Flatten("
    )
    comma = "" if kind.endswith("(") else ", "
    return f"k.layers.{kind}{comma}data_format='channels_first')({x})"


def small(s: Shape) -> bool:
    """Few elements, all known."""
    total = 1
    for d in s[1:]:
        total *= d if d else 10**6
    return total <= 400


LAYERS = [
    Row("layer dense", rank(2, 3, 4), lambda c, x, s: f"k.layers.Dense({c.integer(1, 5)}{_activation(c)}{_bias(c)})({x})"),
    Row("layer activation", lambda s: len(s) > 1 and None not in s[1:], _activation_layer),
    *(Row(f"layer conv {n}", spatial(n), _conv(n)) for n in (1, 2, 3)),
    Row("layer causal", spatial(1), _causal),
    *(Row(f"layer transposed {n}", spatial(n, 2), _transposed(n)) for n in (1, 2, 3)),
    *(Row(f"layer depthwise {n}", spatial(n), _depthwise(n)) for n in (1, 2)),
    *(Row(f"layer separable {n}", spatial(n), _separable(n)) for n in (1, 2)),
    *(Row(f"layer pool {n}", spatial(n), _pool(n)) for n in (1, 2, 3)),
    *(Row(f"layer global {n}", spatial(n, 1), _global(n)) for n in (1, 2, 3)),
    *(Row(f"layer zeros {n}", spatial(n, 1), _padding(n, "ZeroPadding")) for n in (1, 2, 3)),
    *(Row(f"layer crop {n}", spatial(n, 4), _padding(n, "Cropping")) for n in (1, 2, 3)),
    *(Row(f"layer upsampling {n}", spatial(n, 1), _upsampling(n)) for n in (1, 2, 3)),
    Row("layer recurrent", spatial(1, 1), _recurrent),
    Row("layer bidirectional", spatial(1, 1), _bidirectional),
    Row("layer distributed", rank(3, 4, 5, known=2), _distributed),
    Row("layer heads", spatial(1, 1), _heads),
    Row("layer attention", spatial(1, 1), _attention),
    Row("layer flatten", lambda s: len(s) > 2 and small(s), lambda c, x, s: f"k.layers.Flatten()({x})"),
    Row("layer repeat", lambda s: len(s) == 2 and small(s), lambda c, x, s: f"k.layers.RepeatVector({c.integer(1, 4)})({x})"),
    Row("layer reshape", lambda s: len(s) > 1 and small(s), _reshape),
    Row("layer permute", lambda s: len(s) > 2, _permute),
    Row("layer layer norm", lambda s: len(s) > 1 and any(s[1:]), _layer_norm),
    Row("layer batch norm", lambda s: len(s) > 1 and any(s[1:]), _batch_norm),
    Row("layer unit norm", rank(2, 3, 4), lambda c, x, s: f"k.layers.UnitNormalization()({x})"),
    Row("layer masking", lambda s: len(s) == 3, lambda c, x, s: f"k.layers.Masking({c.pick([0.0, 0.5])})({x})"),
    Row("layer channels first", lambda s: len(s) in (4, 5) and all(d is None or d > 2 for d in s[1:]) and small(s), _first_channels),
    Row("layer rescaling", lambda s: len(s) > 1, lambda c, x, s: f"k.layers.Rescaling({c.pick([0.5, -1.5])}, {c.pick([0.0, 0.25])})({x})"),
]  # fmt: skip
