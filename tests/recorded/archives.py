"""Record files of the Kerases of TensorFlow 2.12 to 2.15, of Keras Core and of older Keras 3.

    pip download --no-deps keras==2.13.1    # unpack it; likewise 2.12.0, 2.14.0, 2.15.0, and
                                            # keras-core==0.1.7 with dm-tree and namex,
                                            # and keras==3.0.5, 3.4.1, 3.8.0
    python tests/recorded/archives.py UNPACKED_FOLDER

Their layouts differ from each other and from what tf-keras writes today. Writes
``keras213_graph.keras`` and the like, and an ``.npz`` of inputs and outputs beside each.
"""

from __future__ import annotations

import sys
import zlib
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent


def old_keras(source: str) -> Any:
    """The Keras in a folder, over the TensorFlow that is installed."""
    sys.path.insert(0, source)
    if (Path(source) / "keras_core").is_dir():
        return import_module("keras_core")
    if (Path(source) / "keras" / "src" / "models" / "functional.py").is_file():
        return import_module("keras")  # Keras 3, which needs no help
    internal = import_module("tensorflow.compat.v2").__internal__
    internal.register_load_context_function = lambda function: None
    internal.function.defun_with_attributes = lambda func, **options: func
    for name in [n for n in sys.modules if n.partition(".")[0] == "keras"]:
        del sys.modules[name]
    return import_module("keras")


def graph(keras: Any) -> Any:
    """Several layers of a class, so that numbering shows; wrappers, cells, a nested model."""
    kl = keras.layers
    inside = kl.Input((4,), name="inside")
    y = kl.BatchNormalization(name="inner_norm")(kl.Dense(4, name="inner_a")(inside))
    tower = keras.Model(inside, kl.Dense(4, name="inner_b")(kl.PReLU()(y)), name="tower")
    row = keras.Sequential([kl.Dense(3, activation="relu"), kl.Dense(4)], name="row")
    x, ids = kl.Input((6, 4), name="x"), kl.Input((6,), dtype="int32", name="ids")
    y = kl.Add()([x, kl.Embedding(9, 4, mask_zero=True)(ids)])
    y = kl.LayerNormalization()(kl.TimeDistributed(kl.Dense(4, name="each"))(y))
    y = kl.MultiHeadAttention(2, 3)(y, y)
    z = kl.Conv1D(4, 2, padding="same")(kl.Dense(5)(y))
    z = kl.SeparableConv1D(4, 3, padding="same")(kl.Conv1D(4, 3, padding="same")(z))
    z = kl.Bidirectional(kl.LSTM(3, return_sequences=True))(z)
    z = kl.Bidirectional(kl.GRU(2), merge_mode="sum", name="second_way")(z)
    cells = [kl.LSTMCell(3), kl.GRUCell(4), kl.LSTMCell(4)]
    w = kl.RNN(cells, name="stacked")(y)
    v = kl.SimpleRNN(4)(kl.RNN(kl.GRUCell(4), return_sequences=True)(y))
    both = kl.Concatenate()([tower(w), tower(v), row(w), z])
    return keras.Model([x, ids], [kl.Dense(2, name="head")(both), row(tower(v))])


def row(keras: Any) -> Any:
    """A Sequential, whose input is not among its layers."""
    kl = keras.layers
    return keras.Sequential(
        [
            kl.Input((7, 6, 3), name="x"), kl.Conv2D(4, 3), kl.BatchNormalization(),
            kl.Activation("relu"), kl.Conv2D(2, 2), kl.BatchNormalization(scale=False),
            kl.DepthwiseConv2D(2), kl.Flatten(), kl.Dense(5), kl.Dropout(0.3), kl.Dense(5),
        ]
    )  # fmt: skip


def siblings(keras: Any) -> Any:
    """One layer used by the model and by a model within it."""
    kl = keras.layers
    shared = kl.Dense(4, name="shared")
    inside = kl.Input((4,), name="inside")
    tower = keras.Model(inside, kl.Dense(3)(shared(inside)), name="tower")
    x = kl.Input((4,), name="x")
    return keras.Model(x, [tower(x), kl.Dense(2)(shared(x))])


def bare(keras: Any) -> Any:
    """Keras 3.0 to 3.3 name the arrays of an ``.h5`` by role, in a nested model too."""
    kl = keras.layers
    inside = kl.Input((4,), name="inside")
    y = kl.BatchNormalization(name="norm")(kl.Dense(5, name="inner")(inside))
    tower = keras.Model(inside, y, name="tower")
    x = kl.Input((4,), name="x")
    return keras.Model(x, kl.Dense(2, name="head")(tower(x)))


def main() -> None:
    """Record the models with the Keras named."""
    keras = old_keras(sys.argv[1])
    version = keras.__version__.split(".")
    prefix = f"kerascore{version[1]}" if version[0] == "0" else "keras" + "".join(version[:2])
    # Keras 2 writes a config that is wrong when a model and one within it share a layer.
    builders = (graph, row, siblings) if version[0] == "0" else (graph, row)
    for build in (*builders, bare) if version[0] == "3" else builders:
        if sys.argv[2:] and build.__name__ not in sys.argv[2:]:
            continue  # Keras 2.12's LSTM needs a TensorFlow of its own: record its "row" alone
        keras.backend.clear_session()
        model = build(keras)
        rng = np.random.default_rng(zlib.crc32(build.__name__.encode()))
        model.set_weights([rng.uniform(0.1, 0.8, w.shape) - 0.2 * (w.ndim > 1)
                           for w in model.get_weights()])  # fmt: skip
        inputs = []
        for tensor in model.inputs:
            size = (3, *tuple(tensor.shape)[1:])
            values: Any = rng.normal(size=size).astype("float32")
            inputs.append(values if tensor.name.startswith("x") else rng.integers(0, 9, size))
        outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        arrays = {f"x{i}": a for i, a in enumerate(inputs)}
        arrays.update({f"y{i}": np.asarray(a) for i, a in enumerate(outputs)})
        np.savez_compressed(HERE / f"{prefix}_{build.__name__}.npz", **arrays)
        suffix = ".h5" if build is bare else ".keras"
        model.save(str(HERE / f"{prefix}_{build.__name__}{suffix}"))
        print(prefix, build.__name__)


if __name__ == "__main__":
    main()
