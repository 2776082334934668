# make report   environment + the default experiment; prints where the report is
# make test     environment + checks and tests
# make docs     environment + the documentation as a site, in build/site
# make bench    environment + all figures of speed, a quarter of an hour; QUICK=1: whether it works; CIFAR=FOLDER
# make fuzz     environment + 10,000 inputs that are made up, a quarter of an hour; SEED: the same again
# make vulnerabilities   are faults of the locked libraries known? Asks the network
# make lock     renews envs/requirements.lock (needs uv)

PYTHON ?= python3
VENV ?= .venv
CORES ?= all
CONFIG ?=
QUICK ?=
CIFAR ?=
# Of the inputs that `make fuzz` makes up.
SEED ?= $(shell date +%s)
BIN := $(abspath $(VENV))/bin
# The jobs' own `lotus`, and the tools that the tests call.
export PATH := $(BIN):$(PATH)
# Where this is set, each of thousands of processes would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: report test check docs bench env lock fuzz vulnerabilities

report: env
	@$(if $(CONFIG),lotus check-config $(CONFIG) > /dev/null,true)
	@start=$$(date +%s); \
	snakemake --cores $(CORES) $(if $(CONFIG),--configfile $(CONFIG)) && \
	took=$$(( $$(date +%s) - start )) && \
	echo && \
	echo "Done in $$(( took / 60 )) min $$(( took % 60 )) s." && \
	echo "Report:  $(CURDIR)/results/report/index.html" && \
	echo "Figures: results/figures   tables: results/tables   times: results/timings   logs: logs"

# Three at once are for two cores: some tests wait, for Slurm or a process that they killed. A file's tests
# stay together.
test: check
	pytest --numprocesses 3 --dist loadscope --no-loadscope-reorder

check: env
	ruff format --check .
	ruff check .
	mypy
	snakefmt --check Snakefile workflow
	snakemake --lint
	pip check

docs: env
	@# Not --quiet, which would not count warnings, so that broken links passed.
	properdocs build --strict
	@echo "Documentation: $(CURDIR)/build/site/index.html"

bench: env
	@python benchmarks/bench.py $(if $(QUICK),--quick,--full) $(if $(CIFAR),--cifar $(CIFAR))

fuzz: env
	@echo "The same inputs again: make fuzz SEED=$(SEED)"
	FUZZED=10000 pytest --numprocesses 2 --hypothesis-seed=$(SEED) tests/fuzz

# The tool has an environment of its own, so it changes none of the tested libraries. Strict: what cannot be
# looked up counts as a failure, not as sound.
vulnerabilities: $(VENV)-audit/bin/pip-audit
	$< --requirement envs/requirements.lock --disable-pip --require-hashes --strict --progress-spinner off

$(VENV)-audit/bin/pip-audit:
	$(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/pip install -qq --disable-pip-version-check "pip-audit>=2.9,<3"

env: $(VENV)/.ready

$(VENV)/.ready: envs/requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is $$($(PYTHON) --version); Python 3.11 or later is needed: make PYTHON=python3.12 …"; exit 1; }
	@echo "Installing the tested libraries into $(VENV) (some minutes, several GB) …"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -qq --disable-pip-version-check --require-hashes -r envs/requirements.lock
	$(BIN)/pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --quiet --output-file envs/requirements.lock
