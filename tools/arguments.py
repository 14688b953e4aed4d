"""Arguments of the commands that compare; apart, so that `layergraph --help` imports little."""

from __future__ import annotations

import argparse

SIDE = (
    "a model file, with options after an @ (model.h5@plain, @float64, @plain+float64, @keras, "
    "@tfkeras); a golden .safetensors file; an .npz file of arrays by node name"
)


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
