"""`python examples/study DATA`; `--help` says what else."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# Run as a folder, Python finds this package's own files at the top level, and not the package.
HERE = Path(__file__).resolve().parent
sys.path[:] = [str(HERE.parent), *(path for path in sys.path if Path(path).resolve() != HERE)]

# Keras 3 on TensorFlow's CPU, with results that do not depend on the order in which threads add.
os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_DETERMINISTIC_OPS": "1"}
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from study.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
