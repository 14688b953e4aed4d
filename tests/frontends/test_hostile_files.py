"""Files built to do harm are refused before memory is taken, and nothing in them is followed."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import layergraph as lg
from files import GOLDEN, SMALL, copy_h5, copy_keras, reconfigured, rezipped, unzipped

MEMORY = 100 << 20
"""Most memory a refusal may take."""


def refuses(path: Path, *words: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(lg.FileFormatError) as caught:
            lg.load(path)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()
    message = str(caught.value)
    assert message.startswith(str(path)), message
    for word in words:
        assert word in message, f"{word!r} is not in: {message}"


KERNEL = "model_weights/embedding/embedding/embeddings:0"


def kernel_of(file: Any) -> str:
    """Path of some weight."""
    found: list[str] = []
    file["model_weights"].visititems(
        lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None
    )
    return f"model_weights/{found[0]}"


def replaced(path: Path, make: Any) -> Path:
    """A copy of a model, one of whose arrays ``make(file, name, shape)`` replaces."""
    with h5py.File(path, "r+") as file:
        name = kernel_of(file)
        shape = file[name].shape
        del file[name]
        make(file, name, shape)
    return path


def secret(folder: Path) -> Path:
    """A file that the model must not reach."""
    with h5py.File(folder / "secret.h5", "w") as file:
        file["data"] = np.ones((9, 3), "f4")
    return folder / "secret.h5"


def test_external_link(tmp_path: Path) -> None:
    target = secret(tmp_path)
    path = replaced(
        copy_h5(tmp_path),
        lambda f, name, shape: f.__setitem__(name, h5py.ExternalLink(str(target), "/data")),
    )
    refuses(path, "link into another file", "source you trust")


def test_soft_link(tmp_path: Path) -> None:
    path = replaced(
        copy_h5(tmp_path),
        lambda f, name, shape: f.__setitem__(name, h5py.SoftLink("/model_weights")),
    )
    refuses(path, "soft link")


def test_hard_link_cycle(tmp_path: Path) -> None:
    def cycle(file: Any, name: str, shape: Any) -> None:
        file[name] = file["model_weights"]

    refuses(replaced(copy_h5(tmp_path), cycle), "second name")


def test_virtual_dataset(tmp_path: Path) -> None:
    target = secret(tmp_path)

    def virtual(file: Any, name: str, shape: Any) -> None:
        layout = h5py.VirtualLayout((9, 3), "f4")
        layout[...] = h5py.VirtualSource(str(target), "data", (9, 3))
        file.create_virtual_dataset(name, layout)

    refuses(replaced(copy_h5(tmp_path), virtual), "virtual dataset")


def test_external_storage(tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(108))

    def external(file: Any, name: str, shape: Any) -> None:
        file.create_dataset(name, (9, 3), "f4", external=[(str(tmp_path / "secret.bin"), 0, 108)])

    refuses(replaced(copy_h5(tmp_path), external), "another file")


def test_declares_more_than_it_stores(tmp_path: Path) -> None:
    path = replaced(
        copy_h5(tmp_path),
        lambda f, name, shape: f.create_dataset(name, (1 << 40,), "f4", chunks=(1 << 20,)),
    )
    refuses(path, "declares", "stores 0")


def test_gzip_bomb(tmp_path: Path) -> None:
    def bomb(file: Any, name: str, shape: Any) -> None:
        data = file.create_dataset(
            name, (1 << 33,), "u1", chunks=(1 << 22,), compression="gzip", compression_opts=9
        )
        data[: 1 << 22] = 0

    refuses(replaced(copy_h5(tmp_path), bomb), "declares")


def test_filter_that_loads_a_plugin(tmp_path: Path) -> None:
    def filtered(file: Any, name: str, shape: Any) -> None:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((9, 3))
        # Optional, so that the library lets a file be written without the plugin.
        plist.set_filter(32015, h5py.h5z.FLAG_OPTIONAL)
        space = h5py.h5s.create_simple((9, 3))
        h5py.h5d.create(file.id, name.encode(), h5py.h5t.IEEE_F32LE, space, plist)

    refuses(replaced(copy_h5(tmp_path), filtered), "32015", "plugin", "h5repack")


def test_object_array(tmp_path: Path) -> None:
    def texts(file: Any, name: str, shape: Any) -> None:
        file.create_dataset(name, data=["a", "b"], dtype=h5py.string_dtype())

    refuses(replaced(copy_h5(tmp_path), texts), "plain numbers")


@pytest.mark.parametrize("name", ["../escape.json", "/etc/passwd", "a/../../b", "C:/x", "..\\x"])
def test_member_that_climbs_out(tmp_path: Path, name: str) -> None:
    path = copy_keras(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"x")
    refuses(path, "leaves the archive")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.keras"]


def test_symbolic_link_in_archive(tmp_path: Path) -> None:
    path = copy_keras(tmp_path)
    link = zipfile.ZipInfo("assets")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc")
    refuses(path, "symbolic link")


def test_zip_bomb(tmp_path: Path) -> None:
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("config.json", "w", force_zip64=True) as member:
            for _ in range(200):
                member.write(bytes(1 << 20))
        archive.writestr("metadata.json", "{}")
    refuses(path, "unpacks from")


def test_size_that_lies(tmp_path: Path) -> None:
    path = rezipped(tmp_path)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 20 : at + 28] = struct.pack("<II", 1 << 30, 1 << 30)
    path.write_bytes(data)
    refuses(path, "overlap or are larger")


def test_two_members_of_one_name(tmp_path: Path) -> None:
    path = copy_keras(tmp_path)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("config.json", b"{}")
    refuses(path, "one name")


def test_changed_bytes_fail_the_checksum(tmp_path: Path) -> None:
    path = copy_keras(tmp_path)
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("config.json")
    data = bytearray(path.read_bytes())
    data[entry.header_offset + 80] ^= 1
    path.write_bytes(data)
    refuses(path, "checksum")


def test_pickled_weights(tmp_path: Path) -> None:
    folder = unzipped(tmp_path)
    (folder / "model.weights.h5").rename(folder / "model.weights.npz")
    refuses(folder, "unpickles")


def test_link_out_of_a_folder(tmp_path: Path) -> None:
    folder = unzipped(tmp_path)
    weights = (folder / "model.weights.h5").rename(tmp_path / "outside.h5")
    (folder / "model.weights.h5").symlink_to(weights)
    refuses(folder, "link out of the folder")


def test_config_that_nests_too_deeply(tmp_path: Path) -> None:
    deep = b'{"class_name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    refuses(rezipped(tmp_path, config_json=deep), "nests too deeply")


def test_model_inside_itself(tmp_path: Path) -> None:
    """Nesting within the limit, but far deeper than models nest."""
    entry: dict[str, Any] = {"class_name": "Dense", "config": {"name": "d", "units": 1}}
    for i in range(60):
        entry = {
            "class_name": "Sequential",
            "config": {"name": f"s{i}", "layers": [entry], "build_input_shape": [None, 1]},
        }
    with pytest.raises(lg.LayerGraphError):
        lg.load(rezipped(tmp_path, config_json=json.dumps(entry).encode()))


def test_huge_output_is_not_allocated_at_load(tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        layers = config["config"]["layers"]
        layer = next(item for item in layers if item["class_name"] == "LSTM")
        layer["config"]["units"] = 10**9

    refuses(reconfigured(copy_h5(tmp_path), change), "read")


# --- whatever a file holds, only our errors come out --------------------------------

BASE_H5 = (GOLDEN / f"{SMALL}-tfkeras" / "model.h5").read_bytes()
BASE_KERAS = (GOLDEN / f"{SMALL}-keras3" / "model.keras").read_bytes()
QUICK = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def loads_or_refuses(path: Path) -> None:
    with contextlib.suppress(lg.LayerGraphError):
        lg.load(path)


@QUICK
@given(
    base=st.sampled_from([BASE_H5, BASE_KERAS]),
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_flipped_bytes(tmp_path: Path, base: bytes, edits: list[tuple[float, int]]) -> None:
    data = bytearray(base)
    for place, value in edits:
        data[int(place * (len(data) - 1))] = value
    (tmp_path / "model").write_bytes(data)
    loads_or_refuses(tmp_path / "model")


def config_of(data: bytes) -> Any:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return json.loads(archive.read("config.json"))


def paths(data: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in nested JSON."""
    items: Any = enumerate(data) if isinstance(data, list) else ()
    items = data.items() if isinstance(data, dict) else items
    found = [at] if at else []
    for key, value in items:
        found += paths(value, (*at, key))
    return found


PLACES = paths(config_of(BASE_KERAS))
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**12), st.floats(), st.text(max_size=5),
    st.just([]), st.just({}), st.just([None]), st.just({"class_name": "Dense"}),
)  # fmt: skip


@QUICK
@given(place=st.sampled_from(PLACES), junk=JUNK)
def test_junk_in_the_config(tmp_path: Path, place: tuple[Any, ...], junk: Any) -> None:
    config = config_of(BASE_KERAS)
    target = config
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = junk
    loads_or_refuses(rezipped(tmp_path, config_json=json.dumps(config).encode()))
