"""Pictures in a labeled grid: one row per photograph, one column per version of it."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

_LINE, _GAP = 22, 4


def contact_sheet(rows: Sequence[Sequence[Image.Image]], titles: Sequence[str], height: int = 160) -> Image.Image:
    """Lay out pictures side by side under their titles.

    Args:
        rows: As many pictures per row as there are titles; all of one row share an aspect ratio.
        titles: One per column.
        height: Of every picture on the sheet, in pixels; wide ones are shrunk to twice this width.

    Returns:
        The sheet, mode RGB.

    Raises:
        ValueError: If there is no row, or a row is not as long as the titles.
    """
    if not rows or any(len(row) != len(titles) for row in rows):
        raise ValueError(f"got {len(rows)} rows, expected one or more, each with {len(titles)} pictures")
    cell = max(min(2 * height, round(height * row[0].width / row[0].height)) for row in rows)
    sheet = Image.new("RGB", (len(titles) * (cell + _GAP), _LINE + len(rows) * (height + _GAP)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=14)
    for column, title in enumerate(titles):
        draw.text((column * (cell + _GAP) + 2, 2), title, fill="black", font=font)
        for line, row in enumerate(rows):
            small = row[column].copy()
            small.thumbnail((cell, height), Image.Resampling.LANCZOS)
            if small.height < height and small.width < cell:  # training crops may be smaller than a cell
                small = small.resize((round(height * small.width / small.height), height), Image.Resampling.LANCZOS)
            sheet.paste(small, (column * (cell + _GAP), _LINE + line * (height + _GAP)))
    return sheet


def grid(pictures: Sequence[Image.Image], titles: Sequence[str], columns: int = 4, height: int = 160) -> Image.Image:
    """Lay out versions of one photograph in as many rows as they need; see `contact_sheet`."""
    starts = range(0, len(pictures), columns)
    rows = [contact_sheet([pictures[at : at + columns]], titles[at : at + columns], height) for at in starts]
    sheet = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)), "white")
    for number, row in enumerate(rows):
        sheet.paste(row, (0, number * rows[0].height))
    return sheet
