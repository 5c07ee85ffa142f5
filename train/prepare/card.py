"""Card of a prepared data set. Of the machine that made it, it tells one folder's name and nothing else."""

from collections import Counter
from pathlib import Path

from huggingface_hub import DatasetCard, DatasetCardData, hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError

from colorization.hub import ERRORS, explain
from train.data.color import GRAY, TONED
from train.data.splits import order_of_splits
from train.prepare.shards import DUPLICATE, QUALITY, UNDECODABLE, shard_names
from train.publish.push import PushError

MADE_BY = "by `python -m train.prepare`"  # in every card, and in no other
TEMPLATE = Path(__file__).resolve().parent / "dataset_card.md"
_SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B")
_WHY = {
    UNDECODABLE: "cannot be read as a picture",
    GRAY: "gray or nearly so (colorfulness under {:g}, Hasler and Suesstrunk 2003)",
    TONED: "black and white, toned in one color",
    DUPLICATE: "the same picture as another, pixel for pixel",
}


def earlier_files(repo_id: str) -> set[str]:
    """The files that a repository's card says `train.prepare` wrote into it; none if there is no such card.

    Raises:
        PushError: If the Hub does not answer.
    """
    try:
        card = DatasetCard.load(hf_hub_download(repo_id, "README.md", repo_type="dataset"))
    except (EntryNotFoundError, RepositoryNotFoundError):
        return set()
    except ERRORS as error:
        raise PushError(f"{repo_id} was not pushed: its card cannot be read ({explain(error)})") from error
    configs = card.data.to_dict().get("configs") or [] if MADE_BY in card.text else []
    # Version 0.2 wrote a pattern, which says less than the names of the files.
    paths = [part["path"] for entry in configs for part in entry["data_files"]]
    return {name for names in paths if isinstance(names, list) for name in names}


def dataset_card(
    counts: Counter[tuple[str, str]],
    shards: Counter[str],
    skipped: Counter[str],
    *,
    name: str,
    source: str,
    short_side: int,
    min_colorfulness: float,
    license: str,
) -> DatasetCard:
    """Render the card.

    Args:
        counts: Pictures by split and source.
        shards: Parquet files by split.
        skipped: Files that were skipped, by kind.
        name: The Hub id of the data set, or the name of its folder.
        source: Name of the folder or Hub id of the data set that it was made of.
        short_side: Pixels that pictures were made smaller to.
        min_colorfulness: What less colorful pictures are skipped below.
        license: What the publisher stated, as the Hub calls it.
    """
    total, splits = counts.total(), sorted({split for split, _ in counts}, key=order_of_splits)
    # By name, not by a pattern: others' files may lie in the same repository.
    data_files = [{"split": split, "path": shard_names(split, shards[split])} for split in splits]
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
        source=source,
        total=total,
        splits=splits,
        shards=", ".join(f"{split} {shards[split]}" for split in splits),
        rows=[
            (split, source.replace("|", "\\|"), counts[split, source])
            for split, source in sorted(counts, key=lambda key: (order_of_splits(key[0]), key[1]))
        ],
        quality=QUALITY,
        short_side=short_side,
        skipped=[(count, _WHY.get(kind, kind).format(min_colorfulness)) for kind, count in skipped.most_common()],
        license=license,
    )
