"""How often each process sees each picture in ten epochs: `accelerate launch counting.py FOLDER PICTURES`."""

import json
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests/support")]

from accelerate import Accelerator  # noqa: E402
from accelerate.utils import gather_object  # noqa: E402
from counted import seen  # noqa: E402

from train.data.dataset import open_stream  # noqa: E402
from train.data.loader import batches  # noqa: E402
from train.data.stream import CropStream  # noqa: E402

EPOCHS = 10

accelerator = Accelerator(cpu=True)
counts = {}
for folder, count in json.loads(sys.argv[1]).items():
    rank, world, samples = accelerator.process_index, accelerator.num_processes, EPOCHS * count
    crops = CropStream(open_stream(folder, "train"), 8, seed=0, min_colorfulness=0.0, rank=rank, world=world)
    own = seen(batches(crops, 5, workers=1), samples // world + (rank < samples % world))
    together = sum(gather_object([own]), Counter())
    counts[folder] = [min(together.values()), max(together.values()), len(together)]
accelerator.print(json.dumps([world, counts]))
