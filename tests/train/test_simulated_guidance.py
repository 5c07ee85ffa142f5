"""Simulated guidance: points and moods drawn from the true colors, and that the U-Net learns to follow them."""

import types

import pytest
import torch
from support.recipes import changed, recipe, weights
from torch import nn

from colorization.models import UNet
from train.batch import Batch
from train.recipes.hints import simulated


@pytest.fixture(scope="module")
def colors():
    """Colors of which lightness tells nothing: every picture is a square of one color on another."""
    torch.manual_seed(0)
    ab = (torch.rand(8, 2, 1, 1) - 0.5).expand(-1, -1, 32, 32).clone()
    ab[:, :, 8:24, 8:24] = torch.rand(8, 2, 1, 1) - 0.5
    L = torch.zeros(8, 1, 32, 32)
    L[:, :, 8:24, 8:24] = 0.5
    return Batch(L, ab, torch.rand(8), clean=L)


def test_simulated_points_have_the_colors_of_their_places(colors):
    torch.manual_seed(0)
    condition = simulated(colors.ab, hint_share=0.5, mood_share=0.5)
    assert condition.places.abs().max() <= 1 and set(condition.valid.unique().tolist()) <= {0.0, 1.0}
    inside = (condition.places.abs() < 0.2).all(-1) & (condition.valid > 0)  # far from the square's edge
    outside = (condition.places.abs() > 0.8).any(-1) & (condition.valid > 0)
    assert inside.any() and outside.any()
    for where, place in ((inside, (16, 16)), (outside, (1, 1))):
        for picture, point in where.nonzero().tolist():
            expected = colors.ab[picture, :, place[0], place[1]]
            torch.testing.assert_close(condition.colors[picture, point], expected, atol=0.02, rtol=0)
    counts = torch.cat([simulated(colors.ab, 0.75, 0.4).valid.sum(1) for _ in range(100)])
    assert counts.max() <= 64 and 0.15 < (counts == 0).float().mean() < 0.35 and (counts > 32).any()
    assert (simulated(colors.ab, 0.0, 0.0).mood == 0).all(), "no mood is given where none is asked for"


def test_the_unet_learns_to_follow_points_and_moods(colors):
    """What lightness does not tell, guidance does; without guidance it stays at the mean."""
    torch.manual_seed(0)
    colorizer = UNet(width=8, depth=3, working_size=32, guided=True)
    options = {"hint_share": 0.8, "mood_share": 0.5, "perceptual_weight": 0.0, "learning_rate": 5e-3}
    trained = recipe("unet", steps=200, colorizer=colorizer, **options)
    for step in range(200):
        torch.manual_seed(step)
        logged = trained.step(colors)
    assert logged["moods"].isfinite()
    network, wrong = trained.colorizer.eval(), {}
    torch.manual_seed(0)
    for name, shares in (("nothing", (0.0, 0.0)), ("points", (1.0, 0.0)), ("mood", (0.0, 1.0))):
        condition = simulated(colors.ab, *shares)
        with torch.no_grad():
            wrong[name] = nn.functional.l1_loss(network(colors.L, condition), colors.ab).item()
    assert wrong["points"] < 0.6 * wrong["nothing"] and wrong["mood"] < 0.8 * wrong["nothing"]


def test_guidance_alone_is_trained_beside_colors_that_stay_the_same(colors):
    torch.manual_seed(0)
    colorizer = UNet(width=8, depth=3, working_size=32, guided=True)
    nn.init.normal_(colorizer.head.weight, std=0.1)
    condition = simulated(colors.ab, 1.0, 1.0)
    with torch.no_grad():
        before, guided = colorizer.eval()(colors.L), colorizer(colors.L, condition)
    options = {"hint_share": 0.8, "mood_share": 0.5, "perceptual_weight": 0.0, "guidance_only": True}
    trained = recipe("unet", steps=4, colorizer=colorizer, **options)
    for _ in range(4):
        trained.step(colors)
    with torch.no_grad():
        assert torch.equal(trained.colorizer.eval()(colors.L), before)
        assert not torch.allclose(trained.colorizer(colors.L, condition), guided)
    with pytest.raises(ValueError, match="give a hint_share or mood_share"):
        recipe("unet", perceptual_weight=0.0, guidance_only=True)


def test_steps_with_simulated_guidance_are_the_same_from_the_same_random_state(colors):
    def after_two_steps():
        torch.manual_seed(0)
        colorizer = UNet(width=8, depth=3, working_size=32, guided=True)
        trained = recipe("unet", colorizer=colorizer, hint_share=0.8, mood_share=0.5, perceptual_weight=0.0)
        for step in range(2):
            torch.manual_seed(step)
            trained.step(colors)
        return weights(trained.colorizer)

    assert not changed(types.SimpleNamespace(state_dict=after_two_steps), after_two_steps())
