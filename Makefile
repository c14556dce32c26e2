# Everything below prepares .venv and liboqs first, and is quick once they are there.
PYTHON      ?= python3
PYTEST_ARGS ?= -n 2
BENCH_ARGS  ?=
INTEROP_ARGS ?=

BIN := .venv/bin
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip --quiet --no-input

.PHONY: help env liboqs peers demo interop test check bench clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*  ## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

demo: liboqs  ## mint, verify, shake hands and compare, for every scheme
	@$(BIN)/pqdc demo

test: liboqs peers  ## the whole test suite (PYTEST_ARGS="-n 0 -k name" for a part of it)
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

check: env  ## format, lint, types, import contracts
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: liboqs  ## run the benchmarks (BENCH_ARGS="--quick ML-DSA-44")
	@$(BIN)/pqdc bench $(BENCH_ARGS)

liboqs: env  ## find liboqs, or build it into the user's cache; second implementations in Rust beside it, with cargo
	@$(BIN)/python native/build.py
	@$(BIN)/python native/build_rust.py

interop: liboqs peers  ## credentials between pqdc and other people's TLS (INTEROP_ARGS="boringssl --json")
	@$(BIN)/pqdc interop $(INTEROP_ARGS)

peers: env  ## bring that TLS here, as far as can be: builds BoringSSL once; as root, installs from the distribution
	@$(BIN)/pqdc interop --prepare

env: .venv/ready  ## .venv with pqdc and what its development needs

# The stamp comes last: an install that was interrupted is taken up again, a venv without a working pip is made anew.
.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
		"pqdc needs Python 3.11 or newer; this is " + sys.version.split()[0] + ": make PYTHON=python3.12, for example")'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo 'installing pqdc and its tools into .venv' >&2
	@$(PIP) install --progress-bar off --constraint constraints.txt --editable '.[dev,native]'
	@touch $@

clean:  ## remove what was made here (what was built into the cache stays)
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks .coverage htmlcov build dist
	find . -name __pycache__ -prune -exec rm -rf {} +

.PHONY: agree ratios fuzz mutate
FUZZ_SECONDS ?= 60
MUTATE_ARGS  ?= --count 100000

AGREE_ARGS ?=

agree: liboqs  ## pqdc's figures beside liboqs's speed_sig and openssl speed (AGREE_ARGS="ML-DSA-44 Falcon-512")
	@$(BIN)/python bench/agree.py $(AGREE_ARGS)

ratios: liboqs  ## what pqdc adds to its primitives, and its handshakes beside tlslite-ng's
	@$(BIN)/python bench/ratios.py
	@$(BIN)/python bench/handshake_ratio.py

fuzz: liboqs  ## let atheris look for bytes that break a reader (FUZZ_SECONDS=60 for each, FUZZ_TARGET=pem for one)
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(PIP) install --constraint constraints.txt --editable '.[fuzz]'
	@$(BIN)/python -m tests.fuzz $(FUZZ_TARGET) --seconds $(FUZZ_SECONDS)

mutate: liboqs  ## the mutation campaign (MUTATE_ARGS="--count 10000000 --jobs 2 --out results/mutation-campaign.json")
	@$(BIN)/python -m tests.mutate $(MUTATE_ARGS)

.PHONY: bogo
BOGO_ARGS ?=

bogo: liboqs  ## BoringSSL's test suite against our endpoints, built first (BOGO_ARGS="--test 'DelegatedCredentials-*'")
	@$(BIN)/python native/build_bogo.py >/dev/null
	@$(BIN)/python -m tests.bogo $(BOGO_ARGS)

.PHONY: paper
PAPER_RUN ?=
PAPER_ROWS := --family ECDSA --family Ed25519 --family ML-DSA --family Falcon --family MAYO

paper: env  ## docs/paper/paper.pdf: table, figures and numbers of the newest run (PAPER_RUN=results/FILE for another)
	@command -v pdflatex >/dev/null || { echo 'make paper needs LaTeX: apt-get install texlive-latex-extra texlive-science lmodern' >&2; exit 1; }
	@mkdir -p docs/paper/build
	@$(BIN)/pqdc table $(PAPER_RUN) $(PAPER_ROWS) --to latex --relative-to P-256 \
		--columns scheme,backend,signature_bytes,sign,sign_ratio,verify,mint,added_to_flight > docs/paper/build/table.tex
	@$(BIN)/pqdc table $(PAPER_RUN) --to macros --relative-to P-256 > docs/paper/build/macros.tex
	@$(BIN)/pqdc plot $(PAPER_RUN) $(PAPER_ROWS) --plot size-time --plot distributions --out docs/paper/build --force
	@cd docs/paper && for i in 1 2; do pdflatex -interaction=nonstopmode -halt-on-error paper >build/log || { tail -20 build/log >&2; exit 1; }; done
