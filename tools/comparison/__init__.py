"""Two runs of a model side by side, node by node."""
