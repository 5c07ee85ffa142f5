"""Command line of the data sets: `python -m train.prepare SOURCE --output DIR` or `--push NAMESPACE/NAME`, or both."""

import signal
import sys

import torch
import tyro

from train.prepare.dataset import LIST, PrepareOptions, prepare
from train.publish.push import PushError


def main() -> None:
    """Make the data set that the command line asks for; a mistake in it is one line."""
    torch.set_num_threads(1)  # pictures are spread over the cores, not the arithmetic of one
    try:
        options = tyro.cli(PrepareOptions, prog="python -m train.prepare")
        summary = prepare(options)
    except (ValueError, OSError, PushError) as error:
        sys.exit(f"train.prepare: {error}")
    except KeyboardInterrupt:
        sys.exit("train.prepare: interrupted")
    print(*summary.lines(), sep="\n")
    if options.output:
        print(f"The data set, its card and {LIST} are in {options.output}")
    print(f"next: accelerate launch train --recipe all --dataset {options.push or options.output}")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # removes what was half written, as Ctrl-C does
    main()
