"""The trainer, and then which of gloo's threads are left for the interpreter's end."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from train.__main__ import main

try:
    main()
finally:
    names = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
    # In one piece: print writes the line's end by itself, and the other process may come between.
    os.write(1, f"left: {[name for name in names if 'gloo' in name]}\n".encode())
