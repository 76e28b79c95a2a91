# Everyday commands; `make` alone lists them. They make .venv first if it is missing or
# of another requirements.lock.

PYTHON ?= python3
CORES ?= all
# What `compare` compares with, a commit or a folder of results, and the run.
BASE ?= HEAD
RUN ?= paper
# Processes of the tests, each of one thread; 0 runs them in the one of pytest.
WORKERS ?= 2
# The index of torch, such as https://download.pytorch.org/whl/cpu for one without CUDA.
# It is used only when .venv is made.
TORCH_INDEX ?=

# .venv is finished when it holds a copy of the lock, which is written last.
INSTALLED := .venv/requirements.lock
FINISHED := $(shell test -x .venv/bin/python && cmp -s requirements.lock $(INSTALLED) \
  && echo yes)
PIP := .venv/bin/python -m pip --disable-pip-version-check install --quiet
# Steps are separate processes and look for `python` and `dvc` on the path. The path is
# not exported, because PYTHON would then mean the interpreter in .venv.
IN_VENV := PATH="$(CURDIR)/.venv/bin:$$PATH"
SNAKEMAKE := $(IN_VENV) .venv/bin/python -m snakemake
LINTED := Snakefile workflow

# Packages found by these would hide those of .venv.
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help environment paper quick everything natural peers smoke compare conclusions \
  report readme docs test slurm-test lint format clean distclean \
  $(if $(FINISHED),,$(INSTALLED))

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

environment: $(INSTALLED) ## make .venv (PYTHON=python3.12, TORCH_INDEX=URL)
	@:

paper: $(INSTALLED) ## every table and figure of the paper on MNIST (CORES=2)
	@$(SNAKEMAKE) --cores $(CORES)
	@$(call write_report,paper)
	@$(refresh_readme)

quick: $(INSTALLED) ## the paper's tables in minutes, with networks trained by Adam
	@$(SNAKEMAKE) --cores $(CORES) --configfile config/quick.yaml
	@$(call write_report,quick,,--configfile config/quick.yaml)

everything: $(INSTALLED) ## the paper and all that goes beyond it
	@$(SNAKEMAKE) --cores $(CORES) everything
	@$(call write_report,paper,everything)
	@$(refresh_readme)

natural: $(INSTALLED) ## natural images; needs the data mirror or internet
	@$(SNAKEMAKE) --cores $(CORES) natural --configfile config/natural.yaml
	@$(call write_report,natural,natural,--configfile config/natural.yaml)
	@$(refresh_readme)

# The libraries keep to the versions of the lock. The newest setuptools cannot build
# visdom, which adv-lib imports.
OLDER := .venv/build-constraints
peers: $(INSTALLED) ## compare with attacks of other libraries, which it installs
	@echo 'setuptools<81' > $(OLDER)
	@PIP_CONSTRAINT=$(OLDER) PIP_BUILD_CONSTRAINT=$(OLDER) $(PIP) --no-deps visdom
	@$(PIP) --constraint requirements.lock --editable '.[crosscheck]'
	@$(SNAKEMAKE) --cores 1 peers

smoke: $(INSTALLED) ## every rule once, on a few hundred digits
	@$(SNAKEMAKE) --cores $(CORES) everything --configfile config/smoke.yaml
	@$(call write_report,smoke,everything,--configfile config/smoke.yaml)

compare: $(INSTALLED) ## compare with a commit or another run (BASE=HEAD~1, RUN=smoke)
	@$(IN_VENV) .venv/bin/python -m intriguing.workflow.compare \
	  --base='$(BASE)' --run='$(RUN)'

conclusions: $(INSTALLED) ## does another run support the same conclusions? (BASE=, RUN=)
	@$(IN_VENV) .venv/bin/python -m intriguing.workflow.compare.conclusions \
	  --base='$(BASE)' --run='$(RUN)'

report: $(INSTALLED) ## write results/paper/report.html from what is there
	@$(call write_page,)

readme: $(INSTALLED) ## write the README's numbers from the results
	@$(refresh_readme)

docs: $(INSTALLED) ## build the pages of docs/ to docs/_build/html
	@.venv/bin/python -m sphinx -q -W --keep-going docs docs/_build/html
	@echo 'The pages are in docs/_build/html/index.html'

test: lint ## lint, then all tests in two processes (WORKERS=0 for one)
	@$(IN_VENV) OMP_NUM_THREADS=1 .venv/bin/python -m pytest \
	  --numprocesses $(WORKERS) --no-loadscope-reorder

# The file's name keeps pytest from collecting it with the others.
slurm-test: $(INSTALLED) ## the workflow on a SLURM of one node (Debian, as root)
	@$(IN_VENV) .venv/bin/python -m pytest tests/slurm/run_on_slurm.py

lint: $(INSTALLED) ## check style, spelling and types, changing no file
	@.venv/bin/ruff check --quiet
	@.venv/bin/ruff format --quiet --check
	@.venv/bin/snakefmt --check $(LINTED)
	@.venv/bin/codespell
	@.venv/bin/pyright --pythonpath .venv/bin/python

format: $(INSTALLED) ## lay out Python and Snakemake files
	@.venv/bin/ruff check --quiet --select I --fix
	@.venv/bin/ruff format --quiet
	@.venv/bin/snakefmt $(LINTED)

clean: ## remove results and caches; keep data/raw, .venv and what DVC stores
	@echo 'Removing results/, .snakemake/ and the caches of tests and linters.'
	@echo 'Back again: git checkout HEAD -- results; dvc checkout -f'
	@rm -rf results .snakemake .hypothesis .pytest_cache .ruff_cache
	@find src scripts tests -name __pycache__ -prune -exec rm -rf {} +

distclean: clean ## clean, and remove data/raw and .venv
	@echo 'Removing data/raw and .venv too; the next command fetches them anew.'
	@rm -rf data/raw .venv src/intriguing.egg-info

# Snakemake's own report says how each file was made. It gets its name last, so that an
# interrupted one is not taken for it.
define write_report
$(SNAKEMAKE) $(2) $(3) --report results/$(1)/provenance.part.html
@mv results/$(1)/provenance.part.html results/$(1)/provenance.html
@$(call write_page,$(3))
endef
write_page = $(IN_VENV) .venv/bin/python -m intriguing.workflow.report $(1)

refresh_readme = $(IN_VENV) .venv/bin/python -m intriguing.workflow.readme

# The interpreter behind $(PYTHON), which may lie in a .venv about to be removed.
FIND_PYTHON := import ensurepip, sys, venv; \
  print(getattr(sys, "_base_executable", sys.executable)); \
  sys.exit(sys.version_info < (3, 11))

$(INSTALLED):
	@python=$$($(PYTHON) -c '$(FIND_PYTHON)' 2>/dev/null) || { echo >&2 \
	  "Python 3.11 or newer with its venv module is needed, and $(PYTHON) is not:" \
	  "name one, as in make PYTHON=python3.12"; exit 1; }; \
	echo "Installing into .venv, which takes some minutes"; \
	rm -rf .venv && "$$python" -m venv .venv
	@$(if $(TORCH_INDEX),$(PIP) --no-deps --index-url $(TORCH_INDEX) \
	  $$(grep -E '^torch(vision)?==' requirements.lock))
	@$(PIP) --requirement requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@cp requirements.lock $@.part
	@mv $@.part $@
