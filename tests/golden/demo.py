"""The recording behind `layergraph demo`: the CNN that tf-keras trained and saved as .h5.

Its images are seeded and smooth, not CIFAR-10's: those are not ours to give away. They are kept
as bytes, a quarter of what a golden file of the float32 that the model is fed would take.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from golden.cases import smooth_images
from golden.writers import Keras, load
from layergraph.tools.comparison.sides import side
from layergraph.tools.golden import made_by
from study.datasets import ROOT

SOURCE = Path(__file__).resolve().parent / "cnn-tfkeras"
DEMO = ROOT / "tools" / "demo"
IMAGES, SEED = 256, 7
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def record_demo(keras: Keras) -> int:
    """Copy the model, record what Keras predicts for the images; returns the bytes written."""
    DEMO.mkdir(exist_ok=True)
    shutil.copyfile(SOURCE / "model.h5", DEMO / "cnn.h5")
    images = np.rint(255 * smooth_images(32, 32, batch=IMAGES)(np.random.default_rng(SEED))).astype(
        np.uint8
    )
    scaled = images.astype(np.float32) / np.float32(255)
    model = load(keras, DEMO / "cnn.h5")
    arrays = {"images": images, "probabilities": np.asarray(model.predict(scaled, verbose=0))}
    (DEMO / "recorded.safetensors").write_bytes(save(arrays))
    versions = made_by(side(model))
    about = {
        "what": "Keras' predictions of cnn.h5 for synthetic images, fed as float32 of images / 255",
        "training": json.loads((SOURCE / "training.json").read_text(encoding="utf-8")),
        "classes": CLASSES,
        "seed": SEED,
        "tf_keras": versions["tf-keras"],
        **{name: versions[name] for name in ("tensorflow", "python", "numpy")},
    }
    (DEMO / "about.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return sum(path.stat().st_size for path in DEMO.iterdir())
