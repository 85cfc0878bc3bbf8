# `make run` and `make test` need nothing before them on a fresh Debian machine with Python ≥ 3.11.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help

.PHONY: help run test lint parity explore combinations campaign benchmarks gpu gpu-wheels docs wheels weights clean

help: ## Say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(BIN)/.installed: requirements.txt constraints.txt pyproject.toml $(wildcard plugins/*/pyproject.toml adapters/*/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "vatl needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(MAKE) --no-print-directory venv-package
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(BIN)/.with-tests: $(BIN)/.installed requirements-test.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-test.txt
	@touch $@

# Installing a Debian package needs root's rights.
APT = $(if $(filter 0,$(shell id -u)),,sudo )apt-get

.PHONY: browser
browser: # The tests of the labelling page drive Debian's Chromium
	@command -v chromium >/dev/null || { echo "installing chromium, which the tests of the labelling page drive"; \
		$(APT) update -q && $(APT) install -qy chromium; }

.PHONY: ffmpeg
ffmpeg: # torchcodec, by which some tests decode videos, brings no libraries of FFmpeg
	@command -v ffmpeg >/dev/null || { echo "installing ffmpeg, whose libraries torchcodec decodes videos by"; \
		$(APT) update -q && $(APT) install -qy --no-install-recommends ffmpeg; }

.PHONY: venv-package
venv-package: # Debian keeps Python's venv module in a package of its own
	@echo "installing python3-venv, which Debian's Python comes without"
	@$(APT) update -q && $(APT) install -qy python3-venv

run: $(BIN)/.installed ## Set up and run the main job on the embedded video; the report's place is its last line
	$(BIN)/vatl run

test: $(BIN)/.with-tests lint browser ffmpeg ## Set up and pass the tests
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

lint: $(BIN)/.with-tests ## Style, types, which way imports go, and how large the core is
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.structure.measure

parity: $(BIN)/.with-tests ## Compare with the published numbers, ending in a table; FIXTURES=DIR for another folder of them
	VATL_PARITY_FIXTURES='$(FIXTURES)' $(BIN)/pytest -q -rN --tb=short tests/parity

explore: $(BIN)/.with-tests ## Try the property tests on examples that nobody has seen; T=FILE for some of them
	$(BIN)/pytest -n auto --hypothesis-profile="new examples" $(or $(T),tests/unit)

combinations: $(BIN)/.with-tests ## Run every combination of criterion, selector, policy and stopping, and whole sweeps: some minutes
	$(BIN)/pytest -m combinations tests/unit/test_combinations.py tests/unit/test_sweep_of_data_sets.py

campaign: $(BIN)/.with-tests ## Kill 200 runs at random, crowd, flood and fill the disk: nothing may be lost; some minutes
	$(BIN)/python -m tests.campaign -n 200 --seed 0

benchmarks: $(BIN)/.with-tests ## Speed, as ratios within one run
	$(BIN)/pytest -s tests/benchmarks

# Where nothing is set up, such as on a machine that is lent for minutes, any Python with torch and the wheels will do.
GPU_PYTHON = $(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON))
GPU_PATH = $$(printf '%s:' build/gpu-site . plugins/* adapters/*)
GPU_WHEELS = attrs cattrs typing-extensions pluggy click filelock safetensors tomli-w packaging pycocotools av h11 \
	pytest iniconfig pygments hypothesis sortedcontainers torchcodec

gpu: ## On a GPU: its tests, then all that is measured, in 8 minutes, ending in a table; DEVICE=cpu tries it without one
	@test -x $(BIN)/python || $(PYTHON) -m tests.gpu.unpacked build/gpu-site build/gpu-wheels
	PYTHONPATH=$(if $(wildcard $(BIN)/python),,$(GPU_PATH)) $(GPU_PYTHON) -m tests.gpu --device $(or $(DEVICE),auto)
	@cat build/gpu/gpu.md

gpu-wheels: $(BIN)/.installed ## Fetch what `make gpu` needs besides torch, torchvision, numpy and OpenCV, for Python 3.12
	$(BIN)/pip download -q --no-deps --only-binary=:all: --python-version $(or $(VERSION),3.12) --implementation cp \
		$(foreach n,28 27 17,--platform manylinux_2_$(n)_x86_64) --platform manylinux2014_x86_64 --platform any \
		-c constraints.txt -d build/gpu-wheels $(GPU_WHEELS)

docs: $(BIN)/.with-tests ## Build the documentation's site into build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

wheels: $(BIN)/.with-tests ## Build every distribution into build/wheels: `uv tool install vatl --find-links build/wheels`
	$(BIN)/python -m tests.packaging build/wheels

weights: $(BIN)/.installed ## Make the weights of `tiny` that ship with the synthetic data set
	$(BIN)/vatl train --dataset synthetic --estimator tiny --val-split none --epochs 60 --optimiser adamw --lr 2e-3 \
		--weight-decay 1e-4 --one-cycle --batch 120 --out build/weights/tiny.safetensors
	cp build/weights/tiny.safetensors adapters/vatl-synthetic/vatl_synthetic/weights/tiny.safetensors
	rm -r build/weights

clean: ## Remove what was set up
	rm -rf .venv build dist .mypy_cache .ruff_cache .import_linter_cache .pytest_cache .hypothesis
