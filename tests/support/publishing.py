"""How tests publish: options, and a record of its own for a run."""

import json

from train.publish.model import PublishOptions

REPO = "tester/landscape-colorization-unet"


def options(**given):
    return PublishOptions(**{"folders": [], "namespace": "tester", "license": "apache-2.0"} | given)


def write_record(run, *stages):
    """Give a run a record of its own; each stage changes the first one of the embedded model."""
    (stage, *_) = json.loads((run / "training.json").read_text())["stages"]
    made = [stage | {key: value for key, value in given.items() if key != "options"} for given in stages]
    for new, given in zip(made, stages, strict=True):
        new["options"] = given.get("options", stage["options"])
    (run / "training.json").write_text(json.dumps({"stages": made}))
