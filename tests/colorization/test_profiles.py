"""What a file says its numbers mean: ICC profiles, PNG's color chunks, code points; at 8 and at 16 bits."""

import base64
import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from colorization.decode import DecodeError, decode, decode_deep, profiles

RAMP = np.arange(0, 256, 5, dtype=np.uint8)
LINEAR = imagecodecs.cms_profile("gray", whitepoint=(0.3127, 0.3290), gamma=1.0)
DARK_GRAY = imagecodecs.cms_profile("gray", whitepoint=(0.3127, 0.3290), gamma=1.4)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
P3 = (0.3127, 0.3290, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)


def encoded(linear):
    """sRGB of linear light, both in [0, 1]."""
    return np.where(linear > 0.0031308, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055, 12.92 * linear)


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(values, *chunks):
    """A PNG of 8 or 16 bits with chunks before its pixels."""
    values = values if values.ndim == 3 else values[..., None]
    height, width, bands = values.shape
    rows = values.astype(f">u{values.itemsize}").reshape(height, -1)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    head = struct.pack(">IIBBBBB", width, height, 8 * values.itemsize, {1: 0, 2: 4, 3: 2, 4: 6}[bands], 0, 0, 0)
    parts = [chunk(b"IHDR", head), *(chunk(*c) for c in chunks), chunk(b"IDAT", data), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def gama(value):
    return b"gAMA", struct.pack(">I", round(value * 100_000))


def chrm(*values):
    return b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in values))


def cicp(primaries, transfer, matrix=0):
    return b"cICP", bytes((primaries, transfer, matrix, 1))


def iccp(profile):
    return b"iCCP", b"x\0\0" + zlib.compress(profile)


COLORS = np.stack((RAMP, RAMP // 2, 255 - RAMP), axis=1)[None]
CHUNKS = {
    "gAMA of a Mac": [gama(1 / 1.8)],
    "linear gAMA": [gama(1)],
    "usual gAMA": [gama(0.45455)],
    "nearly usual gAMA": [gama(0.44)],
    "gAMA 0": [gama(0)],
    "gAMA and cHRM": [gama(0.45455), chrm(*P3)],
    "cHRM alone": [chrm(*P3)],
    "sRGB before gAMA": [(b"sRGB", b"\0"), gama(1 / 1.8)],
    "iCCP before gAMA": [iccp(SRGB), gama(1 / 1.8)],
    "cICP before iCCP": [cicp(1, 8), iccp(SRGB)],
    "cICP of sRGB before gAMA": [cicp(1, 13), gama(1 / 1.8)],
    "cICP of P3": [cicp(12, 13)],
    "cICP of video": [cicp(1, 1)],
    "cICP of gamma 2.8": [cicp(1, 5)],
    "cICP that says nothing": [cicp(2, 2)],
}


def test_png_is_read_as_a_browser_shows_it(browser):
    """Chromium itself is asked; it rounds in another order, and clips colors outside sRGB as we do."""
    page = browser.new_page()
    ask = """async source => {
        const image = new Image(); image.src = 'data:image/png;base64,' + source; await image.decode()
        const canvas = document.createElement('canvas'); canvas.width = image.width; canvas.height = 1
        const context = canvas.getContext('2d'); context.drawImage(image, 0, 0)
        return Array.from(context.getImageData(0, 0, image.width, 1).data)}"""
    for name, chunks in CHUNKS.items():
        for values in (RAMP[None], COLORS):
            data = png(values, *chunks)
            shown = np.array(page.evaluate(ask, base64.b64encode(data).decode())).reshape(1, -1, 4)[..., :3]
            difference = np.abs(np.asarray(decode(data).picture).astype(int) - shown)
            assert difference.max() <= 2, (name, values.shape, difference.max())
    page.close()


def test_gama_without_a_browser():
    shown = np.asarray(decode(png(RAMP[None], gama(1 / 1.8))).picture)[0, :, 0]
    assert np.abs(shown - 255 * encoded((RAMP / 255) ** 1.8)).max() <= 1


def test_high_dynamic_range_is_refused_with_its_reason():
    for transfer in (16, 18):
        with pytest.raises(DecodeError, match="high dynamic range"):
            decode(png(RAMP[None], cicp(9, transfer)))
    buffer = io.BytesIO()
    Image.fromarray(np.tile(RAMP, (52, 1))).save(buffer, "avif")
    data = buffer.getvalue()
    at = data.index(b"nclx") + 4
    assert decode(data).picture.size == (52, 52)
    with pytest.raises(DecodeError, match="high dynamic range"):
        decode(data[:at] + b"\0\x09\0\x10" + data[at + 4 :])


@pytest.mark.parametrize("kind", ["tiff", "png"])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_gray_profile_counts_with_alpha_too(kind, bits):
    gray = (np.tile(RAMP, (8, 1)).astype(np.uint16) * (257 if bits == 16 else 1)).astype(f"u{bits // 8}")
    both = np.dstack((gray, np.full_like(gray, 2**bits - 1)))
    if kind == "png":
        plain, alpha = (png(values, iccp(DARK_GRAY)) for values in (gray, both))
    else:
        plain, alpha = tiff(gray, iccprofile=DARK_GRAY), tiff(both, iccprofile=DARK_GRAY, extrasamples=["unassalpha"])
    shown = np.asarray(decode(plain).picture)
    assert np.array_equal(shown, np.asarray(decode(alpha).picture))
    assert np.abs(shown[0, :, 0] - 255 * encoded((RAMP / 255) ** 1.4)).max() <= 1


def tiff(values, **options):
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer, values, photometric="rgb" if values.shape[-1] == 3 else "minisblack", metadata=None, **options
    )
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["gray tiff", "rgb tiff", "gray png", "rgb png"])
def test_a_linear_scan_keeps_its_shadows(kind):
    """The profile is applied to 16 bits: there are as many levels as the numbers have, not as 8 bits of them."""
    levels = np.arange(0, 65536, dtype=np.uint16).reshape(256, 256)
    profile = LINEAR if "gray" in kind else profiles.from_curve(1.0)
    values = levels if "gray" in kind else np.repeat(levels[..., None], 3, axis=2)
    data = tiff(values, iccprofile=profile) if "tiff" in kind else png(values, iccp(profile))
    (picture, _), deep = decode_deep(data)
    expected = encoded(levels / 65535)
    shown = np.asarray(picture)[..., 0]
    assert np.array_equal(np.unique(shown[shown < 64]), np.arange(64))
    assert np.abs(shown - 255 * expected).max() <= 0.6
    assert np.abs((deep if deep.ndim == 2 else deep[..., 1]) - 65535 * expected).max() <= 2


def test_deep_colors_agree_with_little_cms():
    """Colors of a matrix profile go through three tables; others through the library itself."""
    colors = np.random.default_rng(0).integers(0, 65536, (40, 50, 3)).astype(np.uint16)
    adobe = imagecodecs.cms_profile("adobergb")
    flags = imagecodecs.CMS.FLAGS.NOOPTIMIZE
    for data in (tiff(colors, iccprofile=adobe), png(colors, iccp(adobe))):
        deep = decode_deep(data)[1]
        direct = imagecodecs.cms_transform(
            colors, adobe, imagecodecs.cms_profile("srgb"), colorspace="rgb", outcolorspace="rgb", flags=flags
        )
        assert np.abs(deep.astype(int) - direct).max() <= 40, "levels of 65535"


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_png_of_16_bits(bands):
    values = np.random.default_rng(0).integers(0, 65536, (30, 40, bands)).astype(np.uint16)
    (picture, notes), deep = decode_deep(png(values))
    colors, alpha = (values[..., :-1], values[..., -1:] / 65535) if bands in (2, 4) else (values, 1)
    expected = np.rint(colors * alpha + 65535.0 * (1 - alpha)).squeeze()
    assert np.abs(deep - expected).max() <= 1
    assert np.abs(np.asarray(picture) - expected.reshape(30, 40, -1) / 257).max() <= 0.51
    assert bool(notes) == (bands in (2, 4))
    for part in (0.5, 0.9, 0.99):
        with pytest.raises(DecodeError, match="cut short"):
            decode(png(values)[: int(len(png(values)) * part)])
    damaged = bytearray(png(values))
    damaged[len(damaged) // 2] ^= 1
    with pytest.raises(DecodeError, match="is damaged"):
        decode(bytes(damaged))


def test_a_profile_of_another_kind_of_picture_is_ignored():
    for values, profile in ((RAMP[None], SRGB), (COLORS, LINEAR)):
        for deep in (values, values.astype(np.uint16) * 257):
            assert np.array_equal(
                np.asarray(decode(png(deep, iccp(profile))).picture), np.asarray(decode(png(deep)).picture)
            )
            assert np.array_equal(
                np.asarray(decode(tiff(deep, iccprofile=b"no profile")).picture)[..., 0].squeeze(),
                values[..., 0].squeeze() if values.ndim == 3 else values.squeeze(),
            )


def test_heic_is_read_where_its_library_is_installed():
    heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    wide = Image.fromarray(np.tile(RAMP, (20, 1)))
    exif = Image.Exif()
    exif[0x0112] = 6
    heif.from_pillow(wide.convert("RGB")).save(buffer, quality=-1, exif=exif.tobytes())
    picture = decode(buffer.getvalue()).picture
    assert picture.size == (20, 52) and np.abs(np.asarray(picture)[:, 5, 0] - RAMP.astype(int)).max() <= 3
