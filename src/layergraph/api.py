"""Files in, files out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from layergraph.ir.errors import FileFormatError
from layergraph.ir.graph import Graph

PathLike = str | os.PathLike[str]


def load(
    path: PathLike,
    *,
    weights: PathLike | None = None,
    layers: Mapping[str, Any] | None = None,
    dtype: str | None = None,
) -> Graph:
    """The layer graph of any supported file, recognised by content.

    Args:
        path: a Keras ``.h5`` or ``.keras`` file, an unzipped ``.keras`` folder,
            or our own ``.lg`` file; with ``weights`` also the JSON of
            ``model.to_json()`` or a ``config.json``.
        weights: a file that holds weights only, of ``save_weights``:
            ``.weights.h5``, the index ``.weights.json`` of sharded ones, or an old
            ``.h5``; also a model file, whose weights are taken.
        layers: what custom layers and Lambdas compute, by layer name, registered
            name or class name: functions on arrays, or ``LayerReader`` objects;
            see docs/custom-layers.md.
        dtype: float dtype to compute in (``"float32"``, ``"float64"``,
            ``"float16"``, ``"bfloat16"``), whatever the model's dtype policies
            say; ``None`` for what they say. Weights stored in more digits than
            a policy computes with are then used in full.

    Raises:
        FileFormatError: not a file we read, damaged, or built to do harm.
        UnsupportedError: lists every layer and option we do not have.

    Example:

        >>> import layergraph as lg
        >>> from layergraph.tools.demo import model_path
        >>> len(lg.load(model_path()).inputs)
        1
    """
    from layergraph.ir.file import is_ir_file, read_graph
    from layergraph.ir.foreign import ForeignLayers, bound

    if is_ir_file(path):
        if weights is not None:
            raise FileFormatError(f"{os.fspath(path)}: an .lg file has its weights within")
        graph = bound(read_graph(path), ForeignLayers(layers))
    else:
        from layergraph.frontends.keras import load as load_keras

        graph = load_keras(path, weights=weights, layers=layers, dtype=dtype)
    if dtype is None:
        return graph
    from layergraph.ir.passes.recast import recast

    return recast(graph, dtype)


def save(graph: Graph, path: PathLike, *, overwrite: bool = True) -> None:
    """Write a graph as an IR file (``.lg``), atomically.

    Args:
        graph: the graph.
        path: file to write.
        overwrite: replace an existing file.

    Raises:
        FileFormatError: the file exists and may not be replaced, or cannot be
            written.
    """
    from layergraph.ir.file import write_graph

    if not overwrite and Path(path).exists():
        raise FileFormatError(f"{os.fspath(path)}: exists already; allow it to be overwritten")
    write_graph(graph, path)


def convert(
    source: PathLike | Graph,
    target: PathLike,
    *,
    to: str | None = None,
    overwrite: bool = False,
    opset: int | None = None,
    verify: Mapping[str, Any] | bool = False,
    weights: PathLike | None = None,
    layers: Mapping[str, Any] | None = None,
    dtype: str | None = None,
    batch: int | None = None,
    input_shape: Mapping[str, Sequence[int | None]] | None = None,
    inputs: str | Sequence[str] | None = None,
    outputs: str | Sequence[str] | None = None,
    split: str | None = None,
) -> Graph:
    """Read one file and write another; the target's extension says which kind.

    Args:
        source: any file ``load`` reads, or a graph.
        target: a ``.onnx``, ``.keras``, ``.h5`` or ``.lg`` file.
        to: which kind, where the extension does not say it.
        overwrite: replace an existing target.
        opset: version of ONNX' operator set, of an ``.onnx`` file.
        verify: run the result and compare it with the source before it is put in
            place: on random inputs for ``True``, or on arrays by input name.
        weights, layers, dtype: as for ``load``.
        batch: size of the batch, which is free otherwise.
        input_shape: sizes that the model leaves free, by input name, batch included;
            ``None`` for those that stay free.
        inputs, outputs: convert the part from layers on, and up to layers; see ``extract``.
        split: convert the parts before and behind a layer, to ``model.head.onnx`` and
            ``model.tail.onnx`` for a target ``model.onnx``; see ``split``.

    Returns:
        The graph written; with ``split`` what both parts make together.

    Raises:
        FileFormatError: the source is not a file we read, the target exists,
            or its extension is none we write.
        GraphError: a size contradicts the model, or a part cannot be taken out.
        UnsupportedError: lists every layer and option we do not have, or that
            the target cannot express.
        LayerGraphError: a package is missing, or the result does not verify.
    """
    from layergraph.tools.convert import Part, convert

    part = Part(inputs, outputs, split, input_shape, batch)
    graph, _ = convert(
        source,
        target,
        part,
        to=to,
        overwrite=overwrite,
        verify=verify,
        weights=weights,
        layers=layers,
        dtype=dtype,
        opset=opset,
    )
    return graph
