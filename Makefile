# `make check` is what continuous integration runs, after installing requirements-dev.txt.
.PHONY: check lint test

check: lint test

lint:
	ruff format --check .
	ruff check .
	mypy colorization train page app.py benchmarks

test:
	pytest
