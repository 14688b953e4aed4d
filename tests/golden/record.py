"""Make the golden files again: `python tests/golden/record.py [NAME ...]`.

Every folder `tests/golden/<case>-<writer>/` gets what real Keras answers for the model files in it:

    model.h5, model.keras     the model, in both containers
    case.json                 what it is, who wrote and recorded it, tolerance, checksums
    inputs.safetensors        seeded synthetic inputs, by input name
    outputs.safetensors       what the model returns
    nodes.safetensors         what every layer returned

The models of `cases.py` are built again (a file whose content has not changed is left alone);
trained models are recorded from the files that `train.py` left. The recording in `tools/demo`
goes by the name `demo`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import re
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))

import numpy as np

from golden.cases import CASES, Case, Maker, gaps, smooth_images
from golden.demo import record_demo
from golden.structure import Array, write_arrays
from golden.trained import STEPS, TRAINED, VOCABULARY
from golden.writers import CONTAINERS, WRITERS, Keras, Model, keras_of, load, save, seed
from layergraph.tools.comparison.live import Recorder

HERE = Path(__file__).resolve().parent
# Largest difference allowed, relative to the largest value of the node.
RTOL = 1e-5
TRAINED_INPUTS: Mapping[str, Mapping[str, Maker]] = {
    "cifar10": {"image": smooth_images(32, 32, batch=2)},
    "nusax": {"words": gaps(STEPS, VOCABULARY)},
}


def rebuild(name: str, case: Case, keras: Keras, folder: Path) -> Model:
    """Build the model of a case with seeded weights and save it; returns the live model."""
    number = crc32(name.encode())
    seed(keras, number)
    model = case.build(keras)
    randomise(model, np.random.default_rng(number))
    for container in CONTAINERS:
        replace_when_changed(model, folder / f"model{container}")
    return model


def randomise(model: Model, random: np.random.Generator) -> None:
    """Weights that leave no bias at zero and no scale at one, and keep activations alive."""
    for weight in model.weights:
        shape = tuple(weight.shape)
        value = random.normal(0, 1 / np.sqrt(max(1, np.prod(shape[:-1]))), shape)
        if len(shape) == 1:
            positive = "variance" in weight.name or "gamma" in weight.name
            value = (
                random.uniform(0.4, 1.6, shape) if positive else random.uniform(-0.5, 0.5, shape)
            )
        weight.assign(value.astype(np.float32))


def replace_when_changed(model: Model, path: Path) -> None:
    """Save a model unless the file has the same content already."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / path.name
        save(model, fresh)
        if not path.exists() or content(path) != content(fresh):
            path.write_bytes(fresh.read_bytes())


def content(path: Path) -> dict[str, bytes]:
    """What a model file says, without the date and the numbers taken from memory addresses."""
    if not zipfile.is_zipfile(path):
        return {"": path.read_bytes()}
    with zipfile.ZipFile(path) as archive:
        members = {
            name: archive.read(name) for name in archive.namelist() if name != "metadata.json"
        }
    return members | {
        "config.json": re.sub(rb'"shared_object_id": \d+', b"", members["config.json"])
    }


def record(
    folder: Path, writer: str, live: Model | None, inputs: Mapping[str, Maker], note: dict[str, Any]
) -> None:
    """Run every model file of a folder in the Keras that wrote it, and write what it answers.

    `live` stands in for files that Keras writes but cannot read back. The containers must agree
    to the last bit.
    """
    keras = keras_of(writer)
    note["input_seed"] = crc32(folder.name.encode())
    random = np.random.default_rng(note["input_seed"])
    answers: list[tuple[dict[str, Array], dict[str, Array]]] = []
    feeds: dict[str, Array] = {}
    for container in CONTAINERS:
        model, origin = reload(keras, folder / f"model{container}", live)
        feeds = feeds or make_feeds(model, inputs, random)
        recorder = Recorder(model)
        answers.append((recorder.run(feeds), dict(recorder.values)))
        note["recorded_from"][f"model{container}"] = origin
    assert_same(folder.name, answers[0], answers[1])
    outputs, nodes = answers[0]
    for kind, arrays in {"inputs": feeds, "outputs": outputs, "nodes": nodes}.items():
        write_arrays(arrays, folder / f"{kind}.safetensors")
    note |= {"inputs": list(feeds), "outputs": list(outputs), "rtol": RTOL}
    note["sha256"] = {path.name: sha256(path) for path in sorted(folder.glob("model.*"))}
    (folder / "case.json").write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")


def reload(keras: Keras, path: Path, live: Model | None) -> tuple[Model, str]:
    """The model that Keras loads from the file, or `live` where it cannot load its own file."""
    keras.backend.clear_session()
    try:
        return load(keras, path), "the file, loaded back"
    except Exception as error:
        if live is None:
            raise
        return (
            live,
            f"the model that was saved: Keras cannot load the file back ({type(error).__name__})",
        )


def make_feeds(
    model: Model, inputs: Mapping[str, Maker], random: np.random.Generator
) -> dict[str, Array]:
    """Inputs by the model's names, in its order; the name of a lone input is up to the model."""
    names = [tensor.name for tensor in model.inputs]
    if len(names) == 1:
        return {names[0]: next(iter(inputs.values()))(random)}
    return {name: inputs[name](random) for name in names}


def assert_same(
    name: str, first: tuple[dict[str, Array], ...], second: tuple[dict[str, Array], ...]
) -> None:
    """Both containers hold the same model, so Keras must answer the same."""
    for one, other in zip(first, second, strict=True):
        if list(one) != list(other):
            raise SystemExit(
                f"{name}: the containers have different layers: {list(one)} and {list(other)}"
            )
        for key, value in one.items():
            np.testing.assert_array_equal(
                value, other[key], err_msg=f"{name}: the containers differ at {key}"
            )


def sha256(path: Path) -> str:
    """Checksum of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def made_by(keras: Keras) -> dict[str, Any]:
    """The versions behind a recording."""
    import tensorflow

    return {
        "keras": keras.__version__,
        "tensorflow": tensorflow.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "recorded_from": {},
    }


def record_case(name: str, writer: str) -> Path:
    """Record one case as one Keras writes it; returns its folder."""
    keras, folder = keras_of(writer), HERE / f"{name}-{writer}"
    folder.mkdir(exist_ok=True)
    if name in TRAINED:
        training = json.loads((folder / "training.json").read_text(encoding="utf-8"))
        note = {
            "what": TRAINED[name].what,
            "writer": writer,
            "training": training,
            **made_by(keras),
        }
        record(folder, writer, None, TRAINED_INPUTS[TRAINED[name].data], note)
    else:
        case = CASES[name]
        note = {"what": case.what, "writer": writer, "seed": crc32(name.encode()), **made_by(keras)}
        record(folder, writer, rebuild(name, case, keras, folder), case.inputs, note)
    return folder


def writers_of(name: str) -> tuple[str, ...]:
    """The Kerases that write a case."""
    return CASES[name].writers if name in CASES else tuple(WRITERS)


def main() -> None:
    """Record the cases named, or all, and say how large they are."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="cases of cases.py and trained.py, demo; default: all",
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(TRAINED) - set(CASES) - {"demo"}:
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    names = arguments.names or [*TRAINED, *CASES, "demo"]
    work = [(name, writer) for name in names if name != "demo" for writer in writers_of(name)]
    total = 0
    for done, (name, writer) in enumerate(work, start=1):
        folder = record_case(name, writer)
        size = sum(path.stat().st_size for path in folder.iterdir())
        total += size
        print(f"[{done}/{len(work)}] {folder.name}: {size / 1024:.0f} KiB", flush=True)
    print(f"{total / 2**20:.1f} MiB in {len(work)} folders")
    if "demo" in names:
        keras = keras_of("tfkeras")
        print(f"tools/demo: {record_demo(keras, made_by(keras)) / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
