"""The page: one photograph, three models, side by side. Run it with `python app.py`, see `python app.py --help`."""

import os
import sys

from page.guard.files import own_folder
from page.options import parse


def main() -> None:
    """Read the options and serve."""
    options = parse(sys.argv[1:], os.environ)
    # gradio reads these when it is imported, so it is imported last.
    os.environ["GRADIO_TEMP_DIR"] = str(own_folder(os.environ.get("GRADIO_TEMP_DIR")))
    import page.gpu  # noqa: F401 - before torch
    from page.server import serve

    serve(options)


if __name__ == "__main__":
    main()
