"""Make the golden files again: `python tests/golden/record.py [NAME ...]`.

Every folder `tests/golden/<case>-<writer>/` gets what real Keras answers for the model files in it:

    model.h5, model.keras     the model, in both containers
    golden.safetensors        the recording, as `layergraph golden check` reads it: seeded inputs,
                              what every layer and the model returned, tolerance, versions,
                              checksums; `about` says what it guards and how it was made

The models of `cases.py` are built again (a file whose content has not changed is left alone);
trained models are recorded from the files that `train.py` left. The recording in `tools/demo`
goes by the name `demo`.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))

import numpy as np

from files import RECORDING
from golden.cases import CASES, Case, Maker, gaps, smooth_images
from golden.demo import record_demo
from golden.trained import STEPS, TRAINED, VOCABULARY
from golden.writers import CONTAINERS, WRITERS, Keras, Model, keras_of, load, save, seed
from layergraph.ir.types import Array
from layergraph.tools.golden import PARTS, Golden, checksums, record

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


def record_files(
    folder: Path,
    writer: str,
    live: Model | None,
    inputs: Mapping[str, Maker],
    about: dict[str, Any],
) -> None:
    """Run every model file of a folder in the Keras that wrote it, and write what it answers.

    `live` stands in for files that Keras writes but cannot read back. The containers must agree
    to the last bit.
    """
    keras = keras_of(writer)
    number = crc32(folder.name.encode())
    files = [folder / f"model{container}" for container in CONTAINERS]
    origins: dict[str, str] = {}
    answers: list[Golden] = []
    feeds: dict[str, Array] = {}
    for file in files:
        model, origins[file.name] = reload(keras, file, live)
        feeds = feeds or make_feeds(model, inputs, np.random.default_rng(number))
        answers.append(record(model, inputs=feeds, rtol=RTOL, atol=0.0))
    assert_same(folder.name, *answers)
    replace(
        answers[0],
        models={name: digest for file in files for name, digest in checksums(file).items()},
        about={**about, "input_seed": number, "recorded_from": origins},
    ).write(folder / RECORDING)


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


def assert_same(name: str, first: Golden, second: Golden) -> None:
    """Both containers hold the same model, so Keras must answer the same."""
    for part in PARTS:
        one, other = getattr(first, part), getattr(second, part)
        if list(one) != list(other):
            raise SystemExit(
                f"{name}: the containers have different layers: {list(one)} and {list(other)}"
            )
        for key, value in one.items():
            np.testing.assert_array_equal(
                value, other[key], err_msg=f"{name}: the containers differ at {key}"
            )


def record_case(name: str, writer: str) -> Path:
    """Record one case as one Keras writes it; returns its folder."""
    keras, folder = keras_of(writer), HERE / f"{name}-{writer}"
    folder.mkdir(exist_ok=True)
    if name in TRAINED:
        recipe = TRAINED[name]
        record_files(folder, writer, None, TRAINED_INPUTS[recipe.data], {"what": recipe.what})
    else:
        case = CASES[name]
        about = {"what": case.what, "seed": crc32(name.encode())}
        record_files(folder, writer, rebuild(name, case, keras, folder), case.inputs, about)
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
        print(f"tools/demo: {record_demo(keras_of('tfkeras')) / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
