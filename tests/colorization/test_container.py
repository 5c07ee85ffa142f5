"""Odd, broken and hostile videos: a sentence, or as much of the video as there is."""

import csv
import time

import av
import numpy as np
import pytest
from PIL import Image
from support.clips import ByLightness, clip, finish, panning, pictures

from colorization.signatures import is_video
from colorization.video.colorize import colorize_video
from colorization.video.container import Video
from colorization.video.limits import Limits, VideoError

LIMITS = Limits(pixels=1920 * 1088, seconds=120, frames=3000, rate=120)


@pytest.fixture(scope="session")
def model():
    return ByLightness()


def sound_only(file, kind, codec):
    """A tenth of a second of silence."""
    with av.open(str(file), "w", format=kind) as container:
        audio = container.add_stream(codec, rate=48000, layout="mono", bit_rate=64_000)
        piece = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.float32), "fltp", "mono")
        piece.sample_rate = 48000
        container.mux(audio.encode(piece))
        container.mux(audio.encode(None))


def broken(folder, kind, good):
    """A small hostile or odd file."""
    file = folder / "upload.mp4"
    data = good.read_bytes()
    (folder / "neighbor.mp4").write_bytes(data)
    if kind == "script":
        file.write_text("ffconcat version 1.0\nfile neighbor.mp4\n")
    elif kind == "playlist":
        file.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{folder / 'neighbor.mp4'}\n#EXT-X-ENDLIST\n")
    elif kind == "empty":
        file.write_bytes(b"")
    elif kind == "text":
        file.write_text("no video " * 60)
    elif kind == "sound only":
        sound_only(file, "mp4", "aac")
    elif kind == "no index":
        file.write_bytes(data[: len(data) // 2])
    return file


MPEG2 = {"codec": "mpeg2video", "sound_codec": "mp2"}
FORMATS = {
    "mp4": {},
    "mov": {},
    "3gp": {"codec": "h263", "size": (176, 144)},
    "matroska": {},
    "webm": {"codec": "libvpx-vp9", "sound_codec": "libopus"},
    "avi": {"codec": "mpeg4", "sound_codec": "pcm_s16le"},
    "mpegts": MPEG2,
    "vob": MPEG2,
    "mpeg2video": {"codec": "mpeg2video", "sound": False},
    "flv": {},
    "asf": {"codec": "wmv2", "sound_codec": "wmav2"},
    "mxf": {"codec": "mpeg2video", "sound_codec": "pcm_s16le"},
    "dv": {"codec": "dvvideo", "sound": False, "size": (720, 576)},
}


def written_as(file, kind, count=12):
    options = dict(FORMATS[kind])
    return clip(file, panning(*options.pop("size", (96, 64)), count), format=kind, **options)


@pytest.mark.parametrize("kind", FORMATS)
def test_content_tells_a_video_whatever_its_name_is(model, tmp_path, kind):
    file = written_as(tmp_path / "scan.jpg", kind)
    assert is_video(file)


def test_recordings_that_begin_within_a_packet_or_have_time_codes_are_videos(tmp_path):
    data = written_as(tmp_path / "clip", "mpegts").read_bytes()
    (tmp_path / "cut").write_bytes(data[100:])
    packets = [data[start : start + 188] for start in range(0, len(data), 188)]
    (tmp_path / "camera").write_bytes(b"".join(bytes(4) + packet for packet in packets))
    (tmp_path / "broadcast").write_bytes(b"".join(packet + bytes(16) for packet in packets))
    assert all(is_video(tmp_path / name) for name in ("cut", "camera", "broadcast"))


@pytest.mark.parametrize(
    ("kind", "codec"),
    [("ipod", "aac"), ("ogg", "libopus"), ("matroska", "aac"), ("asf", "wmav2"), ("wav", "pcm_s16le")],
)
def test_sound_is_no_video(tmp_path, kind, codec):
    sound_only(tmp_path / "sound.mp4", kind, codec)
    assert not is_video(tmp_path / "sound.mp4")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF"])
def test_pictures_are_no_videos_whatever_their_name_is(tmp_path, kind):
    Image.fromarray(panning(64, 48, 1)[0]).convert("RGB").save(tmp_path / "clip.mp4", kind)
    assert not is_video(tmp_path / "clip.mp4")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("script", "this is not an MP4"),
        ("playlist", "this is not an MP4"),
        ("empty", "the file is empty"),
        ("text", "this is not an MP4"),
        ("sound only", "holds no video"),
        ("no index", "this is not an MP4"),
    ],
)
def test_a_hostile_file_is_a_sentence(model, pan, tmp_path, kind, reason):
    file = broken(tmp_path, kind, pan)
    before = set(tmp_path.iterdir())
    with pytest.raises(VideoError, match=reason):
        finish(colorize_video([model], file, tmp_path / "out.mp4"))
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(pixels=5000), r"96x64 = 0.0 megapixels"),
        (Limits(seconds=1), "lasts 2 seconds, at most 1 seconds are accepted"),
        (Limits(frames=49), "has 50 frames, at most 49 frames are accepted"),
        (Limits(rate=24), "25 frames per second, at most 24"),
    ],
)
def test_limits_are_checked_before_work(pan, tmp_path, limits, reason):
    with pytest.raises(VideoError, match=reason):
        next(colorize_video([None], pan, tmp_path / "out.mp4", limits=limits))


def test_a_video_that_holds_more_than_it_says_is_stopped(model, tmp_path):
    """Matroska without a duration: nothing is known until it is decoded."""
    source = clip(tmp_path / "in.mkv", panning(64, 64, 60), sound=False)
    data = bytearray(source.read_bytes())
    place = data.index(b"\x44\x89")  # the element Duration becomes Void
    data[place : place + 11] = b"\xec\x89" + bytes(9)
    source.write_bytes(data.replace(b"DURATION", b"NO LABEL"))
    with pytest.raises(VideoError, match=r"more frames than it says, at most 30 frames|lasts longer than it says"):
        finish(colorize_video([model], source, tmp_path / "out.mp4", limits=Limits(frames=30, seconds=1)))
    assert not (tmp_path / "out.mp4").exists() and len(list(tmp_path.iterdir())) == 1


def test_a_video_that_is_cut_short_is_colored_as_far_as_it_goes_with_a_note(model, tmp_path):
    source = clip(tmp_path / "in.ts", panning(64, 64, 100))
    with (
        av.open(str(source)) as container,
        av.open(str(tmp_path / "whole.mp4"), "w", options={"movflags": "faststart"}) as output,
    ):
        stream = output.add_stream_from_template(container.streams.video[0])
        for packet in container.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)
    data = (tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: int(len(data) * 0.6)])
    last = finish(colorize_video([model], tmp_path / "cut.mp4", tmp_path / "out.mp4"))
    assert 10 < len(pictures(tmp_path / "out.mp4")) < 100
    assert "is the file cut short?" in " ".join(last.notes)


@pytest.mark.parametrize("length", [b"00:00:nan", b"00:00:inf", b"-1:00:00", b"0:0"])
def test_a_length_that_is_none_is_not_believed(tmp_path, length):
    source = clip(tmp_path / "in.mkv", panning(64, 64, 13), sound=False)
    data = source.read_bytes()
    said = b"00:00:00.520000000"
    assert said in data
    source.write_bytes(data.replace(said, length.ljust(len(said))))
    video = Video(source)
    assert video.seconds == pytest.approx(0.52, abs=0.05) and not video.is_length_own and video.count == 13


@pytest.mark.slow
def test_every_odd_video_of_the_corpus(model, shared, tmp_path):
    """What the manifest expects of each, within the limits that strangers have; no hang, no other file read."""
    with (shared / "corpus/manifest_videos.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) > 20
    wrong = []
    for row in rows:
        start = time.monotonic()
        try:
            last = finish(colorize_video([model], shared / "corpus" / row["file"], tmp_path / "out.mp4", limits=LIMITS))
            outcome, text = "colorize", " ".join(last.notes)
        except VideoError as error:
            outcome, text = "clear-error", str(error)
        expect = row["expect"]
        if expect.startswith("clear-error") and outcome != "clear-error" and not ("notice" in expect and text):
            wrong.append((row["file"], outcome, text))
        if expect.startswith(("colorize", "same")) and "or clear-error" not in expect and outcome == "clear-error":
            wrong.append((row["file"], outcome, text))
        if "limit" in expect and outcome != "clear-error":
            wrong.append((row["file"], outcome, text))
        if time.monotonic() - start > 120:
            wrong.append((row["file"], "took too long", text))
    assert wrong == []
    assert [f.name for f in tmp_path.iterdir()] == ["out.mp4"]
