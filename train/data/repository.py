"""Data sets on the Hub: which of a repository's files are which split."""

from pathlib import Path
from typing import NamedTuple

import datasets
from datasets.packaged_modules.parquet.parquet import Parquet
from datasets.packaged_modules.webdataset.webdataset import WebDataset
from huggingface_hub import DatasetCardData, HfFileSystem, hf_hub_download
from huggingface_hub.errors import EntryNotFoundError

from train.data.cards import configurations, configured, read_card, stated_license
from train.data.listing import Listing, listed
from train.data.rows import printable
from train.data.walk import File, Skipped


class Contents(NamedTuple):
    """What a repository holds."""

    listing: Listing
    others: dict[str, datasets.IterableDataset]
    """By split, in a form that only `datasets` reads; the listing is then empty."""
    root: str
    """URL of its files."""
    license: str | None
    """What its card says."""


def contents(repo_id: str, config: str | None, revision: str | None) -> Contents:
    """Find the files of each split, as `datasets` does; of pictures in folders as on this machine.

    Args:
        repo_id: "namespace/name" or "name".
        config: Configuration, where there are several.
        revision: Branch, tag or commit.

    Raises:
        ValueError: If there is no such configuration, or the data set is a program.
        OSError, datasets.exceptions.DatasetNotFoundError: If it is not there, or the Hub does not answer.
    """
    try:
        builder = datasets.load_dataset_builder(repo_id, config, revision=revision)
    except RuntimeError as error:
        if "scripts" not in str(error):
            raise
        raise ValueError(
            "it is made by a program of its own, which is not run here; of many such data sets the Hub has a copy in "
            "parquet: try --dataset-revision refs/convert/parquet"
        ) from error
    root = str(builder.base_path)
    files = {str(split): list(f) for split, f in (builder.config.data_files or {}).items()}
    card = _card(repo_id, root.rpartition("@")[2])
    others: dict[str, datasets.IterableDataset] = {}
    if isinstance(builder, Parquet):
        listing = Listing(parquet=files)
    elif isinstance(builder, WebDataset):
        listing = Listing(tars=files)
    else:
        # Also where `datasets` takes it for something else: pictures with as many captions are text to it.
        listing = _pictures(repo_id, config, root, card)
        if not listing.splits:
            others = {str(split): stream for split, stream in builder.as_streaming_dataset().items()}
    return Contents(listing, others, root, stated_license(card))


def _card(repo_id: str, commit: str) -> DatasetCardData:
    """What a repository's README says; nothing if there is none."""
    try:
        return read_card(Path(hf_hub_download(repo_id, "README.md", repo_type="dataset", revision=commit)))
    except EntryNotFoundError:
        return DatasetCardData()


def _pictures(repo_id: str, config: str | None, root: str, card: DatasetCardData) -> Listing:
    """The pictures of a repository; the same rules for folders of the Hub and of this machine."""
    prefix = root.removeprefix("hf://")
    paths = sorted(path.removeprefix(f"{prefix}/") for path in HfFileSystem().find(prefix))
    files = [File(f"{root}/{path}", printable(path), tuple(map(printable, path.split("/")[:-1]))) for path in paths]
    skipped: list[Skipped] = []
    if (configs := configurations(card)) and (sorted_out := configured(files, configs, config)):
        files, skipped = sorted_out
    return listed(repo_id.rpartition("/")[2], files, skipped)
