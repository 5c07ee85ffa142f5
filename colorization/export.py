"""The command that writes models in ONNX: `python -m colorization.export --model NAME --output FOLDER`."""

import argparse
import json
import sys
from pathlib import Path

from colorization.atomic import written
from colorization.sources import NAMES, LoadError


def main() -> int:
    """Write one model; returns 0 if it is there and agrees with torch, 1 if not."""
    parser = argparse.ArgumentParser(
        prog="python -m colorization.export",
        description="Write a model as model.onnx, with its config.json, for `colorize --engine onnx`, after checking "
        "that it gives the same colors as torch.",
    )
    parser.add_argument(
        "--model", required=True, help=f"{', '.join(NAMES)}; or a folder or a Hub repository id with a model"
    )
    parser.add_argument("--output", required=True, type=Path, metavar="FOLDER", help="where the two files go")
    options = parser.parse_args()
    try:
        return _export(options.model, options.output)
    except LoadError as error:
        print(f"export: {error}", file=sys.stderr)
    except OSError as error:
        print(f"export: {options.output} cannot be written: {error.strerror}", file=sys.stderr)
    return 1


def _export(source: str, folder: Path) -> int:
    """Convert, check, and write; returns the exit code."""
    try:
        from colorization import zoo
        from colorization.onnx.convert import convert
    except ModuleNotFoundError as error:
        raise LoadError(f"{error.name} is not installed: `pip install {error.name}`") from error
    from colorization.onnx.model import FILE

    model = zoo.load(source)
    folder.mkdir(parents=True, exist_ok=True)  # before the work
    data, difference = convert(model)
    with written(folder / "config.json") as file:
        file.write_text(json.dumps(model.config, indent=2) + "\n", encoding="utf-8")
    with written(folder / FILE) as file:
        file.write_bytes(data)
    print(f"{folder / FILE}: {model.name}, {len(data) / 1e6:.1f} MB, within {difference:.1g} of torch")
    return 0


if __name__ == "__main__":
    sys.exit(main())
