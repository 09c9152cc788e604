# Each target wraps commands that README.md also spells out, for machines without make.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run lab test test-elsewhere notebooks figures exercises slides site book bench clean
.DEFAULT_GOAL := run

# The environments: what a reader needs, and on top of it what the tests need.
.venv/reader: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

.venv/developer: .venv/reader
	$(BIN)/python -m pip install --quiet -e ".[book,dev,teach]"
	touch $@

.venv/author: .venv/developer
	$(BIN)/python -m pip install --quiet -e ".[site]"
	touch $@

run: .venv/reader  ## Pretrain a BERT here and now
	$(BIN)/python -m bertmini pretrain --out runs/first --resume

lab: .venv/reader  ## Open the book
	$(BIN)/jupyter lab --preferred-dir=chapters

test: .venv/developer  ## Everything that must hold
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy bertmini
	$(BIN)/codespell
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses auto --dist loadscope
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=95

test-elsewhere: .venv/developer  ## The notebooks under three other arithmetics: only digits may change
	$(BIN)/python -m pytest --numprocesses auto --dist loadscope -m elsewhere tests/test_notebooks.py

notebooks: .venv/developer  ## Run and store every notebook
	$(BIN)/python -m tools.notebooks

figures: .venv/developer  ## Redraw the concept drawings
	$(BIN)/python -m figures

exercises: .venv/developer  ## The students' copies, from the model answers
	rm -rf exercises
	$(BIN)/nbgrader generate_assignment --assignment="*" --no-db --force

slides: .venv/developer  ## A page of slides for each chapter
	$(BIN)/python -m tools.slides

site: .venv/author  ## The website, into site/_build/html: opens from the disk
	$(BIN)/python -m tools.website

book: .venv/author  ## The book as PDF and EPUB, into site/_build
	$(BIN)/python -m tools.book

bench: .venv/developer  ## Speed and memory beside the peers
	$(BIN)/python benchmarks/train_step.py
	$(BIN)/python benchmarks/inference.py

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
