"""Command line of the trainer: `accelerate launch train ...`, `python -m train ...`."""

import gc
import multiprocessing
import os
import sys
from contextlib import nullcontext
from pathlib import Path

# accelerate runs this folder as a script: sys.path[0] is then train/ itself, where data.py and its like shadow others.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

import train.parent  # noqa: E402, F401 - notes who started this process
from train.config import TrainOptions, parse  # noqa: E402


def main() -> None:
    """Train what the command line asks for; a mistake in it is one line, not a traceback."""
    try:
        options = parse()
    except ValueError as error:
        sys.exit(f"train: {error}")
    try:
        outcome = _outcome(options)
    finally:
        leave()  # also after an error that nobody expected: workers would keep the process from ending
    if outcome is not None:
        sys.exit(outcome)


def _outcome(options: TrainOptions) -> int | str | None:
    """Train, and say what to exit with: nothing, a code, or a line about what went wrong."""
    # Imported here, because `--help` and mistakes in the options need none of it and it takes seconds.
    import torch._dynamo  # noqa: F401 - before there is a process group, see `leave`

    from train.publish.push import PushError
    from train.signals import INTERRUPTED, StoppedError

    try:
        _train(options)
    except StoppedError as stopped:
        print(f"train: {stopped}", file=sys.stderr)
        return stopped.code
    except KeyboardInterrupt:
        return INTERRUPTED  # before or after the training, where there is nothing to save
    except (ValueError, OSError, FloatingPointError, PushError) as error:
        return f"train: {error}"
    return None


def _train(options: TrainOptions) -> None:
    """Train, or try, every recipe asked for, and push what came of it."""
    from accelerate import Accelerator

    from train.dry_run import dry_run
    from train.loop import train
    from train.output import check_writable
    from train.push_to_hub import check_trained, publish_trained
    from train.trackers import check_tracker, tracked

    tracker = None if options.run.report_to == "none" or options.run.dry_run else options.run.report_to
    if tracker:
        check_tracker(tracker)
    accelerator = Accelerator(log_with=tracker, project_dir=options.output_dir)
    started = int(os.environ.get("WORLD_SIZE", "1"))
    if started != accelerator.num_processes:
        raise ValueError(
            f"{started} processes were started, and each would train for itself, because there is no GPU for them: to "
            "train together on processors, set ACCELERATE_USE_CPU=true"
        )
    push = options.hub.push_to_hub and not options.run.dry_run and accelerator.is_main_process
    if push:
        check_trained(options)
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        check_writable(options.output_dir)
    folders = []
    # After the checks: a refused run leaves nothing behind.
    with tracked(accelerator, tracker, options.output_dir) if tracker else nullcontext():
        for name in options.recipes:
            settings = options.settings(name)
            if options.run.dry_run:
                dry_run(settings, accelerator)
                continue
            folders.append(train(settings, accelerator))
            accelerator.print(f"{name}: weights, record and samples are in {folders[-1]}")
            accelerator.free_memory()  # else it keeps each recipe's networks and optimizers to the end
    accelerator.end_training()
    if push:
        publish_trained(options, folders)


def leave() -> None:
    """Part from the other processes.

    gloo's threads live as long as anything refers to their group, and one that still lets go of a tensor while the
    interpreter ends aborts it (pytorch/pytorch#179291): a finished run would exit with SIGABRT. What refers to it are
    networks that are spread over processes and, always, `torch._dynamo` if it is first imported while there is one.
    """
    import torch.distributed as dist

    for worker in multiprocessing.active_children():
        worker.kill()  # a decoding worker may wait for a network that is gone, and is deaf to less
    gc.collect()
    if dist.is_available() and dist.is_initialized() and dist.get_backend() == "gloo":
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
