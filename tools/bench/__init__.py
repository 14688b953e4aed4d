"""The benchmark suite: many engines run the same Keras models in turns, each in its own process."""
