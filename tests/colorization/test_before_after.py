"""Before and after in one picture, and moving."""

import io

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from colorization.before_after import diagonal, gif, mp4, side_by_side, sweep
from colorization.inference import gray
from colorization.label import xmp


@pytest.fixture
def versions(photograph):
    """Before and after, of odd width and height."""
    after = photograph.crop((0, 0, 321, 213))
    return gray(after), after


@pytest.mark.parametrize("shape", [(321, 213), (213, 321)])
def test_both_are_whole_beside_each_other(photograph, shape):
    after = photograph.crop((0, 0, *shape))
    both = np.asarray(side_by_side(gray(after), after))
    height, width = np.asarray(after).shape[:2]
    assert np.array_equal(both[:height, :width], np.asarray(gray(after)))
    assert np.array_equal(both[-height:, -width:], np.asarray(after))
    assert both.shape[0] == height or both.shape[1] == width, "the shorter way"


def test_a_credit_line_is_added_and_nothing_is_covered(versions):
    without, with_ = (side_by_side(*versions, credit) for credit in ("", "Colors are plausible"))
    assert with_.height > without.height
    assert np.array_equal(np.asarray(with_)[: without.height], np.asarray(without))
    assert np.asarray(with_)[without.height :].min() < 128, "there is text"


def test_a_diagonal_has_gray_at_the_left_and_color_at_the_right(versions):
    before, after = (np.asarray(version) for version in versions)
    both = np.asarray(diagonal(*versions))
    assert np.array_equal(both[:, :100], before[:, :100]) and np.array_equal(both[:, -100:], after[:, -100:])


def test_a_loop_begins_gray_becomes_colored_and_ends_where_it_began(versions):
    frames = list(sweep(*versions))
    middle = len(frames) // 2
    assert np.array_equal(np.asarray(frames[0]), np.asarray(versions[0]))
    assert np.array_equal(np.asarray(frames[middle]), np.asarray(versions[1]))
    between = np.asarray(frames[middle // 2 + 7])
    assert np.array_equal(between[:, :20], np.asarray(versions[1])[:, :20])
    assert np.array_equal(between[:, -20:], np.asarray(versions[0])[:, -20:])


def test_the_loop_plays(versions):
    frames = list(sweep(*versions))
    with av.open(io.BytesIO(mp4(iter(frames)))) as video:
        shown = [frame.to_ndarray(format="rgb24").astype(int) for frame in video.decode(video=0)]
    assert len(shown) == len(frames) and shown[0].shape == (212, 320, 3)
    assert np.abs(shown[len(shown) // 2] - np.asarray(versions[1])[:212, :320]).mean() < 6
    moving = Image.open(io.BytesIO(gif(iter(frames))))
    pictures = [np.asarray(frame.convert("RGB")).astype(int) for frame in ImageSequence.Iterator(moving)]
    assert moving.info["loop"] == 0 and len(pictures) > 10
    assert np.abs(pictures[0] - np.asarray(versions[0])).mean() < 6
    assert np.abs(pictures[len(pictures) // 2] - np.asarray(versions[1])).mean() < 12


@pytest.mark.parametrize("model", ["unet", ""])
def test_the_loop_says_what_its_colors_are(versions, model):
    frames = list(sweep(*versions))
    with av.open(io.BytesIO(mp4(iter(frames), model)), options={"export_xmp": "1"}) as video:
        assert video.metadata.get("xmp", "").encode() == xmp(model)
    data = gif(iter(frames), model)
    _, _, block = data.partition(b"XMP DataXMP")
    assert block.partition(b"\1\xff\xfe")[0] == xmp(model)
    moving, bare = (Image.open(io.BytesIO(file)) for file in (data, gif(iter(frames))))
    assert moving.n_frames == bare.n_frames
    for file in (moving, bare):
        file.seek(bare.n_frames - 1)
    assert moving.tobytes() == bare.tobytes(), "readers that know nothing of it skip it"
