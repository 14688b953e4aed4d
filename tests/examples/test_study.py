"""The study, end to end on a few made-up rows, and what its text makes of results."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from files import GOLDEN
from study import cli, training
from study.configurations import Cnn, Configuration, Recurrent, grid, one_factor_at_a_time
from study.discussion import about_factor, lstm_against_rnn
from study.page import write
from study.results import Agreement, Result, Settings, complaints, finished
from study.rows import splits

for module in ("tensorflow", "keras", "sklearn", "pyarrow", "PIL", "matplotlib"):
    pytest.importorskip(module, exc_type=ImportError)

NAMES = ("cnn-2x4-k3-max", "simplernn-1x16-one", "lstm-1x16-one")
Run = Callable[..., int]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of a few rows, laid out as the real one."""
    folder = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)
    (folder / "cifar10").mkdir()
    for split, rows in (("train", 40), ("test", 25)):
        write_images(folder / "cifar10" / f"{split}.parquet", rows, random)
    (folder / "nusax").mkdir()
    for split, rows in (("train", 24), ("valid", 6), ("test", 15)):
        write_sentences(folder / "nusax" / f"{split}.csv", rows, random)
    return folder


def write_images(path: Path, rows: int, random: np.random.Generator) -> None:
    import pyarrow
    import pyarrow.parquet
    from PIL import Image

    encoded = []
    for pixels in random.integers(0, 256, (rows, 32, 32, 3), np.uint8):
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG")
        encoded.append(buffer.getvalue())
    labels = pyarrow.array(np.arange(rows) % 10, pyarrow.int8())
    pyarrow.parquet.write_table(pyarrow.table({"image": encoded, "label": labels}), path)


def write_sentences(path: Path, rows: int, random: np.random.Generator) -> None:
    words = "makan enak mahal ramah lambat bersih kotor sekali tidak rasa".split()
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "text", "label"])
        for row in range(rows):
            text = " ".join(random.choice(words, random.integers(1, 12)))
            table.writerow([row, text, ("negative", "neutral", "positive")[row % 3]])


@pytest.fixture(scope="module")
def finished_work(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the study leaves when it has run once."""
    folder = tmp_path_factory.mktemp("work")
    assert cli.main(arguments(data, folder)) == 0
    return folder


@pytest.fixture
def work(finished_work: Path, tmp_path: Path) -> Path:
    """A copy of that, for one test to change."""
    return shutil.copytree(finished_work, tmp_path / "work")


def arguments(data: Path, folder: Path, *names: str) -> list[str]:
    chosen = ["--only", *(names or NAMES)]
    return [str(data), "--work", str(folder), "--rows", "20", "--epochs", "2", *chosen]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what is trained."""
    names = []

    def make(configuration: Configuration, *rest: Any) -> Result:
        names.append(configuration.name)
        return training.make(configuration, *rest)

    monkeypatch.setattr(cli, "make", make)
    return names


def test_leaves_models_results_and_a_page(work: Path) -> None:
    for name in NAMES:
        files = {path.name for path in (work / name).iterdir()}
        assert files == {"model.h5", "model.keras", "result.json"}
    result = Result.read(work / NAMES[0])
    accuracies = result.history["val_accuracy"]
    assert accuracies[result.kept - 1] == max(accuracies)
    assert {name: len(values) for name, values in result.history.items()} == {
        "loss": 2, "accuracy": 2, "val_loss": 2, "val_accuracy": 2
    }  # fmt: skip
    assert result.settings == {"rows": 20, "epochs": 2, "batch": 64, "seed": 20}
    assert all(found.rows == found.equal == 25 for found in result.agreement.values())
    text = (work / "study.md").read_text(encoding="utf-8")
    assert "3 models, two files each: of 110 predictions 110 are the same" in text
    assert "## CNN" in text
    assert "| 25 and 25 of 25 |" in text
    assert "## LSTM against SimpleRNN" in text
    pictures = work / "images" / "study"
    assert {p.name for p in pictures.iterdir()} == {"differences.png"}


def test_the_best_epoch_is_what_is_saved(data: Path, work: Path) -> None:
    folder = work / "simplernn-1x16-one"
    model = training.keras_module().models.load_model(folder / "model.keras")
    _, accuracy = model.evaluate(*splits("nusax", data, 20).validation, verbose=0)
    assert accuracy == pytest.approx(max(Result.read(folder).history["val_accuracy"]), rel=1e-5)


def test_what_is_finished_is_not_trained_again(
    data: Path, work: Path, made: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments(data, work)) == 0
    assert made == []
    assert capsys.readouterr().out.count("already there") == len(NAMES)


def test_what_was_interrupted_is_trained_again(data: Path, work: Path, made: list[str]) -> None:
    name = "simplernn-1x16-one"
    before = Result.read(work / name)
    (work / name / "result.json").unlink()
    (work / f".{name}.part").mkdir()
    (work / f".{name}.part" / "model.h5").write_text("half a file")
    assert cli.main(arguments(data, work)) == 0
    assert made == [name]
    assert not (work / f".{name}.part").exists()
    again = Result.read(work / name).history
    assert again["loss"] == pytest.approx(before.history["loss"], rel=1e-5)


def test_other_settings_need_other_models(work: Path) -> None:
    settings = Settings({"nusax": 20}, {"nusax": 2}, {"nusax": 16}, 20)
    lstm = Recurrent("LSTM", 1, 16)
    assert finished(lstm, settings, work)
    assert not finished(lstm, replace(settings, seed=21), work)
    assert not finished(lstm, replace(settings, epochs={"nusax": 3}), work)
    assert not finished(Recurrent("LSTM", 1, 32), settings, work)


@pytest.mark.parametrize("damage", ["", "{}", '{"agreement": 3}'])
def test_a_damaged_result_counts_as_none(work: Path, damage: str) -> None:
    settings = Settings({"nusax": 20}, {"nusax": 2}, {"nusax": 16}, 20)
    (work / "lstm-1x16-one" / "result.json").write_text(damage, encoding="utf-8")
    assert finished(Recurrent("LSTM", 1, 16), settings, work) is None


def test_a_difference_is_named_and_fails(
    data: Path, work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "lstm-1x16-one"
    right = training.evaluate

    def wrong(model: Any, *args: Any, **options: Any) -> Any:
        found = right(model, *args, **options)
        if str(model).endswith(".keras"):
            return replace(found, outputs=found.outputs + np.float32(2e-5))
        return found

    monkeypatch.setattr(training, "evaluate", wrong)
    (work / name / "result.json").unlink()
    assert cli.main(arguments(data, work)) == 1
    said = capsys.readouterr().err
    assert said == f"{name}.keras: a probability differs by 2e-05, more than 1e-05\n"
    assert "Not as it should be" in (work / "study.md").read_text(encoding="utf-8")


def test_missing_data_is_one_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main([str(tmp_path / "nowhere")])
    assert stopped.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].endswith("nowhere holds no cifar10/train.parquet")
    assert not (tmp_path / "build").exists()


def test_the_folder_runs_as_a_command() -> None:
    done = subprocess.run(
        [sys.executable, str(GOLDEN.parents[1] / "examples" / "study"), "--help"],
        capture_output=True, text=True, env={"PYTHONPATH": str(GOLDEN.parents[1] / "src")},
    )  # fmt: skip
    assert "--grid" in done.stdout, done.stderr


# --- which models ----------------------------------------------------------------------


def test_every_level_is_there() -> None:
    default, every = one_factor_at_a_time(), grid()
    assert set(default) < set(every)
    assert len({c.name for c in every}) == len(every) == 3 * 4 * 3 * 2 + 2 * 3 * 4 * 2
    images = [c for c in default if isinstance(c, Cnn)]
    assert {c.layers for c in images} == {2, 3, 4}
    assert {c.filters for c in images} == {2, 3, 4, 32}
    assert {c.kernel for c in images} == {3, 5, 7}
    assert {c.pooling for c in images} == {"max", "average"}
    for cell in ("SimpleRNN", "LSTM"):
        texts = [c for c in default if isinstance(c, Recurrent) and c.cell == cell]
        assert {c.layers for c in texts} == {1, 2, 3}
        assert {c.units for c in texts} == {16, 32, 64, 128}
        assert {c.direction for c in texts} == {"one", "both"}


# --- what the text says ----------------------------------------------------------------

GOOD = Agreement(400, 400, 0.5, 0.5, 0.6, 1e-6, 2e-6, 1e-6)


def result(f1: float = 0.5, **changed: Any) -> Result:
    """A result with a macro F1, and parts of its agreement changed."""
    found = replace(GOOD, f1_keras=f1, f1_layergraph=f1)
    history = {
        "loss": [2.0, 1.0], "accuracy": [0.3, 0.9],
        "val_loss": [1.5, 1.7], "val_accuracy": [0.3, 0.5],
    }  # fmt: skip
    agreement = {".h5": found, ".keras": replace(found, **changed)}
    settings = {"rows": 500, "epochs": 2, "batch": 16, "seed": 20}
    return Result({}, settings, 10, 2.0, history, agreement, {"machine": "one", "keras": "3"})


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({}, ""),
        ({"equal": 399}, "1 of 400 predictions differ"),
        ({"f1_layergraph": 0.4}, "macro F1 is 0.4, in Keras 0.5"),
        ({"difference": 1.1e-5}, "a probability differs by 1.1e-05, more than 1e-05"),
        ({"difference": float("nan")}, "a probability differs by nan, more than 1e-05"),
    ],
)
def test_complaints(changed: dict[str, Any], complaint: str) -> None:
    lstm = Recurrent("LSTM")
    said = complaints({lstm: result(**changed)})
    assert said == ([f"lstm-1x64-one.keras: {complaint}"] if complaint else [])


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ((0.4, 0.5, 0.6), "rises with every step (1 layer 0.400, 2 layers 0.500, 3 layers 0.600)"),
        ((0.6, 0.5, 0.4), "falls with every step"),
        ((0.4, 0.6, 0.5), "is highest with 2 layers"),
        ((0.4, 0.5, 0.6), "The best is 0.200 above the worst, more than the 0.069"),
        ((0.5, 0.52, 0.51), "this study shows no effect"),
        ((0.4, 0.5, 0.6), "is above that on validation rows by 40 points"),
    ],
)
def test_the_text_follows_the_results(scores: tuple[float, ...], said: str) -> None:
    results: dict[Configuration, Result] = {
        Recurrent("LSTM", layers): result(score)
        for layers, score in zip((1, 2, 3), scores, strict=True)
    }
    assert said in about_factor(results, "LSTM", "layers")


def test_the_chapter_on_the_lstm() -> None:
    results: dict[Configuration, Result] = {}
    for layers, rnn, lstm in ((1, 0.5, 0.7), (2, 0.5, 0.45), (3, 0.5, 0.51)):
        results[Recurrent("SimpleRNN", layers)] = result(rnn)
        results[Recurrent("LSTM", layers)] = result(lstm)
    said = " ".join(lstm_against_rnn(results))
    assert "In 3 configurations both were trained alike" in said
    assert "higher macro F1 in 2 of them, on average by +0.053 (from -0.050 to +0.200)" in said
    assert "1 is so clear in favour of the LSTM, 0 in favour of the SimpleRNN" in said
    assert "for the LSTMs after epoch 2 of 2, and in the last one their training accuracy" in said
    assert "In 3 of 3 LSTMs validation loss was lowest before the epoch that was kept" in said
    assert "most by 20 points in lstm-1x64-one and 20 points in lstm-2x64-one" in said
    assert lstm_against_rnn({Recurrent("LSTM"): result()}) == []


def test_a_page_of_all_models(tmp_path: Path) -> None:
    write({c: result() for c in one_factor_at_a_time()}, tmp_path / "study.md")
    text = (tmp_path / "study.md").read_text(encoding="utf-8")
    assert "| 1 | 64 | one | 10 | 2 of 2 | 0.900, 0.500 | 0.500000 | 0.500000 | 0.500000 |" in text
    assert "layergraph is the nearer one in 46 of 46 files" in " ".join(text.split())
    linked = set(re.findall(r"\]\((\S+)\)", text))
    names = ("cnn", "simplernn", "lstm", "macro-f1", "differences")
    assert linked == {f"images/study/{name}.png" for name in names}
    assert all((tmp_path / link).stat().st_size < 60_000 for link in linked)
