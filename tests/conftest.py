"""What the tests ask of TensorFlow before anything imports it."""

from __future__ import annotations

import os

# With oneDNN, TensorFlow 2.21 on a processor with AVX-512 ends the process in
# AdaptiveMaxPooling2D(1) and pools 3-D windows that lie apart otherwise than its own kernels
# do. Its own kernels are the same on every machine.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
