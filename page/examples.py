"""Photographs for the page's examples and the cards' sample sheets: old ones, and some that come with packages."""

import importlib.util
from pathlib import Path

HISTORIC = Path(__file__).parent / "photographs"  # SOURCES.md there says whose they are
_WANTED = {
    "skimage": ["data/camera.png", "data/rocket.jpg"],
    "gradio": ["media_assets/images/tower.jpg"],
}


def examples() -> list[Path]:
    """The old photographs, then files out of installed packages, found without importing them; those that are there."""
    found = sorted(HISTORIC.glob("*.jpg"))
    for package, files in _WANTED.items():
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            found += [Path(folder) / file for file in files if (Path(folder) / file).is_file()]
    return found
