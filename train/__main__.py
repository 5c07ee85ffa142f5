"""`accelerate launch train ...` and `python -m train ...`."""

import gc
import os
import sys
from pathlib import Path

# accelerate runs this folder as a script: sys.path[0] is then train/ itself, where data.py and its like shadow others.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

import torch._dynamo  # noqa: E402, F401 - before there is a process group, see _leave
import torch.distributed as dist  # noqa: E402
import tyro  # noqa: E402
from accelerate import Accelerator  # noqa: E402

from train.config import TrainOptions  # noqa: E402
from train.dry_run import dry_run  # noqa: E402
from train.loop import train  # noqa: E402
from train.publish.push import PushError  # noqa: E402
from train.push_to_hub import check_trained, publish_trained  # noqa: E402
from train.recipes import RECIPES  # noqa: E402
from train.signals import INTERRUPTED, StoppedError  # noqa: E402


def main() -> None:
    """Train what the command line asks for; a mistake in it is one line, not a traceback."""
    outcome = _outcome()
    _leave()
    if outcome is not None:
        sys.exit(outcome)


def _outcome() -> int | str | None:
    """Train, and say what to exit with: nothing, a code, or a line about what went wrong."""
    try:
        _train(tyro.cli(TrainOptions, prog="accelerate launch train"))
    except StoppedError as stopped:
        print(f"train: {stopped}", file=sys.stderr)
        return stopped.code
    except KeyboardInterrupt:
        return INTERRUPTED  # before or after the training, where there is nothing to save
    except (ValueError, FileNotFoundError, FloatingPointError, PushError) as error:
        return f"train: {error}"
    return None


def _train(options: TrainOptions) -> None:
    """Train, or try, every recipe asked for, and push what came of it."""
    os.environ.setdefault("TRACKIO_DIR", str(options.output_dir / "trackio"))
    tracker = None if options.tracker == "none" or options.dry_run else options.tracker
    accelerator = Accelerator(log_with=tracker, project_dir=options.output_dir)
    accelerator.init_trackers("landscape-colorization")
    names: list[str] = [*RECIPES] if options.recipe == "all" else [options.recipe]
    if options.push_to_hub and accelerator.is_main_process:
        check_trained(options, names)
    accelerator.wait_for_everyone()
    if options.dry_run:
        for name in names:
            dry_run(options, name, accelerator)
        return
    folders = []
    for name in names:
        folders.append(train(options, name, accelerator))
        accelerator.print(f"{name}: weights, record and samples are in {folders[-1]}")
        accelerator.free_memory()  # else it keeps each recipe's networks and optimizers to the end
    accelerator.end_training()
    if options.push_to_hub and accelerator.is_main_process:
        publish_trained(options, folders)


def _leave() -> None:
    """Take leave of the other processes.

    gloo's threads live as long as anything refers to their group, and one that still lets go of a tensor while the
    interpreter ends aborts it (pytorch/pytorch#179291): a finished run would exit with SIGABRT. What refers to it are
    networks that are spread over processes and, for ever, `torch._dynamo` if it is first imported while there is one.
    """
    gc.collect()
    if dist.is_available() and dist.is_initialized() and dist.get_backend() == "gloo":
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
