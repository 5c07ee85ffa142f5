"""Clocks of videos: joined recordings, times of decoding, trimmed files; the sound stays with the picture."""

import av
import numpy as np
import pytest
from support.clips import packets, panning, times
from support.films import Sound, beeps, film, flashes, flashing, rewritten, tones

from colorization.video.container import Video

KINDS = {
    "mpegts": {"sound": "aac", "codec": "libx264"},
    "vob": {"sound": "mp2", "codec": "mpeg2video"},
    "mpeg": {"sound": "mp2", "codec": "mpeg1video"},
}


def recording(file, kind, offset=0.0, count=50):
    """Two seconds with a flash and a beep after each half second; the clock begins at an offset."""
    frames, sound = flashing(count)
    sounds = [Sound(sound, codec=KINDS[kind]["sound"])]
    options = {"output_ts_offset": str(offset)} if offset else {}
    return film(file, frames, codec=KINDS[kind]["codec"], format=kind, sounds=sounds, options=options)


def joined(folder, kind, offsets):
    parts = [recording(folder / f"{n}", kind, offset).read_bytes() for n, offset in enumerate(offsets)]
    (folder / "in").write_bytes(b"".join(parts))
    return folder / "in"


@pytest.mark.parametrize(
    ("kind", "offsets"),
    [
        ("mpegts", (0, 0)),
        ("mpegts", (0, 4)),
        ("mpegts", (90_000, 0, 100)),
        ("mpegts", (1.5, 0)),
        ("vob", (0, 0)),
        ("vob", (0, 300)),
        ("mpeg", (200, 0)),
    ],
)
def test_joined_recordings_follow_each_other_with_their_sound(tmp_path, kind, offsets):
    source = joined(tmp_path, kind, offsets)
    notes = rewritten(source, tmp_path / "out.mp4")
    shown, duration = times(tmp_path / "out.mp4")
    assert len(shown) == 50 * len(offsets)
    assert np.diff(shown) == pytest.approx(1 / 25, abs=1e-3) and duration == pytest.approx(1 / 25, abs=1e-3)
    assert shown[-1] - shown[0] == pytest.approx(2 * len(offsets) - 1 / 25, abs=0.01)
    seen, heard = flashes(tmp_path / "out.mp4"), beeps(tmp_path / "out.mp4")
    assert len(seen) == 2 * len(offsets) and heard == pytest.approx(seen, abs=0.03)
    assert sum("its clock jumps" in note for note in notes) == 1


def test_sound_of_another_kind_in_the_second_recording(tmp_path):
    """It cannot be copied on behind the first: players would read it with the first one's rate and channels."""
    recording(tmp_path / "1", "mpegts")
    frames, sound = flashing(50)
    stereo = Sound(np.repeat(sound[:, ::2], 2, axis=0), "stereo", 24000, "aac")
    film(tmp_path / "2", frames, format="mpegts", sounds=[stereo])
    (tmp_path / "in").write_bytes((tmp_path / "1").read_bytes() + (tmp_path / "2").read_bytes())
    notes = rewritten(tmp_path / "in", tmp_path / "out.mp4")
    assert beeps(tmp_path / "out.mp4") == pytest.approx(flashes(tmp_path / "out.mp4"), abs=0.05)
    assert any("its channels or its rate change" in note for note in notes)


def test_a_gap_in_which_the_sound_goes_on_is_no_jump(tmp_path):
    """A picture that stands still for two seconds is one frame of two seconds."""
    frames, _ = flashing(75)
    whole = film(tmp_path / "whole", frames, format="mpegts", sounds=[Sound(tones(1, 3), codec="aac")])
    with av.open(str(whole)) as source, av.open(str(tmp_path / "in.ts"), "w", format="mpegts") as output:
        tracks = [output.add_stream_from_template(stream) for stream in (*source.streams.video, *source.streams.audio)]
        pictures = 0
        for packet in source.demux():
            pictures += packet.stream.type == "video"
            packet.stream = tracks[packet.stream.index]
            if packet.size and (packet.stream.type == "audio" or not 5 < pictures <= 55):
                output.mux(packet)
    notes = rewritten(tmp_path / "in.ts", tmp_path / "out.mp4")
    assert not any("jumps" in note for note in notes)
    assert np.diff(times(tmp_path / "out.mp4")[0]).max() > 1.9


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_b_frames_in_avi_are_shown_at_an_even_pace_from_the_start(tmp_path, codec):
    frames, sound = flashing(50)
    options = {"bf": "2", "g": "12"}
    source = film(tmp_path / "in.avi", frames, codec=codec, codec_options=options, sounds=[Sound(sound)])
    notes = rewritten(source, tmp_path / "out.mp4")
    shown, _ = times(tmp_path / "out.mp4")
    assert len(shown) == 50 and shown[0] == 0 and np.diff(shown) == pytest.approx(1 / 25, abs=1e-4)
    assert beeps(tmp_path / "out.mp4") == pytest.approx(flashes(tmp_path / "out.mp4"), abs=0.02)
    assert not any("missing" in note for note in notes)


def trimmed(source, target, seconds):
    """A copy that begins later, as editors make it without re-encoding: an edit list skips what is needed to decode."""
    with (
        av.open(str(source)) as whole,
        av.open(str(target), "w", format="mp4", options={"avoid_negative_ts": "disabled"}) as output,
    ):
        tracks = [output.add_stream_from_template(stream) for stream in (*whole.streams.video, *whole.streams.audio)]
        for packet in whole.demux():
            if packet.size:
                by = round(seconds / packet.time_base)
                packet.stream, packet.pts, packet.dts = tracks[packet.stream.index], packet.pts - by, packet.dts - by
                output.mux(packet)
    return target


def test_nothing_is_missing_from_a_trimmed_video(tmp_path):
    frames, sound = flashing(100)
    source = film(tmp_path / "all.mp4", frames, codec_options={"bf": "2"}, sounds=[Sound(sound, codec="aac")])
    cut = trimmed(source, tmp_path / "in.mp4", 1.2)
    assert Video(cut).count == 70
    notes = rewritten(cut, tmp_path / "out.mp4")
    assert notes == () and len(times(tmp_path / "out.mp4")[0]) == 70
    assert flashes(tmp_path / "out.mp4") == pytest.approx([0.28, 1.28, 2.28], abs=1e-3)
    assert beeps(tmp_path / "out.mp4") == pytest.approx([0.28, 1.28, 2.28], abs=0.03)


@pytest.mark.parametrize(("picture", "sound"), [(0, 0.6), (0.6, 0)])
@pytest.mark.parametrize("name", ["in.mp4", "in.mkv", "in.ts"])
def test_picture_and_sound_may_begin_apart(tmp_path, name, picture, sound):
    frames, _ = flashing(25)
    codec = "aac" if name == "in.mp4" else "mp2"
    samples = tones(1) * (np.arange(48000) >= 24000)  # a beep of half a second, half a second after its start
    source = film(tmp_path / name, frames, start=picture, sounds=[Sound(samples, codec=codec, start=sound)])
    rewritten(source, tmp_path / "out.mp4")
    apart = beeps(tmp_path / "out.mp4")[0] - flashes(tmp_path / "out.mp4")[0]
    assert apart == pytest.approx(sound - picture + 0.02, abs=0.05)  # the flash is the 13th frame


def test_a_video_whose_sound_ends_later_is_not_called_cut(tmp_path):
    source = film(tmp_path / "in.mkv", panning(64, 48, 10), sounds=[Sound(tones(1, 3), codec="aac")])
    source.write_bytes(source.read_bytes().replace(b"DURATION", b"NO LABEL"))  # of each track
    assert rewritten(source, tmp_path / "out.mp4") == ()


def test_every_frame_leaves_the_decoder_whatever_the_order_of_streams(tmp_path):
    frames = panning(64, 48, 30)
    source = film(tmp_path / "in.mp4", frames, sounds=[Sound(tones(1), codec="aac")], sound_first=True)
    assert rewritten(source, tmp_path / "out.mp4") == ()
    assert len(times(tmp_path / "out.mp4")[0]) == 30 and packets(tmp_path / "out.mp4", "audio") == packets(
        source, "audio"
    )


def test_a_time_code_is_kept(tmp_path):
    source = film(
        tmp_path / "in.mov", panning(64, 48, 3), codec="prores_ks", pix_fmt="yuv422p10le", time_code="10:20:30:12"
    )
    assert rewritten(source, tmp_path / "out.mp4") == ()
    with av.open(str(tmp_path / "out.mp4")) as result:
        assert result.streams.video[0].metadata["timecode"] == "10:20:30:12"


def test_a_time_code_that_mp4_does_not_take_is_a_note(tmp_path):
    source = film(tmp_path / "in.mkv", panning(64, 48, 3), time_code="10:20:30;12")  # drops numbers at 25 frames/s
    notes = rewritten(source, tmp_path / "out.mp4")
    assert notes == ("its time code (10:20:30;12) is left out: MP4 does not take it at this frame rate",)
