"""Every frame that was decoded is in the result, whatever the lengths of its segments; else there is none."""

import numpy as np
import pytest
from support.clips import ByLightness, clip, finish, panning, times

from colorization.video.colorize import colorize_video
from colorization.video.container import Video
from colorization.video.limits import LostFramesError
from colorization.video.mp4 import Encoder, concatenate_segments, video_frame

LONGEST = 132  # frames of a segment: 120, and a run


def noise(count, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield video_frame(rng.integers(16, 236, (16, 16), np.uint8), rng.uniform(16, 240, (2, 8, 8)).astype(np.float32))


def segment(file, video, count, first=0):
    with Encoder(file, video, (16, 16), 30, None) as encoder:
        for number, frame in enumerate(noise(count), first):
            encoder.write(frame, number * 512)
    return file


def test_segments_of_every_length_keep_their_frames(tmp_path):
    video = Video(clip(tmp_path / "in.mp4", panning(16, 16, 2), sound=False))
    for count in (*range(1, 34), 47, 120, 127, LONGEST, 2 * LONGEST):
        files = [segment(tmp_path / "1.nut", video, 24), segment(tmp_path / "2.nut", video, count, 24)]
        concatenate_segments(files, 24 + count, video, tmp_path / "out.mp4", 512)
        shown, duration = times(tmp_path / "out.mp4")
        assert shown == pytest.approx([number / 25 for number in range(24 + count)]) and duration == 1 / 25, count


@pytest.mark.parametrize(("before", "count"), [(0, 7), (40, 7), (120, 7), (25, 1), (25, 2), (25, 31)])
def test_a_last_scene_of_any_length(tmp_path, before, count):
    """A segment ends with a scene; 7 frames were dropped: NUT gives their packets without times of decoding."""
    dark, light = [np.full((48, 64), level, np.uint8) for level in (40, 200)]
    source = clip(tmp_path / "in.mp4", [dark] * before + [light] * count, sound=False)
    last = finish(colorize_video([ByLightness()], source, tmp_path / "out.mp4"))
    assert last.done == last.total == len(times(tmp_path / "out.mp4")[0]) == before + count


def test_a_damaged_segment_is_an_error_and_not_a_shorter_video(tmp_path):
    """The disk lost half of it while the job was stopped."""
    dark, light = [np.full((48, 64), level, np.uint8) for level in (40, 200)]
    source = clip(tmp_path / "in.mp4", [dark] * 30 + [light] * 30, sound=False)
    job = colorize_video([ByLightness()], source, tmp_path / "out.mp4")
    while next(job).done < 40:
        pass
    job.close()
    (first,) = (tmp_path / ".out.mp4.parts").glob("0*.nut")
    first.write_bytes(first.read_bytes()[: first.stat().st_size // 2])
    with pytest.raises(LostFramesError, match=r"holds \d+ frames instead of 60: try again"):
        finish(colorize_video([ByLightness()], source, tmp_path / "out.mp4"))
    assert [file.name for file in tmp_path.iterdir()] == ["in.mp4"]
    assert finish(colorize_video([ByLightness()], source, tmp_path / "out.mp4")).done == 60, "it begins anew"
