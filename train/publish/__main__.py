"""Command line of publishing: finished models, or the whole page, to the Hub.

`python -m train.publish DIR... --namespace NAMESPACE` and `python -m train.publish --space NAMESPACE/NAME`
"""

import sys
from collections.abc import Callable
from functools import partial

import tyro
from huggingface_hub import SpaceHardware

from colorization.hub import repo_id
from colorization.zoo import load
from train.publish.model import PublishOptions, publish_model
from train.publish.public import code_url
from train.publish.push import PushError, check_push
from train.publish.space import publish_space


def main() -> None:
    """Publish what the command line asks for; each model's failure is one line, and the others still go."""
    options = tyro.cli(PublishOptions, prog="python -m train.publish")
    failed = False
    try:
        jobs = _jobs(options)
    except (ValueError, PushError) as error:
        sys.exit(f"train.publish: {error}")
    for number, job in enumerate(jobs):
        try:
            print(f"published {job()}", flush=True)
        except (ValueError, OSError, PushError) as error:
            failed = True
            print(f"train.publish: {error}", file=sys.stderr)
            if number == 0 and options.space and options.folders and not options.code:
                sys.exit("train.publish: the models were not published, as their cards would name this Space")
    sys.exit(1 if failed else 0)


def _jobs(options: PublishOptions) -> list[Callable[[], str]]:
    """What there is to do, once it is sure that it can be done."""
    if not options.folders and not options.space:
        raise ValueError("nothing to publish: name folders of finished runs, or a --space")
    if options.folders and not options.namespace:
        raise ValueError("--namespace is missing: the Hub user or organization that the models are for")
    models = {folder: load(folder).name for folder in options.folders}
    if len(set(models.values())) < len(models):
        raise ValueError(f"two folders hold the same model: {', '.join(models.values())}; publish one of them")
    if models:
        code_url(options.code or options.space)
        check_push([repo_id(options.namespace or "", name, options.prefix) for name in models.values()])
    jobs: list[Callable[[], str]] = [partial(publish_model, folder, options) for folder in models]
    if options.space:
        if options.hardware not in list(SpaceHardware):
            raise ValueError(f"--hardware is {options.hardware}, expected one of {', '.join(SpaceHardware)}")
        check_push([options.space], "space")
        # The Space first, as the models' cards name it; and once more when there are models, as it then names them.
        space = partial(publish_space, options)
        jobs = [space, *jobs, space] if jobs else [space]
    return jobs


if __name__ == "__main__":
    main()
