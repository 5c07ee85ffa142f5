"""Pixels as a player shows them: range, depth, shape, orientation, fields and high dynamic range."""

import struct

import av
import numpy as np
import pytest
from support.clips import panning, pictures
from support.films import film, planar, rewritten, wedge, woven

from colorization.video.container import Video

# One thread and no B-frames: in short films its threads give packets a time now and then that no file takes.
X265 = "log-level=error:pools=none:frame-threads=1:bframes=0"
LIMITED, FULL = 1, 2  # FFmpeg's numbers
PQ, HLG, BT2020, BT2020_NCL = 16, 18, 9, 9
LEVELS = np.linspace(0, 255, 12)  # of a wedge


def levels(source):
    """Gray levels of a wedge's steps in the first frame as it is read."""
    picture = next(Video(source).frames()).picture()
    return np.asarray(picture)[32, 4::8, 1].astype(float)


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "name"),
    [
        ("libx265", "yuv420p10le", "in.mkv"),
        ("libx265", "yuv422p10le", "in.mkv"),
        ("libx265", "yuv420p12le", "in.mkv"),
        ("prores_ks", "yuv422p10le", "in.mov"),
        ("ffv1", "yuv444p10le", "in.mkv"),
        ("ffv1", "yuv420p", "in.mkv"),
    ],
)
@pytest.mark.parametrize("color_range", [LIMITED, FULL])
def test_black_and_white_are_black_and_white_at_any_depth(tmp_path, codec, pix_fmt, name, color_range):
    bits = int(pix_fmt.partition("p")[2].removesuffix("le") or 8)
    low, high = (16 << bits - 8, 235 << bits - 8) if color_range == LIMITED else (0, (1 << bits) - 1)
    kind = np.uint8 if bits == 8 else np.uint16
    frames = [planar(wedge(low, high, kind), pix_fmt, 1 << bits - 1) for _ in range(2)]
    if codec == "prores_ks" and color_range == FULL:
        pytest.skip("ProRes is always in limited range")
    options = {"x265-params": f"{X265}:crf=4"} if codec == "libx265" else {}
    tags = {"color_range": color_range}
    source = film(tmp_path / name, frames, codec=codec, pix_fmt=pix_fmt, codec_options=options, tags=tags)
    assert levels(source) == pytest.approx(LEVELS, abs=1.6), "one level, and what the codec loses"
    rewritten(source, tmp_path / "out.mp4")
    assert levels(tmp_path / "out.mp4") == pytest.approx(LEVELS, abs=2.5)


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "color_range", "is_limited"),
    [
        ("libx265", "gray", LIMITED, True),
        ("libx265", "gray10le", LIMITED, True),
        ("libx265", "gray", 0, True),  # what the standard says of files that name none
        ("libx264", "gray", FULL, False),
        ("ffv1", "gray", LIMITED, True),
        ("ffv1", "gray", 0, False),
        ("ffv1", "gray16le", LIMITED, True),
        ("ffv1", "gray12le", FULL, False),
    ],
)
def test_monochrome_codecs_have_a_range_too(tmp_path, codec, pix_fmt, color_range, is_limited):
    bits = int(pix_fmt.removeprefix("gray").removesuffix("le") or 8)
    low, high = (16 << bits - 8, 235 << bits - 8) if is_limited else (0, (1 << bits) - 1)
    steps = wedge(low, high, np.uint8 if bits == 8 else np.uint16)
    frames = [av.VideoFrame.from_ndarray(steps, pix_fmt) for _ in range(2)]
    options = {"x265-params": f"{X265}:crf=2"} if codec == "libx265" else {"crf": "2"}
    tags = {"color_range": color_range} if color_range else {}
    source = film(tmp_path / "in.mkv", frames, codec=codec, pix_fmt=pix_fmt, codec_options=options, tags=tags)
    assert levels(source) == pytest.approx(LEVELS, abs=1.2)
    floats = next(Video(source).frames()).floats()[32, 4::8, 1] * 255
    assert floats == pytest.approx(LEVELS, abs=1.2)


ANAMORPHIC = {
    "in.mkv": {"codec": "ffv1"},
    "in.mp4": {},
    "in.mov": {"codec": "prores_ks", "pix_fmt": "yuv422p10le"},
    "in.avi": {"codec": "mpeg4"},
    "in.webm": {"codec": "libvpx-vp9"},  # which has no shape of pixels of its own: the container's alone
    "in.mxf": {"codec": "mpeg2video", "aspect": "64/45"},  # to 16:9, one of those that MPEG-2 has
}


@pytest.mark.parametrize("name", ANAMORPHIC)
def test_pixels_keep_their_shape(tmp_path, name):
    options = {"aspect": "16/11"} | ANAMORPHIC[name]
    size = (720, 576) if name == "in.mxf" else (64, 64)
    source = film(tmp_path / name, panning(*size, 2), **options)
    rewritten(source, tmp_path / "out.mp4")
    assert shape(tmp_path / "out.mp4") == pytest.approx(shape(source), rel=0.01)
    assert shape(source) > 1.4


def shape(file):
    """Width to height as a player shows it, before rotation."""
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        return float(stream.width / stream.height * (stream.sample_aspect_ratio or 1))


@pytest.mark.parametrize(
    ("matrix", "corner", "turns"),
    [
        ((0, 1, -1, 0), (0, -1), True),  # clockwise: what is first comes last of its row
        ((-1, 0, 0, -1), (-1, -1), False),
        ((0, -1, 1, 0), (-1, 0), True),
        ((-1, 0, 0, 1), (0, -1), False),  # mirrored, as cameras on the front of phones do
        ((0, 1, 1, 0), (0, 0), True),
    ],
)
@pytest.mark.parametrize("size", [(64, 48), (64, 64)])
def test_turned_and_mirrored_videos_come_out_upright_with_the_shape_of_their_pixels(
    tmp_path, matrix, corner, turns, size
):
    frame = np.full(size[::-1], 60, np.uint8)
    frame[:16, :16] = 220
    source = film(tmp_path / "in.mp4", [frame] * 2, aspect=2)
    data = bytearray(source.read_bytes())
    place = data.index(b"tkhd") + 44
    a, b, c, d = (value << 16 for value in matrix)
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    source.write_bytes(data)
    rewritten(source, tmp_path / "out.mp4")
    result = pictures(tmp_path / "out.mp4")[0][..., 1]
    assert result.shape == (size if turns else size[::-1])
    rows, columns = (slice(None, 12) if end == 0 else slice(-12, None) for end in corner)
    assert result[rows, columns].min() > 180 and result.mean() < 100
    assert shape(tmp_path / "out.mp4") == pytest.approx((size[1] / size[0] / 2) if turns else size[0] / size[1] * 2)


INTERLACED = {
    "h264": {"codec": "libx264", "codec_options": {"x264-params": "tff=1"}},
    "mpeg2": {"codec": "mpeg2video", "codec_options": {"flags": "+ildct+ilme"}, "format": "mpegts"},
    "ffv1": {"codec": "ffv1", "codec_options": {"flags": "+ildct"}},
    "prores": {"codec": "prores_ks", "codec_options": {"flags": "+ildct"}, "pix_fmt": "yuv422p10le", "format": "mov"},
    "said by the container": {"codec": "v210", "pix_fmt": "yuv422p10le", "format": "mov"},
}


def smooth(count):
    """A scene that moves by 6 px from field to field, without detail that fields cannot hold."""
    wide = np.arange(96 + 6 * count)
    row = (110 + 80 * np.sin(wide / 8)).astype(np.uint8)
    return [np.tile(row[6 * n : 6 * n + 96], (64, 1)) for n in range(count)]


@pytest.mark.parametrize("order", ["tff", "bff"])
@pytest.mark.parametrize("kind", INTERLACED)
def test_interlaced_frames_are_deinterlaced(tmp_path, kind, order):
    options = INTERLACED[kind] | {"fields": order}
    if kind == "h264":
        options["codec_options"] = {"x264-params": f"{order}=1"}
    if kind == "said by the container":
        options |= {"fields": None, "field_order": 2 if order == "tff" else 3}
    fields = smooth(20)
    combed = woven(fields, order == "tff")
    source = film(tmp_path / "in", combed, format=options.pop("format", "matroska"), **options)
    notes = rewritten(source, tmp_path / "out.mp4")
    results = [picture[..., 1].astype(float) for picture in pictures(tmp_path / "out.mp4")]
    assert len(results) == 10
    assert "10 of its 10 frames are interlaced: the two fields of each are made into one picture" in notes
    for number in range(2, 8):
        assert abs(results[number] - fields[2 * number]).mean() < 4, "the picture of the field that is shown first"
        assert abs(combed[number].astype(float) - fields[2 * number]).mean() > 15
    with av.open(str(tmp_path / "out.mp4")) as result:
        assert not any(frame.interlaced_frame for frame in result.decode(video=0))


def test_progressive_frames_between_interlaced_ones_stay_as_they_are(tmp_path):
    still, fields = panning(96, 64, 1)[0], smooth(16)
    film(tmp_path / "1", [still] * 8, codec="mpeg2video", format="mpegts", codec_options={"qmin": "1", "qmax": "2"})
    film(tmp_path / "2", woven(fields), fields="tff", **INTERLACED["mpeg2"])
    (tmp_path / "in.ts").write_bytes((tmp_path / "1").read_bytes() + (tmp_path / "2").read_bytes())
    notes = rewritten(tmp_path / "in.ts", tmp_path / "out.mp4")
    results = pictures(tmp_path / "out.mp4")
    assert len(results) == 16 and any(note.startswith("8 of its 16 frames are interlaced") for note in notes)
    assert np.abs(results[3][..., 1].astype(int) - still).max() < 12


@pytest.mark.slow  # FFmpeg takes some seconds for a table
@pytest.mark.parametrize(("curve", "name"), [(PQ, "smpte2084"), (HLG, "arib-std-b67")])
def test_high_dynamic_range_is_tone_mapped(tmp_path, curve, name):
    """Brighter stays brighter, black is black, and white paper is neither dark nor burnt out."""
    steps = wedge(64, 940, np.uint16)
    tags = {"color_trc": curve, "color_primaries": BT2020, "colorspace": BT2020_NCL, "color_range": LIMITED}
    params = f"{X265}:crf=4:colorprim=bt2020:transfer={name}:colormatrix=bt2020nc:range=limited"
    frames = [planar(steps, "yuv420p10le", 512) for _ in range(2)]
    source = film(
        tmp_path / "in.mkv",
        frames,
        codec="libx265",
        pix_fmt="yuv420p10le",
        tags=tags,
        codec_options={"x265-params": params},
    )
    assert "its high dynamic range is reduced to that of usual screens" in rewritten(source, tmp_path / "out.mp4")
    shown = levels(tmp_path / "out.mp4")
    assert shown[0] < 4 and shown[-1] > 250 and (np.diff(shown) > 0).all()
    white = np.interp(0.58 if curve == PQ else 0.75, np.linspace(0, 1, 12), shown)  # ITU-R BT.2408: 203 cd/m2
    assert 130 < white < 235


def test_frames_of_another_size_on_the_way(tmp_path):
    for number, size in enumerate([(96, 64), (64, 64)]):
        film(tmp_path / f"{number}", panning(*size, 10), format="mpegts")
    (tmp_path / "in.ts").write_bytes((tmp_path / "0").read_bytes() + (tmp_path / "1").read_bytes())
    notes = rewritten(tmp_path / "in.ts", tmp_path / "out.mp4")
    assert [picture.shape for picture in pictures(tmp_path / "out.mp4")] == [(64, 96, 3)] * 20
    assert "10 of its 20 frames have another size, and are brought to that of the first one" in notes
