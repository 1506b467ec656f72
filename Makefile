# Every target installs what it needs. VENV and the cache lie outside the tracked files.
VENV := .venv
PYTHON := $(VENV)/bin/python
STAMP := $(VENV)/.installed

.PHONY: help demo test chaos soak irtests lab lint bench bench-classify train docs install-test lock audit licenses clean
help:
	@echo "make demo      the whole road: lab, gateway, campaign, results (build/demo.json)"
	@echo "make test      every test, with a real Asterisk"
	@echo "make chaos     break everything in turn, then check the books; FULL=1, SMALL=1, SEED=, RUNS=, WHERE=lab or fake, FAULT="
	@echo "make soak      CALLS=100000 through a gateway at its ceiling, then LAB=minutes on the real lab, watched for leaks"
	@echo "make irtests   W3C's VoiceXML tests, from ../shared/irtests or VOXGATE_IRTESTS"
	@echo "make lab       lab and gateway stay up; BIND=ADDRESS lets phones on the LAN register"
	@echo "make lint      ruff, mypy --strict, import-linter"
	@echo "make bench     measured ratios"
	@echo "make bench-classify  who answered, measured on recorded and synthetic voices (fetches about 550 MB once)"
	@echo "make train     the classifier's models anew, from the corpus (docs/models.md)"
	@echo "make docs      the documentation, into build/site"
	@echo "make install-test  the service on a booted Debian, and the images, really installed and run (root)"
	@echo "make lock      pin what an installation gets, with hashes (packaging/requirements.lock)"
	@echo "make audit     known vulnerabilities of what is pinned (asks PyPI)"
	@echo "make licenses  what we depend on, and its licences"

$(STAMP): pyproject.toml scripts/environment.sh
	@sh scripts/environment.sh $(VENV)
	@touch $@

demo: $(STAMP)
	@$(PYTHON) -m lab.demo

test: $(STAMP)
	@$(PYTHON) -m pytest

chaos: $(STAMP)
	@$(PYTHON) -m tests.chaos $(if $(FULL),--full) $(if $(SMALL),--small) $(if $(SEED),--seed $(SEED)) $(if $(RUNS),--runs $(RUNS)) \
		$(if $(WHERE),--where $(WHERE)) $(if $(FAULT),--fault "$(FAULT)") $(if $(MINUTES),--minutes $(MINUTES))

soak: $(STAMP)
	@$(PYTHON) -m tests.soak --calls "$(or $(CALLS),100000)" --lab "$(or $(LAB),0)" $(if $(SEED),--seed $(SEED))

irtests: $(STAMP)
	@$(PYTHON) -m tests.irtests

lab: $(STAMP)
	@$(PYTHON) -m lab.up --bind "$(or $(BIND),127.0.0.1)"

lint: $(STAMP)
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

bench: $(STAMP)
	@$(PYTHON) -m bench

bench-classify: $(STAMP)
	@$(PYTHON) -m bench.classify --calls "$(or $(CALLS),300)"

train: $(STAMP)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -e '.[train]'
	@$(PYTHON) -m training

docs: $(STAMP)
	@$(PYTHON) scripts/reference.py
	@$(VENV)/bin/mkdocs build --strict --quiet
	@echo "docs: build/site/index.html"

install-test: $(STAMP)
	@VOXGATE_INSTALL_TEST=1 $(PYTHON) -m pytest tests/packaging -s

lock: $(STAMP)
	@$(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --upgrade \
		--custom-compile-command "make lock" --output-file packaging/requirements.lock pyproject.toml

audit: $(STAMP)
	@$(VENV)/bin/uv tool run --quiet --from 'pip-audit>=2.10,<3' pip-audit --strict --require-hashes --disable-pip --requirement packaging/requirements.lock || \
		{ echo "audit: failed: what is vulnerable stands above; where PyPI could not be asked, nothing was audited" >&2; exit 1; }

licenses: $(STAMP)
	@$(VENV)/bin/pip-licenses --order=license

clean:
	rm -rf $(VENV) build dist
