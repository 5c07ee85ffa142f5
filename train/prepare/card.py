"""Card of a prepared data set. Of the machine that made it, it tells one folder's name and nothing else."""

from collections import Counter
from pathlib import Path

from huggingface_hub import DatasetCard, DatasetCardData

from train.data.splits import TEST, TRAIN, VALIDATION
from train.prepare.shards import DUPLICATE, GRAY, OUTSIDE, QUALITY, UNDECODABLE, UNPAIRED

TEMPLATE = Path(__file__).resolve().parent / "dataset_card.md"
_SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B")
_WHY = {
    UNDECODABLE: "cannot be read as a picture",
    GRAY: "gray or nearly so (colorfulness under {:g}, Hasler and Suesstrunk 2003)",
    DUPLICATE: "the same picture as another, pixel for pixel",
    UNPAIRED: "gray half of a pair that has no color half",
    OUTSIDE: "beside the folders of the splits",
}


def dataset_card(
    counts: Counter[tuple[str, str]],
    shards: Counter[str],
    skipped: Counter[str],
    *,
    name: str,
    folder: str,
    short_side: int,
    min_colorfulness: float,
    license: str,
) -> DatasetCard:
    """Render the card.

    Args:
        counts: Pictures by split and source.
        shards: Parquet files by split.
        skipped: Files that were skipped, by kind (see `train.prepare.shards.Skipped`).
        name: The Hub id of the data set, or the name of its folder.
        folder: Name of the folder that it was made of.
        short_side: Pixels that pictures were made smaller to.
        min_colorfulness: What less colorful pictures are skipped below.
        license: What the publisher stated, as the Hub calls it.
    """
    total, order = counts.total(), (TRAIN, VALIDATION, TEST)
    splits = [split for split in order if any(split == s for s, _ in counts)]
    data_files = [{"split": split, "path": f"{split}-*.parquet"} for split in splits]
    data = DatasetCardData(
        license=license,
        task_categories=["image-to-image"],
        tags=["image-colorization", "landscape"],
        size_categories=[_SIZES[min(max(len(str(total)) - 3, 0), len(_SIZES) - 1)]],
        pretty_name=name,
        configs=[{"config_name": "default", "data_files": data_files}],
    )
    return DatasetCard.from_template(
        data,
        template_path=str(TEMPLATE),
        name=name,
        folder=folder,
        total=total,
        splits=splits,
        shards=", ".join(f"{split} {shards[split]}" for split in splits),
        rows=[
            (split, source.replace("|", "\\|"), counts[split, source])
            for split, source in sorted(counts, key=lambda key: (order.index(key[0]), key[1]))
        ],
        quality=QUALITY,
        short_side=short_side,
        skipped=[(count, _WHY[kind].format(min_colorfulness)) for kind, count in skipped.most_common()],
        license=license,
    )
