# Every target does its own set-up; `make` alone lists them.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.10; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo $$p && break; done)
RUN := .venv
DEV := .venv-dev
JAX := .venv-jax
TF2ONNX := .venv-tf2onnx
PY := $(DEV)/bin/python
# Each test process imports TensorFlow, which takes a gigabyte.
WORKERS ?= 2
export TF_CPP_MIN_LOG_LEVEL ?= 3
export CUDA_VISIBLE_DEVICES ?=

.PHONY: help demo test test-slow test-onnx test-writers writers-table random lint format golden agreement support fault-finding study compare-cost bench conversion-table clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

$(RUN)/.done $(DEV)/.done: setup.cfg pyproject.toml
	@test -n "$(PYTHON)" || { echo "layergraph needs Python 3.10 or later; none was found" >&2; exit 1; }
	@echo "setting up $(@D) with $$($(PYTHON) --version)$(if $(findstring dev,$@), (TensorFlow included: some minutes),)"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -e ".$(if $(findstring dev,$@),[dev],)"
	@touch $@

demo: $(RUN)/.done  ## convert and run a trained model, compare with what Keras predicted
	$(RUN)/bin/layergraph demo

test: $(DEV)/.done  ## run the tests, live Keras included, in WORKERS processes
	$(PY) -m pytest -n $(WORKERS) --dist worksteal

test-slow: $(DEV)/.done  ## run the long sweeps
	$(PY) -m pytest -m slow

test-onnx: $(DEV)/.done  ## the rows of the parity tables through ONNX too
	LAYERGRAPH_ONNX=1 $(PY) -m pytest tests/onnx tests/parity tests/frontends tests/real/test_architectures.py

test-writers: $(DEV)/.done  ## the rows of the parity tables written for the other Keras
	LAYERGRAPH_WRITERS=1 $(PY) -m pytest tests/keras_writers tests/parity tests/frontends tests/real/test_architectures.py

writers-table: $(DEV)/.done  ## what becomes of each of those rows, counted
	$(PY) tests/keras_writers/table.py

random: $(DEV)/.done  ## compare random architectures with Keras: make random EXAMPLES=5000
	EXAMPLES=$(or $(EXAMPLES),1000) $(PY) -m pytest -s tests/architectures

lint: $(DEV)/.done  ## ruff and mypy
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/mypy

format: $(DEV)/.done  ## format the code
	$(DEV)/bin/ruff check --fix .
	$(DEV)/bin/ruff format .

golden: $(DEV)/.done  ## record the golden files again from real Keras
	$(PY) tests/golden/record.py

agreement: $(DEV)/.done  ## compare with Keras on all test data: make agreement DATA=folder
	$(PY) tests/real/agreement.py $(DATA)

support: $(DEV)/.done  ## write docs/support.md, the table of supported layers
	$(PY) -m layergraph ops --markdown > docs/support.md.new
	mv docs/support.md.new docs/support.md

fault-finding: $(DEV)/.done  ## write docs/fault-finding.md: three faults, and how they are found
	$(PY) -m layergraph.tools.fault_finding

study: $(DEV)/.done  ## train the study's models and write docs/study.md: make study DATA=folder
	$(PY) examples/study $(DATA) --page docs/study.md

compare-cost: $(DEV)/.done  ## time a comparison of ResNet50 beside the runs it is made of
	$(PY) -m layergraph.tools.comparison.cost

# JAX stays out of $(DEV): TensorFlow imports it where it finds it, and starts the slower.
$(JAX)/.done: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(JAX)
	$(JAX)/bin/python -m pip install --quiet --disable-pip-version-check -e ".[bench]"
	@touch $@

bench: $(DEV)/.done $(JAX)/.done  ## time layergraph beside Keras and others; writes docs/benchmarks.md (15 minutes)
	LAYERGRAPH_JAX_PYTHON=$(JAX)/bin/python $(PY) -m layergraph bench --json docs/benchmarks.json \
		--plot docs/images/benchmarks.png --markdown docs/benchmarks.md $(OPTIONS)

# tf2onnx asks for an old protobuf, which the package onnx of $(DEV) is too new for.
$(TF2ONNX)/.done: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(TF2ONNX)
	$(TF2ONNX)/bin/python -m pip install --quiet --disable-pip-version-check tensorflow keras tf-keras tf2onnx
	@touch $@

conversion-table: $(DEV)/.done $(TF2ONNX)/.done  ## measure conversion to ONNX beside Keras' and tf2onnx; writes docs/conversion.md
	$(PY) -m layergraph.tools.conversion_table --python $(TF2ONNX)/bin/python

clean:  ## remove what the other targets made
	rm -rf $(RUN) $(DEV) $(JAX) $(TF2ONNX) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
