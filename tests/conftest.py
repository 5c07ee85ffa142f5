"""Fixtures: real photographs, small data sets made of them, and what lies beside the project."""

import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

os.environ["HF_HUB_OFFLINE"] = "1"  # the Hub's clients read it when they are first imported

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
NAMES = ("pix2pix", "cwgan", "unet")

torch.set_num_threads(1)  # small tensors, and other processes beside them


@pytest.fixture(scope="session")
def shared():
    """The folder of data beside the project."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED.name}/ is not beside the project")
    return SHARED


@pytest.fixture(scope="session")
def photograph():
    """A real colour photograph that comes with scikit-image, 640x427."""
    from skimage import data

    return Image.fromarray(data.rocket())


@pytest.fixture(scope="session")
def subprocess_env():
    """Environment of child processes: this project, one thread, no network."""
    return os.environ | {
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "GRADIO_ANALYTICS_ENABLED": "False",
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


@pytest.fixture(scope="session")
def crops(photograph):
    """Forty colourful 96x96 pieces of real photographs."""
    from skimage import data

    rng = np.random.default_rng(0)
    sources = [np.asarray(photograph), data.coffee(), data.chelsea()]
    pieces = []
    for number in range(40):
        source = sources[number % len(sources)]
        top, left = rng.integers(source.shape[0] - 96), rng.integers(source.shape[1] - 96)
        pieces.append(Image.fromarray(source[top : top + 96, left : left + 96]))
    return pieces


@pytest.fixture(scope="session")
def parquet(crops, tmp_path_factory):
    """A data set in two training shards and a validation shard, with 4 gray and 2 broken pictures in the first."""
    import datasets

    folder = tmp_path_factory.mktemp("parquet")
    features = datasets.Features({"image": datasets.Image()})

    def write(name, cells):
        dataset = datasets.Dataset.from_dict({"image": cells}, features=features)
        dataset.to_parquet(str(folder / name))

    colour = [encoded(crop) for crop in crops]
    gray = [encoded(crop.convert("L")) for crop in crops[:4]]
    broken = [{"bytes": b"no picture", "path": "broken.jpg"}, {"bytes": colour[0]["bytes"][:200], "path": "cut.png"}]
    write("train-00000-of-00002.parquet", colour[:16] + gray + broken)
    write("train-00001-of-00002.parquet", colour[16:32])
    write("validation-00000-of-00001.parquet", colour[32:] + gray[:1] + broken[:1])
    return folder


def encoded(picture, kind="png"):
    """One cell of a `datasets.Image` column."""
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return {"bytes": buffer.getvalue(), "path": f"picture.{kind}"}
