"""Arguments of the commands that compare; apart, so that `layergraph --help` imports little."""

from __future__ import annotations

import argparse
import os

SIDE = (
    "a model file, with options after an @ (model.h5@plain, @float64, @plain+float64, "
    "@onnxruntime, @keras, @tfkeras); a golden .safetensors file; "
    "an .npz file of arrays by node name"
)


def positive(text: str) -> int:
    """A whole number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def convert_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``layergraph convert`` but for the source."""
    sub.add_argument("target", help="a .onnx, .keras, .h5 or .lg file")
    sub.add_argument(
        "--to", metavar="KIND", help="onnx, keras, h5 or lg; default: the target's extension"
    )
    sub.add_argument("--opset", type=positive, help="version of ONNX' operator set (20)")
    sub.add_argument("--overwrite", action="store_true", help="replace an existing target")
    sub.add_argument(
        "--verify", action="store_true",
        help="run source and result, compare, and write nothing where they differ",
    )  # fmt: skip
    sub.add_argument("--input", help="verify on these: a .npy, .npz or .csv file; default: random")
    sub.add_argument("--batch", type=positive, metavar="N", help="fix the batch, which is free")
    sub.add_argument(
        "--input-shape", type=_input_shape, action="append", default=[], metavar="NAME=SIZE,...",
        help="sizes that the model leaves free, batch included, ? for free: image=?,224,224,3",
    )  # fmt: skip
    sub.add_argument(
        "--outputs", type=_names, metavar="LAYER,...", help="convert up to these layers only"
    )
    sub.add_argument(
        "--inputs", type=_names, metavar="LAYER,...",
        help="convert from these layers on: their outputs become inputs",
    )  # fmt: skip
    sub.add_argument(
        "--split", metavar="LAYER", help="write TARGET.head up to a layer, and TARGET.tail after it"
    )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _input_shape(text: str) -> tuple[str, list[int | None]]:
    """``image=?,224,224,3``."""
    name, given, sizes = text.rpartition("=")
    try:
        shape = [None if s.strip() in ("?", "None") else int(s) for s in sizes.split(",")]
    except ValueError:
        given = ""
    if not given:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=SIZE,... as image=?,224,224,3")
    return name, shape


def compare_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``layergraph compare``."""
    sub.add_argument("a", help=SIDE)
    sub.add_argument("b", help="the reference, the same choice")
    sub.add_argument("--input", metavar="FILE", help="a .npy, .npz or .csv file; default: seeded")
    sub.add_argument("--seed", type=int, default=0, help="of the inputs drawn (0)")
    tolerances(sub)
    sub.add_argument("--json", action="store_true", help="print JSON")
    sub.add_argument("--plot", metavar="FILE", help="draw the errors along the graph (.png, .svg)")
    sub.add_argument("--html", metavar="FILE", help="write the graph, coloured by error, as a page")
    sub.add_argument(
        "--layers", metavar="MODULE", action="append", default=[],
        help="a Python file or module of yours that registers custom layers",
    )  # fmt: skip


def tolerances(sub: argparse.ArgumentParser) -> None:
    """Declare ``--rtol`` and ``--atol``."""
    sub.add_argument("--rtol", type=float, help="relative to a node's largest value (1e-5)")
    sub.add_argument("--atol", type=float, help="absolute (1e-9)")


def golden_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``layergraph golden``."""
    actions = sub.add_subparsers(required=True, metavar="ACTION", dest="action")
    record = actions.add_parser("record", help="run a model and keep what every node returned")
    record.add_argument("model", help="a model file; model.h5@keras records live Keras")
    record.add_argument("-o", "--output", required=True, help="a .safetensors file")
    record.add_argument("--input", metavar="FILE", help=".npy, .npz or .csv; default: seeded")
    record.add_argument("--seed", type=int, default=0, help="of the inputs drawn (0)")
    tolerances(record)
    check = actions.add_parser("check", help="hold a model against a recording")
    check.add_argument("model", help="a model file, with options after an @")
    check.add_argument("golden", help="the recording")
    check.add_argument("--json", action="store_true", help="print JSON")
    check.add_argument("--html", metavar="FILE", help="write the graph, coloured by error")


def evaluate_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``layergraph evaluate``."""
    sub.add_argument("model", help="a model file, with options after an @ (model.h5@float64)")
    sub.add_argument("--data", required=True, help="an .npz, .parquet or .csv file")
    sub.add_argument("--labels", required=True, help="name of the labels in it")
    sub.add_argument(
        "--metrics", default="accuracy,macro_f1", metavar="NAME,...",
        help="accuracy, balanced_accuracy, macro_f1, weighted_f1, macro_precision, macro_recall, "
        "kappa, matthews, log_loss; of numbers mse, mae, r2 (accuracy,macro_f1)",
    )  # fmt: skip
    sub.add_argument(
        "--against", choices=("keras", "tfkeras", "onnxruntime", "plain", "float64"),
        help="the same with this beside it",
    )  # fmt: skip
    sub.add_argument("--classes", metavar="NAME,...", help="names of the classes, in order")
    sub.add_argument("--output", metavar="NAME", help="which output of the model, if several")
    sub.add_argument("--batch-size", type=int, default=32, help="rows at a time (32)")
    sub.add_argument("--json", action="store_true", help="print JSON")


def profile_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``layergraph profile``."""
    sub.add_argument("--input", metavar="FILE", help=".npy, .npz or .csv; default: seeded")
    sub.add_argument("--batch", type=positive, metavar="N", help="rows a run (the file's, or 1)")
    sub.add_argument("--repeat", type=positive, metavar="N", help="runs; default: for two seconds")
    sub.add_argument("--top", type=positive, metavar="N", help="print the slowest N nodes only")
    sub.add_argument("--json", action="store_true", help="print JSON, nodes in running order")


def bench_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``layergraph bench``."""
    sub.add_argument("--models", nargs="+", metavar="NAME", help="default: all thirteen")
    sub.add_argument("--batches", nargs="+", type=positive, metavar="N", help="rows a run (1 32)")
    sub.add_argument(
        "--engines", nargs="+", metavar="NAME",
        help="default: all, those that are slow at large batches at 1 only",
    )  # fmt: skip
    sub.add_argument(
        "--rounds", type=positive, help="turns of each engine at a model and batch (5)"
    )
    sub.add_argument("--seconds", type=float, help="time of an engine at a model and batch (1)")
    sub.add_argument("--limit", type=float, help="seconds after which a run is given up (30)")
    sub.add_argument("--quick", action="store_true", help="five small models, three engines")
    sub.add_argument("--full", action="store_true", help="everything, at all batches, for longer")
    sub.add_argument(
        "--jax-python", metavar="PATH", default=os.environ.get("LAYERGRAPH_JAX_PYTHON"),
        help="interpreter that has keras and jax (and layergraph) for the engines that need "
        "them, apart from TensorFlow; default: this one, or LAYERGRAPH_JAX_PYTHON",
    )  # fmt: skip
    sub.add_argument("--json", metavar="FILE", help="write what was measured")
    sub.add_argument("--plot", metavar="FILE", help="draw ratios to tf.function (.png, .svg)")
    sub.add_argument("--markdown", metavar="FILE", help="write the page docs/benchmarks.md")
    sub.add_argument("--read", metavar="FILE", help="measure nothing; show what --json wrote")
