"""Before and after: a gray picture and its colored version in one picture, or in a short moving one."""

import io
from collections.abc import Iterator

import av
from PIL import Image, ImageDraw, ImageFont

from colorization import label

_LINE = 4  # px between the two, in a picture of 1,000 px; wider and narrower ones in proportion
_WHITE = (255, 255, 255)
_RATE = 20  # frames per second of a loop
_HOLD, _SWEEP = 14, 18  # frames that a version stands still, and that the line needs to cross the picture


def side_by_side(before: Image.Image, after: Image.Image, credit: str = "") -> Image.Image:
    """Put two versions of a picture beside each other, or one above the other where the picture is wide.

    Args:
        before: Any mode.
        after: Of the same size.
        credit: A line under them; nothing for none.

    Returns:
        Mode RGB.
    """
    width, height = before.size
    line = _line(before)
    across, down = (0, 1) if width > 1.2 * height else (1, 0)
    size = width + across * (width + line), height + down * (height + line)
    both = Image.new("RGB", size, _WHITE)
    both.paste(before.convert("RGB"))
    both.paste(after, (across * (width + line), down * (height + line)))
    return _credited(both, credit)


def diagonal(before: Image.Image, after: Image.Image, credit: str = "") -> Image.Image:
    """Put two versions of a picture on either side of a diagonal line; see `side_by_side`."""
    width, height = before.size
    top, bottom = round(0.6 * width), round(0.4 * width)
    # Drawn at half its size and enlarged, the edge is smooth.
    mask = Image.new("L", (max(1, width // 2), max(1, height // 2)))
    edge = [(top / 2, 0), (mask.width, 0), (mask.width, mask.height), (bottom / 2, mask.height)]
    ImageDraw.Draw(mask).polygon(edge, fill=255)
    both = before.convert("RGB")
    both.paste(after, mask=mask.resize(before.size, Image.Resampling.BILINEAR))
    ImageDraw.Draw(both).line([(top, 0), (bottom, height)], _WHITE, _line(before))
    return _credited(both, credit)


def sweep(before: Image.Image, after: Image.Image) -> Iterator[Image.Image]:
    """Frames in which a line crosses the picture and uncovers the other version, there and back; an endless loop."""
    before, after = before.convert("RGB"), after.convert("RGB")
    width, height = before.size
    line = _line(before)
    for start in (before, after):
        yield from [start] * _HOLD
        for step in range(1, _SWEEP):
            eased = (step / _SWEEP) ** 2 * (3 - 2 * step / _SWEEP)
            at = round(width * (eased if start is before else 1 - eased))
            frame = before.copy()
            frame.paste(after.crop((0, 0, at, height)))
            frame.paste(_WHITE, (max(0, at - line // 2), 0, min(width, at + (line + 1) // 2), height))
            yield frame


def mp4(frames: Iterator[Image.Image], model: str = "") -> bytes:
    """Encode frames as an H.264 video without sound.

    Args:
        frames: Of one size; what is odd in width or height loses a line.
        model: Whose colors they have, for the label; without one it gets none.
    """
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=_RATE, options={"crf": "20", "preset": "veryfast"})
        stream.pix_fmt = "yuv420p"
        for number, picture in enumerate(frames):
            even = picture.crop((0, 0, picture.width & ~1, picture.height & ~1))
            if number == 0:
                stream.width, stream.height = even.size
            container.mux(stream.encode(av.VideoFrame.from_image(even)))
        container.mux(stream.encode(None))
    return buffer.getvalue() + label.mp4_box(label.xmp(model))


def gif(frames: Iterator[Image.Image], model: str = "") -> bytes:
    """Encode every second frame as an animated GIF without end, of 256 colors that all of them share; see `mp4`."""
    pictures = list(frames)[::2]
    both = Image.new("RGB", (pictures[0].width, 2 * pictures[0].height))  # the two versions hold all colors there are
    both.paste(pictures[0])
    both.paste(pictures[len(pictures) // 2], (0, pictures[0].height))
    palette = both.quantize(256, Image.Quantize.MEDIANCUT)
    first, *others = [picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG) for picture in pictures]
    buffer = io.BytesIO()
    first.save(buffer, "gif", save_all=True, append_images=others, duration=2000 // _RATE, loop=0)
    file = buffer.getvalue()
    return file[:-1] + label.gif_block(label.xmp(model)) + file[-1:]


def _line(picture: Image.Image) -> int:
    return max(2, round(_LINE * max(picture.size) / 1000))


def _credited(picture: Image.Image, credit: str) -> Image.Image:
    """The picture with a line of text under it."""
    if not credit:
        return picture
    size = max(12, picture.width // 50)
    whole = Image.new("RGB", (picture.width, picture.height + 2 * size), _WHITE)
    whole.paste(picture)
    font = ImageFont.load_default(size=size)
    ImageDraw.Draw(whole).text((size // 2, picture.height + size // 3), credit, fill=(70, 70, 70), font=font)
    return whole
