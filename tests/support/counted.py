"""Pictures that are told apart by their color, and how often each of them was seen."""

import io
from collections import Counter

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
from conftest import encoded
from PIL import Image

FEATURES = datasets.Features({"image": datasets.Image(), "source": datasets.Value("string")})


def cells(count):
    """As many pictures, each of one color of its own."""
    return [encoded(Image.new("RGB", (8, 8), (number % 256, number // 256 * 40, 128))) for number in range(count)]


def write_parquet(file, pictures, groups, source="here"):
    """Write a file of row groups of the given sizes; the rest of the pictures is left for the next."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(file, FEATURES.arrow_schema) as writer:
        for size in groups:
            rows = [{"image": pictures.pop(0), "source": source} for _ in range(size)]
            writer.write_table(pa.Table.from_pylist(rows, schema=FEATURES.arrow_schema), row_group_size=size)


def write_cases(folder):
    """The data sets that were seen unevenly: their folders, with the number of pictures in each."""
    write_parquet(folder / "row groups/train-00000-of-00001.parquet", cells(705), [100] * 7 + [5])
    pictures = cells(400)
    for shard in range(8):
        write_parquet(folder / f"eight files/train-{shard:05d}-of-00008.parquet", pictures, [2 if shard % 2 else 98])
    (folder / "image files").mkdir()
    for number, cell in enumerate(cells(41)):
        Image.open(io.BytesIO(cell["bytes"])).save(folder / f"image files/{number}.png")
    return {"row groups": 705, "eight files": 400, "image files": 41}


def seen(batches, samples):
    """Draw so many samples, and count each picture."""
    counts = Counter()
    for crops in batches:
        for red, green, _ in crops.pixels[: samples - counts.total(), :, 4, 4].tolist():
            counts[red + 256 * (green // 40)] += 1
        if counts.total() == samples:
            return counts
    raise AssertionError("the stream has an end")
