"""`accelerate launch train ...` and `python -m train ...`."""

import os
import sys
from pathlib import Path

# accelerate runs this folder as a script: sys.path[0] is then train/ itself, where data.py and its like shadow others.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

import tyro  # noqa: E402
from accelerate import Accelerator  # noqa: E402

from train.config import Options  # noqa: E402
from train.dry_run import dry_run  # noqa: E402
from train.hub import PushError  # noqa: E402
from train.loop import train  # noqa: E402
from train.publish import check_trained, publish_trained  # noqa: E402
from train.recipes import RECIPES  # noqa: E402
from train.stop import INTERRUPTED, StoppedError  # noqa: E402


def main() -> None:
    """Train what the command line asks for; a mistake in it is one line, not a traceback."""
    try:
        options = tyro.cli(Options, prog="accelerate launch train")
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
        accelerator.end_training()
        if options.push_to_hub and accelerator.is_main_process:
            publish_trained(options, folders)
    except StoppedError as stopped:
        print(f"train: {stopped}", file=sys.stderr)
        sys.exit(stopped.code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)  # before or after the training, where there is nothing to save
    except (ValueError, FileNotFoundError, FloatingPointError, PushError) as error:
        sys.exit(f"train: {error}")


if __name__ == "__main__":
    main()
