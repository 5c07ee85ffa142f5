"""Archive output: 16 bits of lightness, the label of what a model made, and the source's own words."""

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image, PngImagePlugin

from colorization import deep, encode, words
from colorization.border import Box
from colorization.decode import decode_deep
from colorization.files import Source
from colorization.inference import apply_color
from colorization.jobs import color_to
from colorization.lab import luminance, rgb_to_lab
from colorization.label import Words, xmp
from colorization.levels import stretch
from colorization.options import PictureOptions
from colorization.picture import read
from colorization.text import decoded
from colorization.zoo import load

SOURCE_TYPE = b"http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
SAID = Words("1923:05:12 10:30:00", "풍경 & <hills>", "Kim", "© 1923")


def lightness_of(values):
    """L* of 16 bits, (H, W) or (H, W, 3)."""
    rgb = values[..., None].repeat(3, axis=2) if values.ndim == 2 else values
    return rgb_to_lab(np.moveaxis(rgb / 65535, 2, 0))[0]


@pytest.fixture(scope="module")
def ramp():
    """Every one of the 65,536 grays."""
    return np.arange(65536, dtype=np.uint16).reshape(256, 256)


@pytest.mark.parametrize("chroma", [0.02, 0.2, 0.9])
def test_16_bit_lightness_stays_under_any_color(ramp, chroma):
    ab = np.random.default_rng(0).uniform(-chroma, chroma, (2, 9, 7)).astype(np.float32)
    colored = deep.apply_color(ramp, ab)
    assert colored.dtype == np.uint16 and colored.shape == (256, 256, 3)
    assert np.abs(lightness_of(colored) - lightness_of(ramp)).max() < 0.002, "less than half a level of 16 bits"
    eight = np.asarray(apply_color(Image.fromarray((ramp // 257).astype(np.uint8)), ab))
    assert np.abs(colored / 257 - eight).mean() < 1.5, "the colors are those of 8 bits"
    assert np.array_equal(deep.apply_color(ramp, ab, 0), ramp[..., None].repeat(3, axis=2))


def test_lightness_of_deep_colors():
    colors = np.random.default_rng(0).integers(0, 65536, (200, 300, 3)).astype(np.uint16)
    gray = deep.lightness(colors)
    assert np.abs(luminance(np.stack([gray / 65535] * 3)) - luminance(np.moveaxis(colors / 65535, 2, 0))).max() < 2e-5
    level = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    assert np.array_equal(deep.lightness(level[..., None].repeat(3, axis=2)), level)


def test_levels_of_16_bits_are_stretched_as_those_of_8_and_the_border_is_not(ramp):
    box, ends = Box(0.25, 0.25, 0.75, 0.75), (70, 180)
    stretched = deep.stretch(ramp, ends, box)
    eight = np.asarray(stretch(Image.fromarray((ramp // 257).astype(np.uint8)), ends, box))
    assert np.abs(stretched / 257 - eight).max() < 3, "one level of 8 bits becomes two"
    inside = stretched[64:192, 64:192]
    assert inside.min() == 0 and inside.max() == 65535 and len(np.unique(inside)) > 0.8 * inside.size
    assert np.array_equal(stretched[:64], ramp[:64]) and np.array_equal(stretched[:, :64], ramp[:, :64])


def scan(values, **options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, photometric="rgb" if values.ndim == 3 else "minisblack", metadata=None, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_a_deep_scan_leaves_with_its_16_bits(photograph, strength):
    gray = np.asarray(photograph.convert("L").resize((160, 107))).astype(np.uint16) * 257
    gray[:4] = np.arange(4 * 160).reshape(4, 160)  # shadows that 8 bits do not tell apart
    model = load("unet")
    for values in (gray, gray[..., None].repeat(3, axis=2)):
        options = PictureOptions(strength=strength, format="tiff")
        buffer = io.BytesIO()
        outcome = color_to(buffer, Source(Path("scan.tif"), Path("scan"), data=scan(values)), model, options)
        assert not outcome.errors and not outcome.loses_depth
        with tifffile.TiffFile(io.BytesIO(buffer.getvalue())) as file:
            page = file.pages.first
            result = page.asarray()
            assert page.iccprofile == encode.srgb() and page.photometric == 2
        assert result.dtype == np.uint16
        assert np.abs(lightness_of(result) - lightness_of(gray)).max() < 0.002
        assert np.array_equal(result, gray[..., None].repeat(3, axis=2)) == (strength == 0)
        (_, _), again = decode_deep(buffer.getvalue())
        assert np.abs(again.astype(int) - result).max() <= 1, "its profile says sRGB"
    assert read(Source(Path("scan.tif"), Path("scan"), data=scan(gray)), PictureOptions()).loses_depth


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "tiff"])
def test_every_format_says_what_the_colors_are(kind):
    picture = Image.new("RGB", (40, 30), "teal")
    buffer = io.BytesIO()
    encode.save(picture, buffer, kind, model="unet", words=SAID)
    data = buffer.getvalue()
    assert SOURCE_TYPE in data and b"unet" in data and b"landscape-colorization" in data
    assert words.read(data) == SAID
    assert Image.open(buffer).size == picture.size
    buffer = io.BytesIO()
    encode.save(picture, buffer, kind)
    bare = buffer.getvalue()
    assert b"iptc" not in bare and b"<x:xmpmeta" not in bare and words.read(bare) == Words()
    assert Image.open(buffer).size == picture.size


def test_the_label_says_nothing_else():
    packet = xmp("unet").decode()
    assert "1923" not in packet and "dc:" not in packet and xmp() == b"" and xmp("", Words()) == b""
    assert b"Kim" in xmp("", SAID) and b"DigitalSourceType" not in xmp("", SAID)


def exif(description):
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = description
    exif[ExifTags.Base.Artist] = b"Kim"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "1923:05:12 10:30:00"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (37.0, 30.0, 0.0)
    return exif


def saved(kind, **options):
    buffer = io.BytesIO()
    Image.new("L", (40, 30), 90).save(buffer, kind, **options)
    return buffer.getvalue()


def test_words_are_read_wherever_a_program_writes_them():
    for kind in ("jpeg", "png", "webp"):
        for encoding in ("utf-8", "cp949"):
            said = words.read(saved(kind, exif=exif("설악산 풍경".encode(encoding))))
            assert said == Words("1923:05:12 10:30:00", "설악산 풍경", "Kim", ""), (kind, encoding)
    info = PngImagePlugin.PngInfo()
    info.add_itxt("Description", "설악산")
    assert words.read(saved("png", pnginfo=info)).description == "설악산"
    assert words.read(saved("jpeg", xmp=xmp("", SAID))) == SAID
    tags = [(315, 2, 4, b"Kim\0", True), (700, 1, len(xmp("", SAID)), xmp("", SAID), True)]
    gray = np.zeros((8, 8), np.uint16)
    assert words.read(scan(gray, description="설악산".encode(), extratags=tags)) == SAID._replace(description="설악산")
    for broken in (
        saved("jpeg", xmp=b"<x:xmpmeta>"),
        saved("png", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"),
        b"II*\0" + bytes(20),
    ):
        assert words.read(broken) == Words()


def test_a_result_keeps_what_was_asked_for_and_nothing_else(photograph):
    data = saved("jpeg", exif=exif("설악산 풍경".encode()))
    model = load("unet")
    for keep in (False, True):
        options = PictureOptions(keep_metadata=keep, label=False)
        buffer = io.BytesIO()
        color_to(buffer, Source(Path("old.jpg"), Path("old"), data=data), model, options)
        said = words.read(buffer.getvalue())
        assert said == (Words("1923:05:12 10:30:00", "설악산 풍경", "Kim", "") if keep else Words())
        assert not Image.open(buffer).getexif().get_ifd(ExifTags.IFD.GPSInfo)
        assert SOURCE_TYPE not in buffer.getvalue()


@pytest.mark.parametrize(
    "text", ["풍경", "제주 바다 2", "한라산 日出", "똠방각하와 펲시콜라", "naïve", "Größe", "plain"]
)
def test_text_of_unknown_encoding(text):
    assert decoded(text.encode(), "cp437") == text
    legacy = "cp437" if text.isascii() or text[0] < "\u0300" else "cp949"
    assert decoded(text.encode(legacy), "cp437") == text


def test_what_a_format_cannot_hold_is_said():
    for kind, side in (("webp", 16_384), ("jpeg", 65_501)):
        with pytest.raises(encode.EncodeError, match="pixels a side: choose png or tiff"):
            encode.save(Image.new("L", (side, 1)), io.BytesIO(), kind)
