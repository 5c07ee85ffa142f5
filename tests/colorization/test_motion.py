"""Levels of color that are held along motion."""

import numpy as np

from colorization.video.propagation import rounded_along_motion

STILL = np.zeros((8, 8, 2), np.float32)


def changes(frames, back=STILL, held=True):
    """How often a level changes from frame to frame, and how far the levels are off at most."""
    before, count, off = None, 0, 0.0
    for levels in frames:
        now = rounded_along_motion(levels, before, back) if held else np.rint(levels)
        off = max(off, float(np.abs(now - levels).max()))
        count += 0 if before is None else int((now != before).sum())
        before = now
    return count, off


def test_levels_do_not_go_to_and_fro():
    rng = np.random.default_rng(0)
    level = rng.uniform(100, 150, (2, 16, 16))
    frames = [(level + rng.normal(0, 0.15, level.shape)).astype(np.float32) for _ in range(20)]
    held, off = changes(frames)
    assert held < changes(frames, held=False)[0] / 10
    assert off < 2


def test_levels_follow_a_slow_change_and_a_sudden_one():
    frames = [np.full((2, 16, 16), 100 + 0.2 * number, np.float32) for number in range(50)]
    assert changes(frames)[1] < 2
    sudden = [np.full((2, 16, 16), level, np.float32) for level in (100.3, 120.4, 120.4)]
    before = rounded_along_motion(sudden[0], None, None)
    assert np.array_equal(rounded_along_motion(sudden[1], before, STILL), np.full((2, 16, 16), 120)), (
        "no trail of the color before"
    )


def test_levels_are_held_where_they_move_to():
    """The flow is that of a frame of another size, as frames are smaller where motion is looked for."""
    before = np.tile(np.arange(100, 116, dtype=np.float32), (2, 16, 1))
    moved = np.roll(before, 2, axis=2) + 0.6  # by two of its pixels, which is one of the flow's
    kept = rounded_along_motion(
        moved, before, np.dstack([np.full((8, 8), -1, np.float32), np.zeros((8, 8), np.float32)])
    )
    assert np.array_equal(kept[:, :, 3:], np.roll(before, 2, axis=2)[:, :, 3:]), "not rounded up, which is nearer"
