"""The command ``layergraph``.

Exit status: 0 fine, 1 a check failed, 2 bad usage or a bad file.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from layergraph import __version__
from layergraph.ir.errors import LayerGraphError, UnsupportedError
from layergraph.tools.arguments import (
    bench_arguments,
    compare_arguments,
    convert_arguments,
    evaluate_arguments,
    golden_arguments,
    positive,
    profile_arguments,
)

DEBUG = "LAYERGRAPH_DEBUG"
"""Environment variable; when set, errors come with their traceback."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parsed = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = parsed.command
    try:
        for module in getattr(parsed, "layers", ()):
            _register_layers(module)
        status = command(parsed)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # The reader has seen enough (`| head`); closing at exit would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _complain("interrupted")
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        return _complain(_sentence(error))


def _complain(sentence: str) -> int:
    print(f"layergraph: {sentence}", file=sys.stderr)
    return 2


def _sentence(error: Exception) -> str:
    if isinstance(error, UnsupportedError) and len(error.items) > 1:
        where = error.file or "the model"
        return (
            f"{where}: {len(error.items)} things are not supported, the first: {error.items[0]}; "
            f"`layergraph check {where}` lists all"
        )
    if isinstance(error, LayerGraphError):
        return " ".join(str(error).split())
    if isinstance(error, MemoryError):
        return "not enough memory; use a smaller --batch-size or a machine with more"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    spelled = " ".join(f"{type(error).__name__}: {error}".split())
    return f"internal error, please report it ({spelled}); {DEBUG}=1 shows where"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="layergraph", description="Run and convert saved Keras models without TensorFlow."
    )
    parser.add_argument("--version", action="version", version=f"layergraph {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def source(sub: argparse.ArgumentParser, name: str = "file") -> None:
        sub.add_argument(name, help="a .h5, .keras or .lg file, or an unzipped .keras folder")
        sub.add_argument(
            "--weights", metavar="FILE", help="weights saved apart from the model, as for a .json"
        )
        sub.add_argument(
            "--layers",
            metavar="MODULE",
            action="append",
            default=[],
            help="a Python file or module of yours that registers custom layers",
        )

    def add(
        name: str, command: Callable[[argparse.Namespace], int], about: str
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=about, description=about)
        sub.set_defaults(command=command)
        return sub

    sub = add("inspect", _inspect, "show what wrote a model file, its nodes and its weights")
    source(sub)
    sub.add_argument("--json", action="store_true", help="print JSON")
    sub.add_argument("--optimized", action="store_true", help="show the graph as it is run")

    sub = add("check", _check, "list everything in a model file that cannot be run")
    source(sub)
    sub.add_argument("--json", action="store_true", help="print JSON")

    sub = add("ops", _ops, "list the Keras layers, operations and functions that are supported")
    sub.add_argument("names", nargs="*", metavar="NAME", help="part of a name to look for")
    sub.add_argument("--json", action="store_true", help="print JSON")
    sub.add_argument("--markdown", action="store_true", help="print docs/support.md")

    sub = add("convert", _convert, "convert a model file")
    source(sub, "source")
    convert_arguments(sub)
    _dtype(sub)

    sub = add("run", _run, "predict the rows of a file")
    source(sub)
    sub.add_argument("--input", required=True, help="a .npy, .npz or .csv file")
    sub.add_argument("--output", help="a .npy, .npz or .csv file; default: print CSV")
    sub.add_argument("--batch-size", type=positive, default=32, help="rows at a time (32)")
    sub.add_argument(
        "--backend", choices=("numpy", "onnxruntime"), default="numpy", help="what runs it"
    )
    _dtype(sub)

    sub = add("compare", _compare, "compare two runs of a model node by node")
    compare_arguments(sub)

    sub = add("golden", _golden, "record what a model answers, or hold a model against that")
    golden_arguments(sub)

    sub = add("evaluate", _evaluate, "measure predictions against labels")
    evaluate_arguments(sub)

    sub = add("profile", _profile, "show where a model's time goes, and what the machine could do")
    source(sub)
    profile_arguments(sub)
    _dtype(sub)

    sub = add("bench", _bench, "time layergraph beside Keras and others on a suite of models")
    bench_arguments(sub)

    add("demo", _demo, "run a trained model that ships with layergraph; compare with Keras")
    return parser


def _register_layers(module: str) -> None:
    """Run the user's own module; the layers it registers serve the command.

    Raises:
        LayerGraphError: the module cannot be imported.
    """
    import importlib
    import importlib.util

    try:
        if module.endswith(".py"):
            spec = importlib.util.spec_from_file_location("layergraph_user_layers", module)
            assert spec is not None
            assert spec.loader is not None
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
        else:
            importlib.import_module(module)
    except Exception as error:
        spelled = " ".join(f"{type(error).__name__}: {error}".split())
        raise LayerGraphError(f"--layers {module}: cannot be imported ({spelled})") from error


def _dtype(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--dtype",
        choices=("float16", "bfloat16", "float32", "float64"),
        help="compute in this float dtype, whatever the model's own are",
    )


def _inspect(parsed: argparse.Namespace) -> int:
    from layergraph.tools.describe import inspect

    return inspect(
        parsed.file, weights=parsed.weights, as_json=parsed.json, optimized=parsed.optimized
    )


def _check(parsed: argparse.Namespace) -> int:
    from layergraph.tools.describe import check

    return check(parsed.file, weights=parsed.weights, as_json=parsed.json)


def _ops(parsed: argparse.Namespace) -> int:
    from layergraph.tools.support import ops

    return ops(parsed.names, as_json=parsed.json, markdown=parsed.markdown)


def _convert(parsed: argparse.Namespace) -> int:
    from layergraph.tools.convert import Part, run

    return run(
        parsed.source,
        parsed.target,
        Part(
            parsed.inputs,
            parsed.outputs,
            parsed.split,
            dict(parsed.input_shape),
            parsed.batch,
        ),
        inputs=parsed.input,
        to=parsed.to,
        overwrite=parsed.overwrite,
        opset=parsed.opset,
        verify=parsed.verify,
        weights=parsed.weights,
        dtype=parsed.dtype,
    )


def _run(parsed: argparse.Namespace) -> int:
    from layergraph import load
    from layergraph.tools.predict import run

    graph = load(parsed.file, weights=parsed.weights, dtype=parsed.dtype)
    return run(graph, parsed.input, parsed.output, parsed.batch_size, parsed.backend)


def _compare(parsed: argparse.Namespace) -> int:
    from layergraph.tools.comparison.command import run

    return run(parsed)


def _golden(parsed: argparse.Namespace) -> int:
    from layergraph.tools.golden_command import run

    return run(parsed)


def _evaluate(parsed: argparse.Namespace) -> int:
    from layergraph.tools.evaluate import run

    return run(parsed)


def _profile(parsed: argparse.Namespace) -> int:
    from layergraph import load
    from layergraph.tools.profile_command import run

    return run(
        load(parsed.file, weights=parsed.weights, dtype=parsed.dtype),
        source=parsed.input,
        batch=parsed.batch,
        repeat=parsed.repeat,
        top=parsed.top,
        as_json=parsed.json,
    )


def _bench(parsed: argparse.Namespace) -> int:
    from layergraph.tools.bench.command import run

    return run(parsed)


def _demo(parsed: argparse.Namespace) -> int:
    from layergraph.tools.demo import run_demo

    return run_demo()


if __name__ == "__main__":
    raise SystemExit(main())
