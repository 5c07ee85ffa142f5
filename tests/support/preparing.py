"""Folders of photographs for `train.prepare`, and what came out of it."""

import csv
import io

import pyarrow.parquet as pq
from PIL import Image

from train.prepare.dataset import PrepareOptions, prepare


def save(folder, pictures, suffix="png", **options):
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures):
        picture.save(folder / f"{number}.{suffix}", **options)
    return folder


def made(source, output, **options):
    """The summary, the rows by split, and what was skipped by file."""
    summary = prepare(PrepareOptions(str(source), output, **options))
    rows = {}
    for file in sorted(output.glob("*.parquet")):
        rows.setdefault(file.name.split("-")[0], []).extend(pq.read_table(file).to_pylist())
    with (output / "skipped.csv").open(encoding="utf-8", newline="") as file:
        skipped = {line["file"]: line["reason"] for line in csv.DictReader(file)}
    return summary, rows, skipped


def names(rows):
    return {split: sorted(row["image"]["path"] for row in members) for split, members in rows.items()}


def opened(row):
    return Image.open(io.BytesIO(row["image"]["bytes"]))
