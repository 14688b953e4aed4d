"""Measures conversion to ONNX beside Keras' own export and tf2onnx: `make conversion-table`.

Every conversion runs in a process of its own, from the ``.keras`` file to the ``.onnx``
file, imports included, one after another. What it wrote is then held against what Keras
predicted: ``onnx.checker`` with its full check, and onnxruntime on batches of 1 and 3.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import layergraph
from layergraph.tools.bench.models import MODELS

CHOSEN = ("seed_cnn", "seed_lstm", "transformer", "MobileNetV2", "ResNet50", "EfficientNetB0",
          "ConvNeXtTiny", "VGG16")  # fmt: skip
CONVERTERS = ("layergraph", "model.export", "tf2onnx")
RTOL = 1e-4
MOST_BYTES = 12_000_000_000
MOST_SECONDS = 120.0
MOST_WAITED = 900.0
"""Seconds after which a process is taken to hang."""

START, END = "<!-- conversion table -->\n", "<!-- end of the conversion table -->\n"


@dataclass(frozen=True)
class Measured:
    """How a process went.

    Attributes:
        seconds: of processor time, which other work on the machine does not change.
        peak: bytes it had in memory at most.
        failure: what went wrong, empty when nothing did.
        printed: what it wrote to standard output.
    """

    seconds: float
    peak: int
    failure: str = ""
    printed: str = ""


def measured(command: Sequence[str], folder: Path) -> Measured:
    """Run a process to its end, or to the limits of time and memory."""
    source = str(Path(layergraph.__file__).parents[1])
    env = {**os.environ, "PYTHONPATH": source, "TF_CPP_MIN_LOG_LEVEL": "3",
           "CUDA_VISIBLE_DEVICES": ""}  # fmt: skip
    with (folder / "out").open("w+") as out, (folder / "err").open("w+") as err:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, env=env)
        failure = ""
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            spent, resident = _spent(process.pid)
            if spent > MOST_SECONDS or time.perf_counter() - start > MOST_WAITED:
                failure = f"more than {MOST_SECONDS:.0f} s"
            if resident > MOST_BYTES:
                failure = f"more than {MOST_BYTES / 1e9:.0f} GB of memory"
            if failure:
                os.kill(process.pid, signal.SIGKILL)
            time.sleep(0.02)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode and not failure:
            failure = _why(process.returncode, err.read(), usage.ru_maxrss * 1024)
        seconds = usage.ru_utime + usage.ru_stime
        return Measured(seconds, usage.ru_maxrss * 1024, failure, out.read().strip())


def _spent(pid: int) -> tuple[float, int]:
    """Processor seconds a process has used, and bytes it has in memory now."""
    try:
        # Behind the name in brackets: fields 3 and on, of which 14 and 15 are ticks.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0, 0
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE")


def _why(status: int, text: str, peak: int) -> str:
    """Why a program ended: the signal, or the last line that tells an error, or says anything."""
    if status < 0:
        return f"ended by {signal.Signals(-status).name} with {peak / 1e9:.1f} GB of memory"
    # Without the lines that TensorFlow's C++ logs.
    lines = [line.strip() for line in text.splitlines() if not re.match(r"[IWEF]\d{4} ", line)]
    errors = [line for line in lines if "Error" in line]
    last = (errors or [line for line in lines if line] or [f"exit status {status}"])[-1]
    return " ".join(last.split())[:160]


def cell(converter: str, python: str, name: str, folder: Path) -> str:
    """One cell of the table: how a conversion went, and what came of it."""
    target = folder / f"{name}.onnx"
    target.unlink(missing_ok=True)
    source = str(folder / f"{name}.keras")
    command = _worker(python, converter, source, str(target))
    if converter == "layergraph":
        command = [sys.executable, "-m", "layergraph", "convert", source, str(target)]
    done = measured(command, folder)
    if done.failure:
        return f"failed: {done.failure}"
    spent = f"{done.seconds:.1f} s, {done.peak / 1e6:,.0f} MB"
    checked = measured(_worker(sys.executable, "check", str(folder / f"{name}.npz"), str(target)),
                       folder)  # fmt: skip
    if checked.failure or checked.printed != "ok":
        return f"invalid: {checked.failure or checked.printed} ({spent})"
    return f"ok, {spent}"


def _worker(python: str, what: str, source: str, target: str) -> list[str]:
    return [python, "-m", "layergraph.tools.conversion_table", "--worker", what, source, target]


def work(what: str, source: str, target: str) -> None:
    """What a process of its own does: build a model, convert one, or check what came of it."""
    if what == "check":
        print(verdict(source, target))
        return
    if what == "versions":
        import keras
        import tf2onnx

        print(f"Keras {keras.__version__}, tf2onnx {tf2onnx.__version__}")
        return
    import keras

    if what == "build":
        recipe = MODELS[source]
        model = recipe.build(keras)
        model.save(target)
        batches = {str(n): recipe.inputs(n) for n in (1, 3)}
        answers = {f"answer{n}": model(x, training=False) for n, x in batches.items()}
        arrays: dict[str, Any] = {k: np.asarray(a) for k, a in {**batches, **answers}.items()}
        np.savez(Path(target).with_suffix(".npz"), **arrays)
        return
    model = keras.models.load_model(source, compile=False)
    if what == "model.export":
        # A model just loaded is refused until it has been called.
        (given,) = model.inputs
        model(np.zeros((1, *given.shape[1:]), given.dtype))
        model.export(target, format="onnx", verbose=False)
    else:
        import tf2onnx

        tf2onnx.convert.from_keras(model, output_path=target)


def verdict(recorded: str, target: str) -> str:
    """``ok``, or what is wrong with an ONNX file."""
    import onnx
    from layergraph.backends.onnx.session import Session
    from layergraph.tools.convert import difference

    try:
        onnx.checker.check_model(target, full_check=True)
        session = Session(target)
    except Exception as error:
        return " ".join(str(error).split())[:160]
    if len(session.inputs) != 1:
        return f"it has {len(session.inputs)} inputs, the model 1"
    arrays = np.load(recorded)
    for batch in ("1", "3"):
        try:
            (found,) = session.run({session.inputs[0]: arrays[batch]})
        except layergraph.LayerGraphError as error:
            return " ".join(str(error).split())[:160]
        apart = difference(arrays[f"answer{batch}"], found)
        if not apart <= RTOL:
            return f"differs by {apart:.1e} from Keras"
    return "ok"


def table(python: str, names: Sequence[str], folder: Path) -> str:
    """The table as Markdown."""
    versions = measured(_worker(python, "versions", "", ""), folder)
    lines = [
        f"Measured on {os.cpu_count()} cores of {platform.machine()}: layergraph "
        f"{layergraph.__version__}, {versions.printed or 'tf2onnx: ' + versions.failure}.",
        "",
        "| model | weights | " + " | ".join(f"`{c}`" for c in CONVERTERS) + " |",
        "|---|---|" + "---|" * len(CONVERTERS),
    ]
    for name in names:
        source = folder / f"{name}.keras"
        built = measured(_worker(python, "build", name, str(source)), folder)
        if built.failure:
            raise SystemExit(f"{name}: {built.failure}")
        cells = [cell(c, python, name, folder).replace("|", "/") for c in CONVERTERS]
        weights = sum(a.nbytes for a in layergraph.load(source).parameters.values())
        lines.append(f"| {name} | {weights / 1e6:,.1f} MB | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
        source.unlink()
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the table into a document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--python", default=sys.executable, help="has Keras and tf2onnx")
    parser.add_argument("--models", default=",".join(CHOSEN), metavar="NAME,...")
    parser.add_argument("--document", default="docs/conversion.md")
    parsed = parser.parse_args()
    if parsed.worker:
        work(*parsed.worker)
        return 0
    document = Path(parsed.document)
    before, _, rest = document.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    with tempfile.TemporaryDirectory() as folder:
        made = table(parsed.python, parsed.models.split(","), Path(folder))
    document.write_text(f"{before}{START}{made}{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
