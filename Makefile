# `make check` is what continuous integration runs, after installing requirements-dev.txt.
.PHONY: check lint test docs

check: lint test

lint:
	ruff format --check .
	ruff check .
	mypy colorization train page app.py benchmarks dev

test:
	pytest

docs: # the tree of docs/CODE.md, from the first line of each file
	python dev/code_tree.py
