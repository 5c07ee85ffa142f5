import csv
import io
import struct
import time
import warnings

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from colorization.decode import STRANGERS, DecodeError, decode


def encode(picture, kind="png", **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"])
def test_accepted_formats(photograph, kind):
    picture, notes = decode(encode(photograph, kind))
    assert picture.mode == "RGB" and picture.size == photograph.size and notes == ()


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "webp"])
def test_orientation_is_applied(kind):
    wide = Image.new("RGB", (40, 20), "black")
    wide.paste("white", (0, 0, 20, 20))  # left half white
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise: left becomes top
    upright = decode(encode(wide, kind, exif=exif)).picture
    assert upright.size == (20, 40)
    assert upright.getpixel((10, 5))[0] > 200 and upright.getpixel((10, 35))[0] < 50


@pytest.mark.parametrize(
    ("values", "mode"),
    [
        (np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16), "I;16"),
        (np.linspace(0, 1, 64 * 64).reshape(64, 64).astype(np.float32), "F"),
    ],
)
def test_deep_pictures_are_scaled_not_clipped(values, mode):
    data = encode(Image.fromarray(values), "tiff")
    assert Image.open(io.BytesIO(data)).mode == mode
    pixels = np.asarray(decode(data).picture)[..., 0]
    assert pixels.min() == 0 and pixels.max() == 255
    assert 125 <= np.median(pixels) <= 130


def test_not_a_number_becomes_dark_and_all_of_it_an_error():
    values = np.full((8, 8), 0.5, np.float32)
    values[0, 0] = np.nan
    assert np.asarray(decode(encode(Image.fromarray(values), "tiff")).picture).shape == (8, 8, 3)
    with pytest.raises(DecodeError, match="no finite number"):
        decode(encode(Image.fromarray(np.full((8, 8), np.nan, np.float32)), "tiff"))


def test_hidden_pixels_stay_hidden():
    rgba = np.zeros((8, 8, 4), np.uint8)
    rgba[..., 0] = 200  # a red secret below alpha 0
    picture, notes = decode(encode(Image.fromarray(rgba)))
    assert np.asarray(picture).min() == 255
    assert "transparent" in notes[0]


def test_only_the_first_frame_and_the_user_is_told():
    frames = [Image.new("L", (16, 16), v) for v in (10, 200, 90)]
    picture, notes = decode(encode(frames[0], "gif", save_all=True, append_images=frames[1:]))
    assert picture.getpixel((3, 3)) == (10, 10, 10) and "first" in notes[0]


def test_metadata_does_not_come_along(photograph):
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "a secret")
    assert decode(encode(photograph, pnginfo=text)).picture.info == {}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"hello", "not a JPEG"),
        (b"\0" * (STRANGERS.bytes + 1), "at most 20 MB"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not a JPEG"),
    ],
)
def test_what_is_refused(data, reason):
    with pytest.raises(DecodeError, match=reason):
        decode(data)


def test_truncated_is_refused(photograph):
    for kind in ("jpeg", "png", "webp"):
        data = encode(photograph, kind)
        with pytest.raises(DecodeError, match="is damaged: save it again" if kind == "webp" else "is cut short"):
            decode(data[: len(data) // 2])


def test_too_many_pixels_are_refused_from_the_header():
    start = time.perf_counter()
    with pytest.raises(DecodeError, match="8000x6000 = 48 megapixels"):
        decode(encode(Image.new("1", (8000, 6000))))
    assert time.perf_counter() - start < 2


def test_thousands_of_pages_are_not_counted():
    """A TIFF of 19 MB with 8x8 pages: counting them would take minutes, and one question is enough."""
    data = pages(120_000)
    assert 18_000_000 < len(data) < STRANGERS.bytes
    start = time.perf_counter()
    picture, notes = decode(data)
    assert picture.size == (8, 8) and picture.getpixel((0, 0)) == (90, 90, 90) and "first" in notes[0]
    assert time.perf_counter() - start < 2


def pages(count):
    """A little-endian TIFF: one 8x8 gray strip that all pages share, and one directory of tags per page."""
    tags = [(256, 4, 8), (257, 4, 8), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 4, 8)]
    tags += [(279, 4, 64), (282, 3, 1), (283, 3, 1), (296, 3, 1)]
    size = 2 + 12 * len(tags) + 4
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag[:2], 1, tag[2]) for tag in tags)
    start = 8 + 64
    data = [struct.pack("<2sHI", b"II", 42, start), b"\x5a" * 64]
    for number in range(1, count + 1):
        data.append(directory + struct.pack("<I", start + number * size if number < count else 0))
    return b"".join(data)


def test_corpus(shared):
    """Every hostile or odd file does what a good system does to it, and soon."""
    wrong = []
    with (shared / "corpus/manifest_images.csv").open(encoding="utf-8") as manifest:
        for row in csv.DictReader(manifest):
            data = (shared / "corpus" / row["file"]).read_bytes()
            start = time.perf_counter()
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    size = decode(data).picture.size
                expected = (int(row["upright_w"]), int(row["upright_h"])) if row["upright_w"] else size
                right = "colorize" in row["expect"] and size == expected
                outcome = str(size)
            except DecodeError as error:
                outcome = str(error)
                clear = not error.__cause__ or str(error.__cause__) not in outcome  # the decoder's words are for a log
                right = "clear-error" in row["expect"] and clear
            seconds = time.perf_counter() - start
            if not right or seconds > 5:
                wrong.append(f"{row['file']} ({row['odd']}): {outcome}, {seconds:.1f} s; expected {row['expect']}")
    assert not wrong, "\n".join(wrong)


def test_a_large_jpeg_may_be_decoded_smaller_and_nothing_else_may(photograph):
    for kind, smaller in (("jpeg", (320, 214)), ("png", photograph.size)):
        buffer = io.BytesIO()
        photograph.save(buffer, kind)
        assert decode(buffer.getvalue(), at_least=200).picture.size == smaller
        assert decode(buffer.getvalue(), at_least=300).picture.size == photograph.size
        assert decode(buffer.getvalue()).picture.size == photograph.size
