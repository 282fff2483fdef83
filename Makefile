# `make` prints this list.
.PHONY: help setup demo test test-all lint types format clean

help:            ## what there is
	@sed -n 's/^\([a-z-]*\): *[a-z ]*## */\1	/p' $(MAKEFILE_LIST) | expand -t 12

setup:           ## a .venv with everything demo and tests need
	@scripts/setup

demo: setup      ## the whole chain on the embedded phrasebook: runs/demo/report.html
	@.venv/bin/isogloss demo

test: setup lint types ## linter, type checker and the test suite
	@.venv/bin/python -m pytest -m "not slow and not gpu" -n 2

test-all: setup lint types ## the same and the slow proofs
	@.venv/bin/python -m pytest -n 2

lint: setup      ## ruff
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .

types: setup     ## mypy, strict, on src
	@.venv/bin/mypy

format: setup    ## put the code in shape
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .

clean:           ## remove caches and runs/demo
	@rm -rf runs/demo .pytest_cache .ruff_cache .mypy_cache .hypothesis
