# Everything a newcomer needs: `make demo` to see it work, `make test` before a change is offered.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-oldest check format install attack claims claims-check mutants bench-cheap clean

demo: install  ## train on 1,797 handwritten digits and show the verdict
	@rm -rf runs/demo
	@$(BIN)/surveyor train example:digits --condition digit --out runs/demo

test: check  ## format check, lint, strict types, then the tests
	$(BIN)/pytest -n 2

# The lowest versions that pyproject.toml allows, in an environment of their own.
test-oldest: .venv-oldest/installed  ## the tests with the lowest versions of all libraries
	.venv-oldest/bin/pytest -n 2

.venv-oldest/installed: pyproject.toml constraints-oldest.txt
	@test -d .venv-oldest || $(PYTHON) -m venv .venv-oldest
	@.venv-oldest/bin/pip install --quiet --disable-pip-version-check -c constraints-oldest.txt torch
	@.venv-oldest/bin/pip install --quiet --disable-pip-version-check -c constraints-oldest.txt -e . pytest pytest-randomly pytest-xdist
	@touch $@

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

attack: install  ## 300 mutations of every file of a run folder
	$(BIN)/python -m tests.attack 300

claims: install  ## run every claim and build the gallery
	$(BIN)/surveyor claims --all --out gallery

claims-check: install  ## run every claim in full, and hold its verdicts to those that README and docs state
	$(BIN)/pytest -m slow tests/test_verdicts.py

format: install  ## put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

install: .venv/installed

# PyTorch goes first and pinned, so that nothing later pulls another build of it.
.venv/installed: pyproject.toml constraints.txt
	@test -d .venv || $(PYTHON) -m venv .venv
	@echo "installing into .venv"
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# One benchmark each: make bench-modes, bench-closeness, bench-real, bench-cost, bench-resume,
# bench-bytes, bench-known, bench-memory, bench-hard, bench-quality,
# bench-groups, bench-smalltables, bench-materials, bench-labels, bench-outliers, bench-smoothness,
# bench-minority, bench-privacy, bench-images, bench-numbers, bench-given, bench-choice, bench-network, bench-graphs, bench-oddities, bench-bracket,
# bench-grids, bench-newnodes, bench-federated; bench-cheap runs those of minutes; bench-ruler, bench-speed, bench-bayes and bench-molecules need other libraries,
# and install them first
bench-ruler bench-speed bench-bayes bench-molecules: bench-%: install
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	$(BIN)/python -m benchmarks.$*

# Pictures: MNIST, stacked MNIST, and the tasks on icons.
bench-images: install
	$(BIN)/python -m benchmarks.images
	$(BIN)/python -m benchmarks.stacked
	$(BIN)/python -m benchmarks.pairs

# CTGAN and sdmetrics run in an environment of their own.
bench-tables bench-privacy bench-numbers: bench-%: install .venv-peers
	$(BIN)/python -m benchmarks.$*

bench-power: install .venv-drift
	$(BIN)/python -m benchmarks.power

.venv-drift:
	python3 -m venv .venv-drift
	@.venv-drift/bin/pip install --quiet --disable-pip-version-check evidently frouros 'pandas<3'

.venv-peers:
	python3 -m venv .venv-peers
	@.venv-peers/bin/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	@.venv-peers/bin/pip install --quiet --disable-pip-version-check ctgan sdmetrics arfpy

# Those that take minutes, in order: after a change, before the figures are published.
CHEAP := closeness cost quality bytes resume known
bench-cheap: install
	for name in $(CHEAP); do $(BIN)/python -m benchmarks.$$name || exit 1; done
	$(BIN)/python -m benchmarks.summary

bench-%: install
	$(BIN)/python -m benchmarks.$*

mutants: install  ## single faults put into the code: whether the tests notice (about an hour)
	$(BIN)/python -m benchmarks.mutants

clean:
	rm -rf .venv .venv-oldest runs build dist src/*.egg-info
