"""Sound beside a video: copied where MP4 players know it, else AAC with its channels, in their order, as loud."""

import resource

import av
import numpy as np
import pytest
from support.clips import packets, panning
from support.films import Sound, channels, film, rewritten, tones

from colorization.video.container import Video


def strongest(samples, rate):
    """The frequency in Hz and the level in dB below full scale of each channel's tone."""
    middle = samples[:, samples.shape[1] // 4 : samples.shape[1] * 3 // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(middle.shape[1])))
    levels = 20 * np.log10(np.sqrt((middle**2).mean(axis=1)) * 2**0.5)
    return spectrum.argmax(axis=1) * rate / middle.shape[1], levels


@pytest.mark.parametrize(
    ("layout", "name", "kept"),
    [
        ("mono", "in.mov", "mono"),
        ("stereo", "in.avi", "stereo"),
        ("3.0", "in.mov", "3.0"),
        ("4.0", "in.mov", "4.0"),
        ("quad", "in.mov", "quad"),
        ("4 channels", "in.mxf", "4.0"),  # without names
        ("5.0", "in.mov", "5.0"),
        ("6 channels", "in.mxf", None),  # of which no one is for low frequencies
        ("6.0", "in.mov", None),  # in an order of its own, of which PyAV frees the names twice
    ],
)
def test_channels_keep_their_number_their_order_and_their_level(tmp_path, layout, name, kept):
    count = av.AudioLayout(layout).nb_channels
    video = {"codec": "mpeg2video"} if name == "in.mxf" else {}
    size = (720, 576) if name == "in.mxf" else (64, 48)
    source = film(tmp_path / name, panning(*size, 25), sounds=[Sound(tones(count), layout)], **video)
    notes = rewritten(source, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as result:
        (track,) = result.streams.audio
        assert kept is None or track.layout.name == kept
    samples, start = channels(tmp_path / "out.mp4")
    frequencies, levels = strongest(samples, 48000)
    assert len(samples) == count and start == 0
    assert frequencies == pytest.approx([200 + 100 * c for c in range(count)], abs=5)
    assert levels == pytest.approx([20 * np.log10(0.25)] * count, abs=0.5)
    assert "its sound (pcm_s16le) is kept as AAC: MP4 does not take it as it is" in notes


def test_5_1_stays_5_1(tmp_path):
    """Full loud on all channels: folded to stereo it would clip."""
    sound = tones(6, amplitude=0.9)
    sound[3] = 0.9 * np.sin(2 * np.pi * 60 * np.arange(48000) / 48000)  # AAC keeps low frequencies of that channel
    source = film(tmp_path / "in.mov", panning(64, 48, 25), sounds=[Sound(sound, "5.1")])
    rewritten(source, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as result:
        assert result.streams.audio[0].layout.name == "5.1"
    frequencies, levels = strongest(channels(tmp_path / "out.mp4")[0], 48000)
    assert frequencies == pytest.approx([200, 300, 400, 60, 600, 700], abs=5)
    assert levels == pytest.approx([20 * np.log10(0.9)] * 6, abs=0.6)


def test_more_than_eight_channels_become_tracks(tmp_path):
    source = film(
        tmp_path / "in.mxf", panning(720, 576, 5), codec="mpeg2video", sounds=[Sound(tones(12, 0.2), "12 channels")]
    )
    notes = rewritten(source, tmp_path / "out.mp4")
    for number in range(12):
        frequencies, _ = strongest(channels(tmp_path / "out.mp4", number)[0], 48000)
        assert frequencies == pytest.approx([200 + 100 * number], abs=15)
    assert "its sound (pcm_s16le, 12 channels) is kept as AAC (12 tracks): MP4 does not take it as it is" in notes


@pytest.mark.parametrize(("rate", "kept"), [(192_000, 48_000), (176_400, 48_000), (96_000, 96_000), (11_127, 48_000)])
def test_rates_that_aac_does_not_have_are_resampled(tmp_path, rate, kept):
    sound = Sound(tones(2, rate=rate), "stereo", rate, "pcm_s24le")
    source = film(tmp_path / "in.mov", panning(64, 48, 25), sounds=[sound])
    notes = rewritten(source, tmp_path / "out.mp4")
    frequencies, levels = strongest(channels(tmp_path / "out.mp4")[0], kept)
    assert frequencies == pytest.approx([200, 300], abs=5) and levels == pytest.approx([-12.04] * 2, abs=0.5)
    assert any(f"{rate / 1000:g} kHz) is kept as AAC ({kept / 1000:g} kHz)" in note for note in notes) == (rate != kept)


def test_several_tracks_stay_several_with_their_languages(tmp_path):
    tracks = [
        Sound(tones(n + 1)[-1:], codec="aac", language=name) for n, name in enumerate(("deu", "eng", "kor", "fra"))
    ]
    source = film(tmp_path / "in.mp4", panning(64, 48, 25), sounds=tracks)
    assert rewritten(source, tmp_path / "out.mp4") == ()
    with av.open(str(tmp_path / "out.mp4")) as result:
        assert [track.language for track in result.streams.audio] == ["deu", "eng", "kor", "fra"]
    for number in range(4):
        frequencies, _ = strongest(channels(tmp_path / "out.mp4", number)[0], 48000)
        assert frequencies == pytest.approx([200 + 100 * number], abs=5)


@pytest.mark.parametrize(
    ("codec", "name"),
    [("aac", "in.mkv"), ("libmp3lame", "in.avi"), ("ac3", "in.ts"), ("libopus", "in.webm"), ("flac", "in.mkv")],
)
def test_sound_that_players_know_is_copied(tmp_path, codec, name):
    video = {"codec": "libvpx-vp9"} if name == "in.webm" else {"codec": "mpeg4"} if name == "in.avi" else {}
    source = film(tmp_path / name, panning(64, 48, 25), sounds=[Sound(tones(2), "stereo", codec=codec)], **video)
    assert rewritten(source, tmp_path / "out.mp4") == ()
    assert [data for _, data in packets(tmp_path / "out.mp4", "audio")] == [
        data for _, data in packets(source, "audio")
    ]


def test_damaged_sound_is_silent_and_the_rest_stays(tmp_path):
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (1, 96000))
    source = film(tmp_path / "in.mkv", panning(64, 48, 50), sounds=[Sound(noise, codec="mp2")])
    data = bytearray(source.read_bytes())
    pieces = [bytes(data) for _, data in packets(source, "audio")]
    for piece in pieces[30:50]:  # of 24 ms
        place = data.index(piece)
        data[place : place + len(piece)] = bytes(len(piece))
    source.write_bytes(data)
    rewritten(source, tmp_path / "out.mp4")
    samples, _ = channels(tmp_path / "out.mp4")
    assert samples.shape[1] == pytest.approx(96000, abs=3000)
    assert np.abs(samples[0, 38000:55000]).max() < 0.02 and np.abs(samples[0, 62000:90000]).max() > 0.2


def test_sound_that_goes_on_long_after_the_picture_stays_whole(tmp_path):
    """Its packets are set 20 seconds apart, so that there need not be 15 minutes of them."""
    source = film(tmp_path / "in.mkv", panning(64, 48, 25), sounds=[Sound(tones(1), codec="aac")])
    with av.open(str(source)) as whole, av.open(str(tmp_path / "long.mkv"), "w") as output:
        tracks = [output.add_stream_from_template(stream) for stream in whole.streams]
        for packet in whole.demux():
            if packet.size:
                if packet.stream.type == "audio":
                    packet.pts = packet.dts = packet.pts * 900
                packet.stream = tracks[packet.stream.index]
                output.mux(packet)
    assert rewritten(tmp_path / "long.mkv", tmp_path / "out.mp4") == ()
    assert len(packets(tmp_path / "out.mp4", "audio")) == len(packets(source, "audio")) > 40


def test_a_track_whose_times_are_damaged_is_skipped_with_a_note(tmp_path):
    sounds = [Sound(tones(1), codec="aac", language="kor"), Sound(tones(1), codec="aac", start=5000, language="deu")]
    source = film(tmp_path / "in.mkv", panning(64, 48, 25), sounds=sounds)
    (note,) = rewritten(source, tmp_path / "out.mp4")
    assert "packets of its sound or subtitles are skipped: their times are far beyond its end" in note
    with av.open(str(tmp_path / "out.mp4")) as result:
        assert result.duration / av.time_base < 2


def test_a_full_disk_is_an_error_and_not_a_video_without_sound(tmp_path):
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (1, 96000))
    source = film(tmp_path / "in.mkv", panning(64, 48, 25), sounds=[Sound(noise, codec="aac")])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (source.stat().st_size * 2 // 3, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            rewritten(source, tmp_path / "out.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_cover_and_unknown_tracks_are_no_second_video(tmp_path):
    source = film(tmp_path / "in.mkv", panning(64, 48, 5))
    with av.open(str(source)) as whole, av.open(str(tmp_path / "cover.mkv"), "w") as output:
        output.add_attachment("cover.jpg", "image/jpeg", b"\\xff\\xd8\\xff\\xe0" + bytes(200))
        track = output.add_stream_from_template(whole.streams.video[0])
        for packet in whole.demux():
            if packet.size:
                packet.stream = track
                output.mux(packet)
    assert rewritten(tmp_path / "cover.mkv", tmp_path / "out.mp4") == ()
    assert Video(tmp_path / "cover.mkv").size == (64, 48)
