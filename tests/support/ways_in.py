"""The same pictures in every form that people have them in, each with what is not a picture beside them."""

import io
import json
import sys
import tarfile
import zipfile
from pathlib import Path

import datasets
from PIL import Image

COUNT = 12
FEATURES = datasets.Features({"image": datasets.Image()})


def jpeg(picture, kind="jpeg"):
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=95)
    return buffer.getvalue()


def folder(pictures, place):
    """Sub-folders, links, names like a split's, names without a suffix, all kinds of files; a name like a pattern's."""
    root, elsewhere = place / "photos [2019]", place / "another disk"
    (root / "alps").mkdir(parents=True)
    elsewhere.mkdir()
    for number, picture in enumerate(pictures[:4]):
        picture.save(root / f"alps/{number}.jpg")
    for number, picture in enumerate(pictures[4:6]):
        picture.save(elsewhere / f"{number}.png")
    (root / "coast").symlink_to(elsewhere, target_is_directory=True)
    (root / "linked.jpg").symlink_to(root / "alps/0.jpg")
    pictures[6].save(root / "train-station.jpg")
    pictures[7].save(root / "lake.avif")
    pictures[8].save(root / "two views.mpo", save_all=True, append_images=[pictures[8]])
    (root / "1923.05.12").write_bytes(jpeg(pictures[9]))
    (root / "scan").write_bytes(jpeg(pictures[10], "png"))
    for name in (".DS_Store", "alps/._0.jpg", "Thumbs.db"):
        (root / name).write_bytes(b"\0\5\26\7")
    (root / "alps/0.txt").write_text("a caption")
    return root, {"hidden or of the system": 3, "of no kind that is read": 1}


def parquet(pictures, place):
    """Files beside a picture of the data set's page."""
    root = place / "parquet"
    root.mkdir()
    for shard in range(2):
        write_parquet(root / f"train-{shard:05d}-of-00002.parquet", pictures[shard::2])  # with the same names in both
    pictures[0].save(root / "banner.jpg")
    return root, {"beside parquet files": 1}


def downloaded(pictures, place):
    """What `hf download` leaves, with its own files."""
    root = place / "downloaded"
    for part in ("data", ".cache/huggingface/download"):
        (root / part).mkdir(parents=True)
    write_parquet(root / "data/train-00000-of-00001.parquet", pictures)
    (root / ".cache/huggingface/download/x.metadata").write_text("0")
    (root / ".gitattributes").write_text("")
    (root / "README.md").write_text("# Hills\n")
    return root, {"hidden or of the system": 2, "of no kind that is read": 1}


def saved(pictures, place):
    """What `save_to_disk` writes."""
    dataset = datasets.Dataset.from_dict({"image": cells(pictures)}, features=FEATURES)
    datasets.DatasetDict({"train": dataset}).save_to_disk(str(place / "saved"))
    return place / "saved", {}


def tar(pictures, place):
    """WebDataset, of samples that differ."""
    root = place / "tars"
    root.mkdir()
    with tarfile.open(root / "photos-00000.tar", "w") as file:
        for number, picture in enumerate(pictures):
            kind = "png" if number % 5 == 3 else "jpg"
            add(file, f"{number:04d}.{kind}", jpeg(picture, "jpeg" if kind == "jpg" else "png"))
            if number % 4 == 1:
                add(file, f"{number:04d}.json", b"{}")
    return root, {"of no kind that is read": 3}


def zipped(pictures, place):
    """A zip made on a Mac."""
    with zipfile.ZipFile(place / "photos.zip", "w") as file:
        for number, picture in enumerate(pictures):
            file.writestr(f"trip/{number}.jpg", jpeg(picture))
        file.writestr("__MACOSX/trip/._0.jpg", b"\0\5\26\7")
    return place / "photos.zip", {"hidden or of the system": 1}


WAYS = (folder, parquet, downloaded, saved, tar, zipped)


def cells(pictures):
    return [{"bytes": jpeg(picture), "path": f"{number}.jpg"} for number, picture in enumerate(pictures)]


def write_parquet(file, pictures):
    datasets.Dataset.from_dict({"image": cells(pictures)}, features=FEATURES).to_parquet(str(file))


def add(archive, name, data):
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))


if __name__ == "__main__":  # prints of some data sets: pictures that decode by split, names skipped, what the log says
    sys.path[0] = str(Path.cwd())
    from train.data.dataset import open_dataset, pictures

    for spec in sys.argv[1:]:
        try:
            dataset = open_dataset(spec)
            found = {
                split: sum(isinstance(picture, Image.Image) for _, picture in pictures(dataset.rows(split)))
                for split in dataset.splits
            }
            skipped = sorted(skipped.name for skipped in dataset.listing.skipped)
            print(json.dumps([found, skipped, [*dataset.listing.lines()]]), flush=True)
        except ValueError as error:
            print(json.dumps(str(error)), flush=True)
