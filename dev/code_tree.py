"""The tree of docs/CODE.md, from the first line of each file: `make docs` writes it, a test compares it."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/CODE.md"
FOLDERS = ("colorization", "page", "train", "recipes", "benchmarks", "dev")
_PLACE = re.compile(r"(?<=<!-- tree -->\n).*?(?=<!-- end of tree -->)", re.S)


def clause(file: Path) -> str:
    """What a file says of itself: the first line of a module's docstring, or the first comment of another file."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".py":
        first = (ast.get_docstring(ast.parse(text)) or "").split("\n")[0]
    else:
        match = re.search(r"^(?:# |// |/\* |<!-- )(.*?)(?: \*/| -->)?$", text, re.M)
        first = match[1] if match else ""
    return first.rstrip(".:")


def entries(folder: Path, depth: int = 0) -> list[str]:
    """A line for a folder and for each file in it, files before folders."""
    line = f"{'  ' * depth}- `{folder.name}/`"
    lines = [f"{line}: {clause(folder / '__init__.py')}" if (folder / "__init__.py").exists() else line]
    files = (file for suffix in ("py", "js", "css", "html", "sh", "sbatch") for file in folder.glob(f"*.{suffix}"))
    for file in sorted(files):
        if file.name != "__init__.py":
            lines.append(f"{'  ' * (depth + 1)}- `{file.name}`: {clause(file)}")
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        if any(inner.rglob("*.py")):
            lines += entries(inner, depth + 1)
    return lines


def rendered(text: str) -> str:
    """The page with the tree as it is now."""
    lines = [f"- `app.py`: {clause(ROOT / 'app.py')}"]
    for name in FOLDERS:
        lines += entries(ROOT / name)
    return _PLACE.sub(lambda _: "\n".join(lines) + "\n", text)


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
