"""Lightness degraded: what each effect is known for, and JPEG against the real one."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from colorization.lab import rgb_to_network
from train.data.degrade import degrade, jpeg


@pytest.fixture(scope="module")
def photograph():
    pixels = torch.from_numpy(data.astronaut()[:200, :204].copy()).permute(2, 0, 1)[None].float() / 255
    return rgb_to_network(pixels)


@pytest.fixture
def every_effect(monkeypatch):
    """Chances of one: every picture gets every effect."""
    monkeypatch.setattr(torch, "rand", lambda *size, **_: torch.zeros(size))


def test_a_share_of_the_pictures_becomes_old_and_the_rest_stays_as_it_is(photograph):
    torch.manual_seed(0)
    L, ab = (x.expand(200, -1, -1, -1)[..., :40, :40] for x in photograph)
    given = L.clone()
    old = degrade(L, ab, share=0.3)
    assert torch.equal(L, given), "the batch's own lightness was changed"
    assert old.shape == L.shape and old.min() >= -1 and old.max() <= 1 and old.isfinite().all()
    kept = (old == L).flatten(1).all(1)
    # A third of a chance for each of seven effects: six in a hundred of the chosen get none.
    assert 0.6 < kept.float().mean() < 0.82
    assert torch.equal(degrade(L, ab, share=0), L)


def test_every_effect_at_once_leaves_a_picture(photograph, every_effect):
    old = degrade(*photograph, share=1)
    assert old.isfinite().all() and old.std() > 0.1
    like = torch.corrcoef(torch.stack((old.flatten(), photograph[0].flatten())))[0, 1]
    assert 0.4 < like < 0.99


def test_old_film_sees_red_as_dark_and_the_sky_as_bright(monkeypatch):
    import train.data.degrade

    for effect in ("_vignette", "_soften", "_halftone", "_fade", "_grain", "_jpeg"):
        monkeypatch.setattr(train.data.degrade, effect, lambda light: light)
    monkeypatch.setattr(torch, "rand", lambda *size, **_: torch.zeros(size))
    colors = torch.tensor([[0.8, 0.2, 0.2], [0.35, 0.55, 0.9], [0.5, 0.5, 0.5]])
    L, ab = rgb_to_network(colors[:, :, None, None].expand(-1, -1, 8, 8))
    red, sky, gray = (degrade(L, ab, share=1) - L).mean((1, 2, 3))
    assert red < -0.2 and sky > 0.1 and abs(gray) < 0.02


@pytest.mark.parametrize("quality", [10, 35, 60, 90])
def test_jpeg_is_jpeg(photograph, quality):
    light = ((photograph[0] + 1) * 127.5).round()
    stream = io.BytesIO()
    Image.fromarray(light[0, 0].byte().numpy()).save(stream, "JPEG", quality=quality)
    real = np.asarray(Image.open(stream)).astype(float)
    ours = (jpeg(light / 255, torch.full((1, 1, 1, 1), float(quality))) * 255).clamp(0, 255)[0, 0].numpy()
    damage = np.abs(real - light[0, 0].numpy()).mean()
    assert np.abs(ours - real).mean() < 0.25 * damage + 0.3
    assert np.abs(ours - light[0, 0].numpy()).mean() == pytest.approx(damage, rel=0.1)
