"""An evaluation as Markdown."""

from typing import Any

GRAY, CONSTANT, TRUTH = "gray", "constant", "truth"
_HEADS = {
    "psnr": "PSNR (dB)",
    "ssim": "SSIM",
    "delta_e": "delta E 2000",
    "colorfulness": "colorfulness",
    "colorfulness_error": "its error",
    "fid": "FID",
}


def table(result: dict[str, Any]) -> str:
    """Means and maxima of every row; FID and colorfulness' error where they were measured."""
    rows = result["rows"]
    extras = [name for name in ("colorfulness_error", "fid") if any(name in row for row in rows.values())]
    heads = ["PSNR mean / max (dB)", "SSIM mean / max", "delta E 2000", "colorfulness", *map(_HEADS.get, extras)]
    lines = [f"| | {' | '.join(map(str, heads))} |", f"|{'---|' * (len(heads) + 1)}"]
    for row, m in rows.items():
        if row == TRUTH:
            cells = ["", "", "", f"{m['colorfulness']:.1f}", *("" for _ in extras)]
        else:
            cells = [
                f"{m['psnr_mean']:.2f} / {m['psnr_max']:.2f}",
                f"{m['ssim_mean']:.4f} / {m['ssim_max']:.4f}",
                f"{m['delta_e']:.2f}",
                f"{m['colorfulness']:.1f}",
                *(f"{m[name]:.1f}" if name in m else "" for name in extras),
            ]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(lines).replace("|  |", "| |").replace("|  |", "| |")


def interval_table(result: dict[str, Any]) -> str:
    """Every row's means with their 95 % bootstrap intervals."""
    return _intervals(result["intervals"])


def difference_table(result: dict[str, Any]) -> str:
    """Paired differences with their 95 % intervals; one whose interval holds zero is called none."""
    return _intervals(result["differences"], none=True)


def _intervals(rows: dict[str, dict[str, list[float]]], none: bool = False) -> str:
    """A table of (value, low, high)."""
    names = [name for name in _HEADS if any(name in row for row in rows.values())]
    lines = [f"| | {' | '.join(_HEADS[name] for name in names)} |", f"|{'---|' * (len(names) + 1)}"]
    for label, row in rows.items():
        cells = [_cell(name, row[name], signed=none) if name in row else "" for name in names]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(name: str, interval: list[float], signed: bool) -> str:
    """`value [low, high]`, with the digits that its measure deserves."""
    value, low, high = interval
    if signed and low <= 0 <= high:
        return "none"
    digits, sign = {"ssim": 4, "colorfulness": 1, "colorfulness_error": 1, "fid": 1}.get(name, 2), "+" if signed else ""
    return f"{value:{sign}.{digits}f} [{low:{sign}.{digits}f}, {high:{sign}.{digits}f}]"
