"""The study that layergraph starts from: many small models, trained, saved, and run again.

`python examples/study DATA` trains them in Keras on CIFAR-10 and NusaX, and holds what layergraph
computes from the saved files against Keras on every test row. `make study DATA=folder` writes
docs/study.md.
"""
