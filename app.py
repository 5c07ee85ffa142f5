"""The page: one photograph, three models, side by side. Run it with `python app.py`."""

import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

# Uploads and results belong in a folder of their own, not where the app was started; gradio reads this on import.
os.environ.setdefault("GRADIO_TEMP_DIR", str(Path(tempfile.gettempdir()) / "landscape-colorization"))
import page.gpu  # noqa: F401 - before torch
from colorization.decode import MAX_BYTES
from page.demo import LOOK, build_demo
from page.models import Models, hub_models

LAUNCH: dict[str, Any] = {
    "max_file_size": MAX_BYTES,
    "show_error": False,
    "strict_cors": True,
    "enable_monitoring": False,
    "state_session_capacity": 500,
    "allowed_paths": [],
}


def main() -> None:
    """Open the page on the embedded models, then bring those of the Hub if the environment names a namespace."""
    logging.basicConfig(format="%(name)s: %(message)s")
    logging.getLogger("colorization").setLevel(logging.INFO)
    try:
        source = hub_models(os.environ)
    except ValueError as error:
        sys.exit(f"app: {error}")
    models = Models()
    if source:
        models.pull(source)
    build_demo(models).launch(**LAUNCH, **LOOK)


if __name__ == "__main__":
    main()
