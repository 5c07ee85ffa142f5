"""An evaluation as Markdown."""

from typing import Any

GRAY, CONSTANT, TRUTH = "gray", "constant", "truth"
_HEADS = {
    "psnr": "PSNR (dB)",
    "ssim": "SSIM",
    "delta_e": "delta E 2000",
    "lpips": "LPIPS",
    "colorfulness": "colorfulness",
    "colorfulness_error": "its error",
    "fid": "FID",
}
_DIGITS = {"ssim": 4, "lpips": 3, "colorfulness": 1, "colorfulness_error": 1, "fid": 1}  # others have 2


def means_table(result: dict[str, Any]) -> str:
    """Means and maxima of every row, with a column for each measure that was taken."""
    rows = result["rows"]
    extras = [name for name in ("colorfulness_error", "lpips", "fid") if any(name in row for row in rows.values())]
    heads = [
        "PSNR mean / max (dB)",
        "SSIM mean / max",
        "delta E 2000",
        "colorfulness (of truth's)",
        *(_HEADS[e] for e in extras),
    ]
    lines = [f"| | {' | '.join(heads)} |", f"|{'---|' * (len(heads) + 1)}"]
    for row, means in rows.items():
        color = f"{means['colorfulness']:.1f}"
        if row == TRUTH:
            cells = ["", "", "", color, *("" for _ in extras)]
        else:
            share = f" ({means['colorfulness_share']:.0%})" if "colorfulness_share" in means else ""
            cells = [
                f"{means['psnr_mean']:.2f} / {means['psnr_max']:.2f}",
                f"{means['ssim_mean']:.4f} / {means['ssim_max']:.4f}",
                f"{means['delta_e']:.2f}",
                color + share,
                *(f"{means[name]:.{_DIGITS.get(name, 2)}f}" if name in means else "" for name in extras),
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
    digits, sign = _DIGITS.get(name, 2), "+" if signed else ""
    return f"{value:{sign}.{digits}f} [{low:{sign}.{digits}f}, {high:{sign}.{digits}f}]"
