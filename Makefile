# Everything that a person does with this project. `make help` lists it.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# Test files that run at once: most of them wait for a device or a disk. Browsers do not: four at once take two cores apart.
JOBS   ?= 3
# Classes of the sample school in `make terms`; full: all 36.
TERMS  ?= full

.DEFAULT_GOAL := help
.PHONY: help run test check bench faults fuzz matrix wheel machines seeds pictures clean

help:  ## what one can do here
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(READY)  ## the sample school on simulated devices: http://127.0.0.1:8470/
	$(BIN)/kiosk demo

test: $(READY) browser pcsc sound portraits database consumer office  ## every test, browser included
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

check: $(READY)  ## style, types, imports
	$(BIN)/ruff check kiosk drivers sync_agent tests
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## figures of this machine, as ratios to its limits
	$(BIN)/kiosk bench

faults: $(READY)  ## the long fault runs (500 kills of a gate, 2,000 of everything over HTTP, 300 over NATS, 10,000 kill points, 300 power cuts, 11,000 crash images, old disks, partitions, clocks)
	KIOSK_FAULTS=full $(BIN)/python -m pytest tests/faults

fuzz: $(READY)  ## a million frames and a coverage-guided minute for every parser
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[fuzz]' -c constraints.txt
	$(BIN)/python -m tests.fuzz

machines: $(READY)  ## 2,000 days of 60 steps at two gates, 1,000 of 40 at one: no child without exactly one custodian
	KIOSK_MACHINE=full $(BIN)/python -m pytest tests/core/test_two_gates_machine.py tests/core/test_custody_machine.py tests/simulation

seeds: $(READY)  ## 10,000 seeds of several gates with every fault, in virtual time: no invariant breaks
	KIOSK_SEEDS=10000 $(BIN)/python -m pytest -n $(JOBS) tests/simulation/test_fleet.py

terms: $(READY)  ## the autumn term of all 1,620 pupils under each city's plan, its books reckoned a second time by SQL (TERMS=12: so many classes)
	KIOSK_TERMS=$(TERMS) $(BIN)/python -m pytest -n 2 -rP tests/terms/test_five_terms.py -k whole_school

pictures: $(READY) browser  ## the pictures of the README, from the browser tests
	KIOSK_PICTURES=1 $(BIN)/python -m pytest tests/browser

matrix: $(READY)  ## the table of docs/policies.md: every row of the requirements, five cities, the tests that prove it
	$(BIN)/python -m pytest -m row -n $(JOBS) --dist loadfile --no-loadscope-reorder tests --matrix=docs/policies.md

wheel: $(READY)  ## dist/campus_kiosk-*.whl
	$(BIN)/python -m pip install -q build -c constraints.txt
	$(BIN)/python -m build --wheel

.PHONY: browser pcsc sound portraits database consumer office
browser:
	@sh .ci/browser

sound:
	@sh .ci/sound

pcsc: $(READY)
	@sh .ci/pcsc $(BIN)/python

database:
	@sh .ci/postgres

consumer:
	@sh .ci/consumer

office:
	@sh .ci/office

portraits: $(READY)
	@sh .ci/faces

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[nfc,osdp,camera,face,postgres,nats,pdf,test]' -c constraints.txt
	touch $@

clean:  ## remove what was built; the state of a gate is not touched
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

.PHONY: fixture
fixture: $(READY)  ## NAME=0.1.0: keep what this version writes and sends, for every later one to read
	$(BIN)/python -m tests.support.release_fixture $(NAME)
