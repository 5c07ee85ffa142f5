"""Videos in, videos out: time, sound, size and color."""

import av
import numpy as np
import pytest
from PIL import Image
from support import films
from support.clips import ByLightness, clip, finish, packets, panning, pictures, scenery, times

from colorization.inference import apply_color, lightness, predict
from colorization.label import xmp
from colorization.video.colorize import colorize_video


@pytest.fixture(scope="session")
def model():
    return ByLightness()


def test_time_and_sound_are_those_of_the_source(model, pan, tmp_path):
    last = finish(colorize_video([model], pan, tmp_path / "out.mp4"))
    assert last.done == last.total == 50 and last.notes == ()
    source, source_last = times(pan)
    result, result_last = times(tmp_path / "out.mp4")
    assert result == pytest.approx(source, abs=1e-4) and result_last == pytest.approx(source_last, abs=1e-3)
    assert packets(tmp_path / "out.mp4", "audio") == packets(pan, "audio") != []
    assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"], "nothing else is left"


def test_every_frame_keeps_its_lightness_and_gets_color(model, pan, tmp_path):
    finish(colorize_video([model], pan, tmp_path / "out.mp4", crf=4))
    for gray, color in zip(pictures(pan), pictures(tmp_path / "out.mp4"), strict=True):
        expected = np.asarray(apply_color(light := _light(gray), predict(model, light))).astype(int)
        assert np.abs(color.astype(int) - expected).mean() < 4
        assert np.abs(color[..., 0].astype(int) - color[..., 1]).mean() > 8


def _light(rgb):
    return Image.fromarray(np.ascontiguousarray(rgb[..., 1]))


def test_a_varying_frame_rate_is_kept(model, tmp_path):
    steps = np.random.default_rng(0).integers(256, 2000, 40)
    clip(tmp_path / "vfr.mp4", panning(64, 64, 40), times=[int(t) for t in np.cumsum(steps)])
    finish(colorize_video([model], tmp_path / "vfr.mp4", tmp_path / "out.mp4"))
    source, result = times(tmp_path / "vfr.mp4")[0], times(tmp_path / "out.mp4")[0]
    assert result == pytest.approx(source, abs=1e-3)
    assert packets(tmp_path / "out.mp4", "audio") == packets(tmp_path / "vfr.mp4", "audio")


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_rotated_video_comes_out_upright_once(model, tmp_path, rotation):
    frame = np.tile(np.linspace(40, 220, 96).astype(np.uint8), (64, 1))  # light on the right
    clip(tmp_path / "turned.mp4", [frame] * 3, rotation=rotation)
    finish(colorize_video([model], tmp_path / "turned.mp4", tmp_path / "out.mp4"))
    result = pictures(tmp_path / "out.mp4")[0].mean(axis=2)
    assert result.shape == ((96, 64) if rotation != 180 else (64, 96))
    light = {90: result[-10:].mean(), 180: result[:, :10].mean(), 270: result[:10].mean()}[rotation]
    assert light > result.mean() + 25, "the light side lies elsewhere"
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert next(container.decode(video=0)).rotation == 0


def test_odd_sizes_are_padded_and_the_owner_is_told(model, tmp_path):
    clip(tmp_path / "odd.mp4", panning(65, 47, 3), pix_fmt="yuv444p")
    last = finish(colorize_video([model], tmp_path / "odd.mp4", tmp_path / "out.mp4"))
    assert pictures(tmp_path / "out.mp4")[0].shape == (48, 66, 3)
    assert last.notes == ("its 65x47 pixels are padded to even numbers, which H.264 needs",)


def test_several_models_side_by_side(model, pan, tmp_path):
    finish(colorize_video([model, ByLightness(working_size=32), model], pan, tmp_path / "out.mp4"))
    assert pictures(tmp_path / "out.mp4")[0].shape == (64, 3 * 96, 3)
    assert times(tmp_path / "out.mp4")[0] == pytest.approx(times(pan)[0], abs=1e-4)


def test_each_model_s_name_is_white_on_black_and_tints_nothing_beside_it(model, tmp_path):
    clip(tmp_path / "in.mp4", [np.full((320, 432), 60, np.uint8)] * 2, sound=False)
    finish(colorize_video([model, model], tmp_path / "in.mp4", tmp_path / "out.mp4", crf=4))
    for panel in np.hsplit(pictures(tmp_path / "out.mp4")[0].astype(int), 2):
        top = panel[:40, :120]
        assert top.max() > 225 and top.min() < 25
        redness = panel[..., 0] - panel[..., 1]
        has_color = abs(redness - np.median(redness)) < 6
        assert has_color[:, 60:].all() and has_color[40:].all() and not has_color[:40, :60].all()


def test_no_private_metadata_but_the_title(model, tmp_path):
    private = {"title": "The Lake", "comment": "at home", "location": "+48.1+011.5/", "artist": "A. Filmmaker"}
    clip(tmp_path / "in.mp4", panning(64, 64, 3), metadata=private.items())
    assert b"loci" in (tmp_path / "in.mp4").read_bytes()
    finish(colorize_video([model], tmp_path / "in.mp4", tmp_path / "out.mp4"))
    data = (tmp_path / "out.mp4").read_bytes()
    assert b"The Lake" in data and b"at home" not in data and b"loci" not in data


@pytest.mark.parametrize(("options", "said"), [({}, "unet"), ({"label": False}, ""), ({"strength": 0.0}, "")], ids=str)
def test_a_film_says_whose_colors_it_has(model, pan, tmp_path, options, said):
    finish(colorize_video([model], pan, tmp_path / "out.mp4", **options))
    with av.open(str(tmp_path / "out.mp4"), options={"export_xmp": "1"}) as film:
        assert film.metadata.get("xmp", "").encode() == xmp(said)


@pytest.mark.parametrize(
    ("name", "options", "kept"),
    [
        ("in.mkv", {}, True),
        ("in.avi", {"codec": "mpeg4", "sound_codec": "pcm_s16le"}, False),
        ("in.ts", {}, None),  # the same sound in other packets
    ],
)
def test_other_containers(model, tmp_path, name, options, kept):
    source = clip(tmp_path / name, panning(64, 64, 30), **options)
    last = finish(colorize_video([model], source, tmp_path / "out.mp4"))
    assert len(pictures(tmp_path / "out.mp4")) == 30
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        assert float(container.duration / av.time_base) == pytest.approx(30 / 25, abs=0.05)
    assert bool(last.notes) == (kept is False)
    if kept:
        sound = [data for _, data in packets(source, "audio")]
        assert [data for _, data in packets(tmp_path / "out.mp4", "audio")] == sound


def moving_square(count=30, size=24):
    """A light square that crosses a dark textured ground, 3 px per frame."""
    ground = scenery(160, 96) // 2 + 10
    texture = 190 + scenery(size, size, 1) // 5
    for number in range(count):
        frame = ground.copy()
        left = 8 + 3 * number
        frame[36 : 36 + size, left : left + size] = texture
        yield frame


def test_a_moving_object_leaves_no_trail_of_color(model, tmp_path):
    clip(tmp_path / "in.mp4", moving_square(), sound=False)
    finish(colorize_video([model], tmp_path / "in.mp4", tmp_path / "out.mp4", crf=4))
    for number, color in enumerate(pictures(tmp_path / "out.mp4")):
        redness = color[..., 0].astype(int) - color[..., 1]
        left = 8 + 3 * number
        behind = redness[40:56, max(0, left - 24) : left - 6]
        assert redness[40:56, left + 6 : left + 18].mean() < -40, "the square is green"
        if behind.size:
            assert behind.mean() > 25, f"frame {number}: the ground behind the square is red again at once"


def test_color_does_not_cross_a_cut(model, tmp_path):
    dark, light = scenery(96, 64) // 3, 150 + scenery(96, 64, 1) // 2
    clip(tmp_path / "in.mp4", [dark] * 7 + [light] * 7, sound=False)
    finish(colorize_video([model], tmp_path / "in.mp4", tmp_path / "out.mp4", crf=4))
    redness = [(c[..., 0].astype(int) - c[..., 1]).mean() for c in pictures(tmp_path / "out.mp4")]
    assert min(redness[:7]) > 20 and max(redness[7:]) < -20
    assert np.ptp(redness[:7]) < 3 and np.ptp(redness[7:]) < 3


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"), [("tape.mkv", "ffv1", "yuv422p10le"), ("tape.mov", "prores_ks", "yuv422p10le")]
)
def test_a_film_of_an_archive(model, tmp_path, name, codec, pix_fmt):
    """Anamorphic, interlaced, 10 bits, four mono tracks of 96 kHz and a time code: what becomes of each."""
    fields = panning(96, 64, 40)
    tracks = [films.Sound(films.tones(n + 1, 0.8, 96_000)[-1:], "mono", 96_000, "pcm_s24le") for n in range(4)]
    source = films.film(
        tmp_path / name, films.woven(fields), codec=codec, pix_fmt=pix_fmt, aspect="64/45", fields="tff",
        codec_options={"flags": "+ildct"}, sounds=tracks, time_code="10:00:00:00",
    )  # fmt: skip
    last = finish(colorize_video([model], source, tmp_path / "out.mp4", crf=4))
    assert last.notes == (
        "20 of its 20 frames are interlaced: the two fields of each are made into one picture",
        "its sound (pcm_s24le, 4 tracks) is kept as AAC: MP4 does not take it as it is",
        "most players play only the first of its 4 tracks of sound; all are kept",
    )
    assert times(tmp_path / "out.mp4")[0] == pytest.approx([n / 25 for n in range(20)], abs=1e-3)
    with av.open(str(tmp_path / "out.mp4")) as result:
        video = result.streams.video[0]
        assert (video.width, video.height) == (96, 64)
        assert float(video.sample_aspect_ratio) == pytest.approx(64 / 45, abs=0.01)
        assert video.metadata["timecode"] == "10:00:00:00"
        kept = [(track.layout.name, track.codec_context.sample_rate) for track in result.streams.audio]
        assert kept == [("mono", 96_000)] * 4
    for number in range(4):
        samples, start = films.channels(tmp_path / "out.mp4", number)
        tone = np.abs(np.fft.rfft(samples[0, 10_000:60_000])).argmax() * 96_000 / 50_000
        assert start == 0 and tone == pytest.approx(200 + 100 * number, abs=5)
    for number, color in enumerate(pictures(tmp_path / "out.mp4")):
        gray = np.asarray(lightness(Image.fromarray(color))).astype(int)
        assert np.abs(gray - fields[2 * number]).mean() < 6, "the picture of its first field"
        assert np.abs(color[..., 0].astype(int) - color[..., 1]).mean() > 8, "in color"
