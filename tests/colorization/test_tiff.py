"""TIFF as scanners and archives write it: one scene in every kind of file is the same picture, or refused."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from colorization.decode import DecodeError, decode, decode_deep

HEIGHT, WIDTH = 50, 70
COMPRESSIONS = (None, "lzw", "zlib", "packbits", "zstd", "lzma")


def scene():
    """Levels of gray in [0, 1], with black and white in it."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    gray = np.clip(0.5 + 0.4 * np.sin(x / 9) * np.cos(y / 7), 0, 1)
    gray[5:9, 5:20], gray[11:15, 5:20] = 0, 1
    return gray


GRAY = scene()
RGB = np.stack((GRAY, np.roll(GRAY, 7, 1) * 0.9, np.flipud(GRAY) * 0.8), axis=2)
ALPHA = np.tile(np.clip(np.linspace(0, 1.2, WIDTH), 0, 1), (HEIGHT, 1))[..., None]


def numbers(levels, bits):
    return np.rint(levels * (2**bits - 1)).astype(np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.uint32)


def written(values, **options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, metadata=None, **options)
    return buffer.getvalue()


def off(data, truth, tolerance=1.5 / 255):
    """What is wrong with a decoded file; nothing if it shows the truth."""
    picture = np.asarray(decode(data).picture) / 255
    truth = truth if truth.ndim == 3 else truth[..., None]
    if picture.shape[:2] != truth.shape[:2]:
        return f"is {picture.shape}"
    difference = np.abs(picture - truth)
    return (
        "" if difference.max() <= tolerance else f"is off by {difference.max():.3f}, {difference.mean():.3f} on average"
    )


def storages(dtype):
    """Ways to store the same numbers."""
    for compression in COMPRESSIONS:
        predictors = (False,) if compression in (None, "packbits") else (False, 3 if dtype.kind == "f" else 2)
        for predictor in predictors:
            for layout in ({"rowsperstrip": 7}, {"tile": (16, 16), "byteorder": ">", "bigtiff": True}):
                yield {"compression": compression, "predictor": predictor, **layout}


@pytest.mark.parametrize("white_is_zero", [False, True])
@pytest.mark.parametrize("bits", [8, 16, 32])
def test_gray_in_every_storage(bits, white_is_zero):
    values = numbers(1 - GRAY if white_is_zero else GRAY, bits)
    photometric = "miniswhite" if white_is_zero else "minisblack"
    wrong = {str(how): off(written(values, photometric=photometric, **how), GRAY) for how in storages(values.dtype)}
    assert not any(wrong.values()), wrong


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("bits", [8, 16])
def test_rgb_and_cmyk_in_every_storage(bits, planar):
    for photometric, values in (
        ("rgb", numbers(RGB, bits)),
        ("separated", numbers(np.dstack((1 - RGB, 0 * GRAY)), bits)),
    ):
        stored = values if planar == "contig" else np.moveaxis(values, 2, 0)
        options = {"photometric": photometric, "planarconfig": planar}
        wrong = {str(how): off(written(stored, **options, **how), RGB) for how in storages(values.dtype)}
        assert not any(wrong.values()), (photometric, wrong)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_floating_point_numbers(kind):
    for values, photometric in ((GRAY, "minisblack"), (1 - GRAY, "miniswhite"), (RGB, "rgb")):
        truth = values if photometric == "rgb" else GRAY
        stored = values.astype(kind)
        wrong = {
            str(how): off(written(stored, photometric=photometric, **how), truth) for how in storages(stored.dtype)
        }
        assert not any(wrong.values()), (photometric, wrong)
    sharpened = written((GRAY * 1.01 - 0.005).astype(kind), photometric="minisblack")
    assert not off(sharpened, GRAY, 3 / 255), "what sharpening leaves beyond white makes the rest dark"


def packed(values, bits, photometric, order="<"):
    """A TIFF with samples of any number of bits, rows padded to whole bytes."""
    height, width = values.shape[:2]
    samples = values.reshape(height, -1).astype(np.uint32)
    rows = (samples[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    data = np.packbits(rows.astype(np.uint8).reshape(height, -1), axis=1).tobytes()
    data += b"\0" * (len(data) % 2)
    count = samples.shape[1] // width
    tags = [(256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, 1), (262, 3, photometric), (273, 4, 8)]
    tags += [(277, 3, count), (278, 4, height), (279, 4, len(data))]
    directory = struct.pack(f"{order}H", len(tags))
    after = 8 + len(data) + 2 + 12 * len(tags) + 4
    for tag, kind, value in tags:
        if tag == 258 and count > 1:
            directory += struct.pack(f"{order}HHII", tag, 3, count, after)
        else:
            directory += struct.pack(f"{order}HHI", tag, kind, 1) + struct.pack(
                f"{order}{'HH' if kind == 3 else 'I'}", value, *[0] * (kind == 3)
            )
    head = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 8 + len(data))
    return head + data + directory + struct.pack(f"{order}I", 0) + struct.pack(f"{order}{count}H", *[bits] * count)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [1, 2, 4, 10, 12, 14])
def test_packed_samples(bits, order):
    values = numbers(GRAY, bits)
    truth = values / (2**bits - 1)
    assert not off(packed(values, bits, 1, order), truth)
    assert not off(packed(2**bits - 1 - values, bits, 0, order), truth)
    if bits > 8:
        colors = numbers(RGB, bits)
        assert not off(packed(colors, bits, 2, order), colors / (2**bits - 1))


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha", "unspecified"])
def test_extra_samples(kind, bits, planar):
    """Alpha is laid on white, multiplied into the colors already or not; other samples are not shown."""
    for colors, photometric in ((GRAY[..., None], "minisblack"), (1 - GRAY[..., None], "miniswhite"), (RGB, "rgb")):
        light = GRAY[..., None] if photometric == "miniswhite" else colors
        if kind == "assocalpha" and photometric == "miniswhite":
            continue
        stored = numbers(np.dstack((colors * ALPHA if kind == "assocalpha" else colors, ALPHA)), bits)
        stored = stored if planar == "contig" else np.moveaxis(stored, 2, 0)
        data = written(stored, photometric=photometric, planarconfig=planar, extrasamples=[kind], compression="lzw")
        truth = light if kind == "unspecified" else light * ALPHA + 1 - ALPHA
        assert not off(data, truth, 2.5 / 255), photometric
        assert ("transparent" in "".join(decode(data).notes)) == (kind != "unspecified")


def test_an_opaque_alpha_is_not_worth_a_note():
    data = written(
        numbers(np.dstack((GRAY, np.ones_like(GRAY))), 16), photometric="minisblack", extrasamples=["unassalpha"]
    )
    assert decode(data).notes == () and not off(data, GRAY)


def test_palettes_of_8_and_16_bits():
    for largest in (255, 65535):
        ramp = np.tile(np.linspace(largest, 0, 256), (3, 1)).astype(np.uint16)
        assert not off(written(numbers(1 - GRAY, 8), photometric="palette", colormap=ramp), GRAY)
    ramp = np.tile(np.linspace(65535, 0, 65536), (3, 1)).astype(np.uint16)
    assert not off(written(numbers(1 - GRAY, 16), photometric="palette", colormap=ramp), GRAY)


def test_lab_of_both_kinds():
    from skimage.color import rgb2lab

    L, a, b = np.moveaxis(rgb2lab(np.clip(RGB, 0.2, 0.8), illuminant="D50"), 2, 0)
    for bits, scale in ((8, 1), (16, 256)):
        signed = np.rint(np.stack((a, b)) * scale).astype(np.int8 if bits == 8 else np.int16)
        light = numbers(L / 100, bits) if bits == 8 else np.rint(L * 655.35).astype(np.uint16)
        cie = np.dstack((light, *signed.view(light.dtype)))
        icc = np.dstack(
            (light if bits == 8 else np.rint(L * 652.8).astype(np.uint16), *(signed + 128.0 * scale))
        ).astype(light.dtype)
        for photometric, values in (("cielab", cie), ("icclab", icc)):
            picture = np.asarray(decode(written(values, photometric=photometric)).picture)
            assert np.abs(rgb2lab(picture)[..., 0] - L).max() < 2.5, (photometric, bits)
            assert np.abs(picture / 255 - np.clip(RGB, 0.2, 0.8)).mean() < 0.05, "colors are lost"


def test_all_16_bits_are_kept():
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    for photometric, values in (("minisblack", ramp), ("miniswhite", 65535 - ramp)):
        picture, deep = decode_deep(written(values, photometric=photometric, byteorder=">"))
        assert np.array_equal(deep, ramp)
        assert np.array_equal(np.asarray(picture.picture)[..., 0], np.rint(ramp / 257))
    assert decode_deep(written(numbers(GRAY, 8)))[1] is None


def test_bits_that_a_tag_states_are_used():
    twelve = numbers(GRAY, 12)
    stated = written(twelve, photometric="minisblack", extratags=[(281, "H", 1, 4095, True)])
    assert not off(stated, GRAY) and decode(stated).notes == ()
    assert (
        "it is very dark: its numbers end at 4095 of 65535" in decode(written(twelve, photometric="minisblack")).notes
    )


def test_orientation_at_every_depth():
    wide = np.zeros((20, 40))
    wide[:, :20] = 1
    for bits in (8, 16):
        for orientation in range(1, 9):
            tag = (274, "H", 1, orientation, True)
            picture = decode(written(numbers(wide, bits), photometric="minisblack", extratags=[tag])).picture
            exif = Image.Exif()
            exif[274] = orientation
            buffer = io.BytesIO()
            Image.fromarray(numbers(wide, 8)).save(buffer, "png", exif=exif)
            assert np.array_equal(np.asarray(picture), np.asarray(decode(buffer.getvalue()).picture)), (
                bits,
                orientation,
            )


def pages(*kinds):
    """A TIFF of several pages: each a scale of the scene, and what its tags say."""
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        for scale, options in kinds:
            small = np.asarray(Image.fromarray(numbers(GRAY, 8)).resize((WIDTH * scale // 8, HEIGHT * scale // 8)))
            file.write(options.pop("values", small), metadata=None, **options)
    return buffer.getvalue()


REDUCED, MASK = {"subfiletype": 1}, {"subfiletype": 4, "photometric": "mask", "bitspersample": 1}


@pytest.mark.parametrize(
    "kinds",
    [
        [(1, REDUCED), (8, {})],
        [(8, {}), (1, REDUCED)],
        [(1, {}), (8, {})],
        [(8, {}), (1, {})],
        [(1, REDUCED), (2, REDUCED), (8, {}), (4, REDUCED)],
        [(8, {"values": np.ones((HEIGHT, WIDTH), bool), **MASK}), (8, {})],
        [(8, {}), (8, {"values": np.ones((HEIGHT, WIDTH), bool), **MASK})],
        [(8, {"values": np.ones((HEIGHT, WIDTH), bool), "photometric": "minisblack"}), (8, {})],
        [(1, {**REDUCED, "subifds": 1}), (8, {})],
        [(8, {"subifds": 2}), (4, REDUCED), (1, REDUCED)],
        [(8, REDUCED)],
    ],
)
def test_the_picture_is_neither_its_thumbnail_nor_its_mask(kinds):
    data = pages(*((scale, dict(options)) for scale, options in kinds))
    assert not off(data, GRAY) and decode(data).notes == ()


def test_several_pictures_are_said():
    data = pages((8, {}), (7, {}), (8, {}))
    assert not off(data, GRAY) and decode(data).notes == ("only the first of its frames or pages is used",)


def raw(photometric, compression=1):
    """A preview, and below it a sensor's data."""
    data = bytearray(pages((1, {"subfiletype": 1, "subifds": 1}), (8, {})))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        tags = file.pages[0].pages[0].tags
        for tag, value in ((262, photometric), (259, compression)):
            struct.pack_into("<H", data, tags[tag].valueoffset, value)
    return bytes(data)


@pytest.mark.parametrize(("photometric", "compression"), [(32803, 1), (34892, 1), (32803, 34713), (1, 32767)])
def test_raw_files_of_cameras_are_not_their_previews(photometric, compression):
    with pytest.raises(DecodeError, match="a camera's raw file"):
        decode(raw(photometric, compression))
    with pytest.raises(DecodeError, match="a camera's raw file"):
        decode(b"II*\0\x10\0\0\0CR\2\0" + bytes(100))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"compression": "lerc"}, "compression 34887, 8 bits"),
        ({"photometric": "logl"}, "photometric 32844"),
        ({"photometric": "ycbcr", "values": numbers(RGB, 16)}, "photometric 6"),
        ({"values": GRAY.astype(np.complex64)}, "64 bits"),
    ],
)
def test_what_is_not_read_is_named(options, reason):
    values = options.pop("values", numbers(GRAY, 8))
    options = {"photometric": "minisblack", **options}
    if options["photometric"] in ("logl", "ycbcr"):
        code = {"logl": 32844, "ycbcr": 6}[options["photometric"]]
        data = bytearray(written(values, photometric="rgb" if values.ndim == 3 else "minisblack"))
        with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
            struct.pack_into("<H", data, file.pages[0].tags[262].valueoffset, code)
    else:
        data = written(values, **options)
    with pytest.raises(DecodeError, match="this kind of TIFF") as refused:
        decode(bytes(data))
    assert reason in str(refused.value)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_part_of_a_picture_is_never_shown_as_all_of_it(compression, bits):
    data = written(numbers(RGB, bits), photometric="rgb", compression=compression, rowsperstrip=7)
    for part in (0.95, 0.6):
        with pytest.raises(DecodeError, match="cut short"):
            decode(data[: int(len(data) * part)])
    sparse = bytearray(data)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        for tag in (273, 279):
            struct.pack_into("<I", sparse, file.pages[0].tags[tag].valueoffset + 4, 0)
    with pytest.raises(DecodeError, match="a part of the picture is missing"):
        decode(bytes(sparse))
