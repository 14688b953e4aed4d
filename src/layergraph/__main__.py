"""``python -m layergraph`` is the command ``layergraph``."""

from layergraph.tools.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
