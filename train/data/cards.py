"""Cards of data sets: which files their README says make up which split, and under which license they are."""

import fnmatch
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from datasets.data_files import sanitize_patterns
from datasets.utils.metadata import MetadataConfigs
from huggingface_hub import DatasetCard, DatasetCardData

from train.data.walk import File, Skipped

NOT_NAMED = "in no split of README.md"


def read_card(readme: Path) -> DatasetCardData:
    """What the front matter of a README says; nothing if there is none."""
    try:
        return DatasetCard.load(readme).data if readme.is_file() else DatasetCardData()
    except Exception:  # a README need not be a card, and may hold anything at all
        return DatasetCardData()


def configurations(card: DatasetCardData) -> MetadataConfigs:
    """The configurations of a data set; empty if there are none that can be understood."""
    try:
        return MetadataConfigs.from_dataset_card_data(card)
    except ValueError:
        return MetadataConfigs()


def stated_license(card: DatasetCardData) -> str | None:
    """The license of a data set, as the Hub calls it, or by its own name."""
    stated = card.get("license_name") if card.get("license") == "other" else None
    names = stated or card.get("license") or []
    return ", ".join([names] if isinstance(names, str) else map(str, names)) or None


def configured(
    files: list[File], configs: MetadataConfigs, name: str | None
) -> tuple[list[File], list[Skipped]] | None:
    """Give files the splits of a configuration.

    Args:
        files: All that there are.
        configs: Not empty.
        name: Which of the configurations; None takes the default one.

    Returns:
        The files with their splits, and those that are in none; None if there is no file of that configuration, as
        where only a part was downloaded.

    Raises:
        ValueError: If there is no such configuration, or one must be chosen.
    """
    chosen = name or configs.get_default_config_name() or (next(iter(configs)) if len(configs) == 1 else None)
    if chosen not in configs:
        problem = f"it has no configuration {chosen}" if chosen else "it has several configurations"
        raise ValueError(f"{problem}: choose with --dataset-config from {', '.join(configs)}")
    patterns = list(_patterns(configs[chosen]))
    splits = [next((split for split, pattern in patterns if fnmatch.fnmatch(f.name, pattern)), None) for f in files]
    if not any(splits):
        return None
    inside = [file._replace(split=split) for file, split in zip(files, splits, strict=True) if split]
    outside = [Skipped(file.name, NOT_NAMED) for file, split in zip(files, splits, strict=True) if not split]
    return inside, outside


def _patterns(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Splits and the patterns of their files."""
    folder = str(config.get("data_dir", "")).strip("./")
    for split, patterns in sanitize_patterns(config.get("data_files", "*")).items():
        for pattern in patterns:
            yield str(split), f"{folder}/{pattern}" if folder else str(pattern).removeprefix("./")
