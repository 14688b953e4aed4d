"""`python examples/study DATA`; `--help` says what else."""

from __future__ import annotations

import sys
from pathlib import Path

# Run as a folder, Python finds this package's own files at the top level, and not the package.
HERE = Path(__file__).resolve().parent
sys.path[:] = [str(HERE.parent), *(path for path in sys.path if Path(path).resolve() != HERE)]

from study.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
