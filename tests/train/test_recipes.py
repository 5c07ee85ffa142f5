"""Each recipe is its paper's algorithm; the classic faults cannot happen."""

import copy
import math

import numpy as np
import pytest
import torch
from conftest import NAMES
from support.recipes import changed, recipe, weights
from torch import nn

from colorization.models import UNet
from colorization.zoo import ZOO, load
from train.batch import Batch
from train.recipes import RECIPES
from train.recipes.base import cosine, random_square
from train.recipes.configs import CWGANConfig, Pix2PixConfig, UNetConfig
from train.recipes.frozen import FrozenNetworks
from train.recipes.perceptual import PerceptualLoss
from train.recipes.pretrained import imagenet_features
from train.recipes.projected import ProjectedFeatures


class Pooled(nn.Module):
    """A feature network small enough for a test."""

    def forward(self, rgb):
        return [nn.functional.avg_pool2d(rgb, 2) + 1]


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(4, 1, 4, 4, generator=generator) * 2 - 1
    L = nn.functional.interpolate(coarse, size=(32, 32), mode="bilinear", align_corners=False)
    ab = torch.cat((L * 0.4 + 0.1, -L * 0.3), dim=1)  # color that lightness tells
    return Batch(L, ab, torch.rand(4, generator=generator), clean=L)


def test_every_model_has_a_recipe_and_every_recipe_a_model():
    assert ZOO.keys() == RECIPES.keys()
    assert all(RECIPES[name].config_class.name == ZOO[name].cls.name == name for name in ZOO)


@pytest.mark.parametrize(
    ("name", "options", "frozen"),
    [
        ("pix2pix", {"learning_rate": 2e-3}, None),
        ("cwgan", {"learning_rate": 2e-3, "dropout": 0.0, "l1_steps": 150, "color_weight": 10.0}, None),
        ("unet", {"learning_rate": 2e-3}, FrozenNetworks(PerceptualLoss(Pooled()))),
    ],
)
def test_overfits_one_batch(name, options, frozen, batch):
    trained = recipe(name, steps=200, frozen=frozen, **options)
    start = trained.step(batch)["l1"]
    for _ in range(199):
        logged = trained.step(batch)
        end = logged.get("l1", start)
    assert end < 0.35 * start
    assert all(value.isfinite() and not value.requires_grad for value in logged.values())


def test_pix2pix_changes_both_networks_once_each_per_step(batch):
    trained = recipe("pix2pix")
    updates = {"generator": 0, "discriminator": 0}
    for who in updates:
        optimizer = getattr(trained, f"{who}_optimizer")
        original = optimizer.step

        def counted(*args, who=who, original=original, **kwargs):
            updates[who] += 1
            return original(*args, **kwargs)

        optimizer.step = counted
    for _ in range(3):
        trained.step(batch)
    assert updates == {"generator": 3, "discriminator": 3}


@pytest.mark.parametrize(("name", "judge"), [("pix2pix", "discriminator"), ("cwgan", "critic")])
def test_the_judges_gradient_reaches_the_generator(name, judge, batch):
    """Without L1 the generator moves only if the judge tells it how."""
    trained = recipe(name, l1_weight=0.0, **({"n_critic": 1} if name == "cwgan" else {}))
    before = weights(trained.generator)
    trained.step(batch)
    assert changed(trained.generator, before)


@pytest.mark.parametrize(("name", "judge"), [("pix2pix", "discriminator"), ("cwgan", "critic")])
def test_the_generators_step_leaves_the_judge_alone(name, judge, batch):
    """With the judge's own learning rate at zero nothing else may move it, nor fill its gradients."""
    trained = recipe(name, **({"n_critic": 1} if name == "cwgan" else {}))
    network = getattr(trained, judge)
    before, seen = weights(network), []
    optimizer = trained.generator_optimizer
    step = optimizer.step
    getattr(trained, f"{judge}_optimizer").step = lambda: seen.append([p.grad.clone() for p in network.parameters()])
    optimizer.step = lambda: (step(), seen.append([p.grad.clone() for p in network.parameters()]))
    trained.step(batch)
    assert not changed(network, before)
    assert all(torch.equal(a, b) for a, b in zip(*seen, strict=True)), (
        "the generator's loss polluted its judge's gradient"
    )
    assert all(p.requires_grad for p in network.parameters()), "the judge stays frozen"


def test_the_critics_step_leaves_the_generator_alone(batch):
    trained = recipe("cwgan", n_critic=5)
    generator, critic = weights(trained.generator), weights(trained.critic)
    logged = trained.step(batch)
    assert changed(trained.critic, critic) and not changed(trained.generator, generator)
    assert set(logged) == {"wasserstein", "penalty"}


def test_five_critic_steps_to_one_of_the_generator(batch):
    trained = recipe("cwgan", l1_steps=3)
    kinds = ["l1" in (logged := trained.step(batch)) and "wasserstein" not in logged for _ in range(3)]
    assert kinds == [True] * 3, "L1 alone at the start"
    schedule = [sorted(trained.step(batch)) for _ in range(10)]
    critic_only = ["penalty", "wasserstein"]
    both = ["critic_score", "l1", "penalty", "wasserstein"]
    assert schedule == [*[critic_only] * 4, both, *[critic_only] * 4, both]


def test_the_critic_learns_to_tell_and_the_absolute_value_makes_it_blind(batch):
    def distance_after(absolute):
        trained = recipe("cwgan", steps=1_000, n_critic=10**6, absolute_wasserstein=absolute, learning_rate=1e-3)
        return [trained.step(batch)["wasserstein"].item() for _ in range(60)][-1]

    assert distance_after(False) > 0.02
    assert abs(distance_after(True)) < distance_after(False) / 2


@pytest.fixture(scope="module")
def projected():
    torch.manual_seed(0)
    return ProjectedFeatures(imagenet_features(3))


ADVERSARIES = [("unet", "discriminator"), ("cwgan", "critic")]


def with_projection(name, projected, **options):
    """A recipe whose adversary judges projected features; without other losses, and without steps of its own."""
    own = {"unet": {"adversarial_weight": 1.0, "discriminator_steps": 0, "perceptual_weight": 0.0}}
    own["cwgan"] = {"projected_critic": True, "n_critic": 1}
    frozen = FrozenNetworks(projected=copy.deepcopy(projected))
    return recipe(name, frozen=frozen, learning_rate=1e-3, **own[name] | options)


@pytest.mark.parametrize(("name", "adversary"), ADVERSARIES)
def test_a_projected_adversary_teaches_the_generator_and_its_features_stay(name, adversary, batch, projected):
    """Without L1 the generator moves only if the adversary's gradient reaches it through the features."""
    trained = with_projection(name, projected, l1_weight=0.0)
    features = weights(trained.frozen_networks.projected)
    before, heads = weights(trained.colorizer), weights(trained.networks[adversary])
    for _ in range(2):
        logged = trained.step(batch)
    assert changed(trained.colorizer, before) and changed(trained.networks[adversary], heads)
    assert not changed(trained.frozen_networks.projected, features)
    assert all(value.isfinite() and not value.requires_grad for value in logged.values())


@pytest.mark.parametrize(("name", "adversary"), ADVERSARIES)
def test_a_projected_adversary_tells_real_colors_from_others(name, adversary, batch, projected):
    trained = with_projection(name, projected, l1_weight=0.0, **{"n_critic": 10**6} if name == "cwgan" else {})
    trained.recipe.optimizers["generator"].step = lambda: None  # the generator stays where it is, at gray
    for _ in range(30):
        trained.step(batch)
    with torch.no_grad():
        judged = [trained._projected(batch, ab) for ab in (batch.ab, torch.zeros_like(batch.ab))]
        real, gray = (trained.networks[adversary](*features).mean().item() for features in judged)
    assert real > gray + 0.5


def test_the_discriminator_learns_alone_at_first(batch, projected):
    trained = with_projection("unet", projected, discriminator_steps=2)
    before = weights(trained.colorizer), weights(trained.discriminator)
    for _ in range(2):
        trained.step(batch)
    assert not changed(trained.colorizer, before[0]) and changed(trained.discriminator, before[1])
    trained.step(batch)
    assert changed(trained.colorizer, before[0])


@pytest.mark.parametrize("name", RECIPES)
def test_an_encoder_learns_the_features_of_imagenet(name, batch):
    """Without another loss; the adapters learn with it, and are not saved."""
    frozen = FrozenNetworks(features=imagenet_features(1))
    options = {"l1_weight": 0.0, "feature_weight": 1.0, "learning_rate": 2e-3}
    options |= {"unet": {"perceptual_weight": 0.0}}.get(name, {"l1_steps": 1000})
    trained = recipe(name, frozen=frozen, **options)
    encoder = weights(trained.colorizer.encoder)
    losses = [trained.step(batch)["features"].item() for _ in range(40)]
    assert losses[0] > 0.8 and losses[-1] < 0.6 * losses[0]
    assert changed(trained.colorizer.encoder, encoder)
    assert not [key for key in trained.averaged.state_dict() if "adapter" in key]


@pytest.mark.parametrize("name", RECIPES)
def test_a_teacher_pulls_the_student_towards_its_colors(name, batch, tmp_path):
    """With no weight on the truth, what is left to learn is the teacher's constant color."""
    for color in (0.1, 0.5):
        teacher = ZOO["pix2pix"].cls(width=8, depth=3, working_size=32)
        torch.nn.init.constant_(teacher.head.bias, color)
        teacher.save_pretrained(tmp_path / str(color))
    both = tuple(str(folder) for folder in sorted(tmp_path.iterdir()))
    options = {"l1_weight": 0.0, "teacher": both, "teacher_weight": 100.0, "learning_rate": 2e-3}
    options |= {"unet": {"perceptual_weight": 0.0}}.get(name, {"l1_steps": 1000})
    trained = recipe(name, **options)
    losses = [trained.step(batch)["teacher"].item() for _ in range(60)]
    assert losses[-1] < 0.3 * losses[0]
    assert not any(p.requires_grad for teacher in trained.teachers for p in teacher.parameters())
    mean = (np.tanh(0.1) + np.tanh(0.5)) / 2
    assert trained.colorizer.eval()(batch.L).detach().mean() == pytest.approx(mean, abs=0.12)


def test_teachers_see_the_lightness_that_was_not_degraded(batch, tmp_path):
    """The student, which is given the degraded one, is to find the colors of the scene all the same."""
    torch.manual_seed(0)
    teacher = ZOO["unet"].cls(width=8, depth=3, working_size=32).eval()
    torch.nn.init.normal_(teacher.head.weight, std=0.1)
    teacher.save_pretrained(tmp_path)
    options = {"l1_weight": 0.0, "teacher": (str(tmp_path),), "teacher_weight": 1.0, "perceptual_weight": 0.0}
    student = recipe("unet", **options)
    degraded = batch._replace(L=-batch.L)
    with torch.inference_mode():
        given, seen = student.colorizer(degraded.L), [teacher(L) for L in (degraded.clean, degraded.L)]
    to_clean, to_degraded = (nn.functional.l1_loss(given, taught).item() for taught in seen)
    assert abs(to_degraded - to_clean) > 0.02 * to_clean, "the two can be told apart"
    assert student.step(degraded)["teacher"].item() == pytest.approx(to_clean, rel=1e-3)


def test_a_teachers_weight_without_a_teacher_is_a_mistake():
    with pytest.raises(ValueError, match=r"--pix2pix\.teacher-weight needs --pix2pix\.teacher"):
        recipe("pix2pix", teacher_weight=1.0)


def test_a_perceptual_loss_on_a_square_sees_no_more_than_the_square(batch):
    seen = []

    class Watched(Pooled):
        def forward(self, rgb):
            seen.append(tuple(rgb.shape))
            return super().forward(rgb)

    trained = recipe("unet", frozen=FrozenNetworks(PerceptualLoss(Watched())), perceptual_crop=12)
    assert trained.step(batch)["perceptual"].isfinite()
    assert set(seen) == {(4, 3, 12, 12)}
    corners = {tuple((part.start, part.stop) for part in random_square((8, 16), 8)) for _ in range(60)}
    assert {rows for rows, _ in corners} == {(0, 8)} and len(corners) == 9


@pytest.mark.parametrize("rate", [0.0, 0.25])
def test_a_pretrained_encoder_learns_slower_or_not_at_all(rate, batch):
    colorizer = UNet(working_size=32)
    trained = recipe("unet", colorizer=colorizer, width=32, depth=5, perceptual_weight=0.0, pretrained_rate=rate)
    before, head = weights(colorizer.encoder), weights(colorizer.head)
    for _ in range(2):
        trained.step(batch)
    rest, *encoder = (group["lr"] for group in trained.optimizer.param_groups)
    assert encoder == ([pytest.approx(rest / 4)] if rate else []) and trained.learning_rate == rest
    assert changed(colorizer.encoder, before) == bool(rate) and changed(colorizer.head, head)


def test_an_encoder_that_starts_at_random_learns_like_the_rest(batch):
    trained = recipe("unet", perceptual_weight=0.0)
    before = weights(trained.colorizer.encoder)
    trained.step(batch), trained.step(batch)
    rest, encoder = (group["lr"] for group in trained.optimizer.param_groups)
    assert encoder == rest and changed(trained.colorizer.encoder, before)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_can_add_the_perceptual_and_the_color_loss(name, batch):
    options = {"color_weight": 1.0, "perceptual_weight": 1.0} | ({"n_critic": 1} if name == "cwgan" else {})
    trained = recipe(name, frozen=FrozenNetworks(PerceptualLoss(Pooled())), **options)
    assert {"color", "perceptual", "l1"} <= set(trained.step(batch))


def test_gradients_are_clipped_and_the_learning_rate_warms_up_if_asked(batch):
    """Adam's steps do not tell the size of gradients, so what counts is what the optimizer is given."""
    for name in RECIPES:
        optimization = {"lr_warmup_steps": 4, "max_grad_norm": 1e-3}
        trained = recipe(name, 10**6, optimization=optimization, perceptual_weight=0.0)
        norms, seen = [], []
        optimizer = trained.optimizers["generator"]
        step = optimizer.step

        def watched(step=step, norms=norms, optimizer=optimizer):
            gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
            norms.append(float(torch.nn.utils.get_total_norm(gradients)))
            step()

        optimizer.step = watched
        for _ in range(5):
            trained.step(batch)
            seen.append(trained.learning_rate / trained.config.learning_rate)
        assert seen == pytest.approx([1 / 4, 2 / 4, 3 / 4, 1, 1]) and max(norms) <= 1.001e-3


def test_a_skipped_step_changes_neither_the_weights_nor_their_average(batch):
    trained = recipe("unet", perceptual_weight=0.0)
    trained.step(batch)
    before, average = weights(trained.colorizer), weights(trained.averaged)
    result = trained.recipe.step(batch._replace(ab=batch.ab * math.nan), 1)
    assert result.skipped and not result.losses
    assert not changed(trained.colorizer, before) and not changed(trained.averaged, average)


def test_a_share_of_the_starting_weights_is_kept_in_what_is_saved_and_changes_nothing_else(batch):
    start = recipe("pix2pix").colorizer.state_dict()
    plain, mixing = recipe("pix2pix"), recipe("pix2pix", optimization={"init_share": 0.25})
    for _ in range(2):
        plain.step(batch), mixing.step(batch)
    learned = weights(plain.averaged)
    assert not changed(mixing.average.module, learned) and not changed(mixing.colorizer, weights(plain.colorizer))
    assert changed(plain.averaged, start)
    for name, saved in mixing.averaged.state_dict().items():
        torch.testing.assert_close(saved, 0.75 * learned[name] + 0.25 * start[name])


def test_a_share_of_another_model_is_mixed_into_what_is_saved(batch, tmp_path):
    plain = recipe("pix2pix")
    other = ZOO["pix2pix"].cls(width=8, depth=3, working_size=64)  # its size need not be the same
    other.save_pretrained(tmp_path)
    mixing = recipe("pix2pix", optimization={"init_share": 0.25, "init_share_of": str(tmp_path)})
    plain.step(batch), mixing.step(batch)
    assert not changed(mixing.colorizer, weights(plain.colorizer))
    learned, mixed_in = weights(plain.averaged), load(tmp_path).state_dict()
    for name, saved in mixing.averaged.state_dict().items():
        torch.testing.assert_close(saved, 0.75 * learned[name] + 0.25 * mixed_in[name])
    with pytest.raises(ValueError, match="--init-share-of unet is"):
        recipe("pix2pix", optimization={"init_share": 0.25, "init_share_of": "unet"})


def test_guidance_that_another_model_lacks_is_mixed_as_it_was_at_the_start(batch, tmp_path):
    small = {"width": 8, "depth": 3, "working_size": 32}
    ZOO["unet"].cls(**small).save_pretrained(tmp_path)
    options = {"hint_share": 1.0, "perceptual_weight": 0.0, "colorizer": ZOO["unet"].cls(**small, guided=True)}
    mixing = recipe("unet", optimization={"init_share": 0.25, "init_share_of": str(tmp_path)}, **options)
    start = weights(mixing.colorizer)
    for _ in range(3):
        mixing.step(batch)
    learned = mixing.average.module.state_dict()
    assert any(not torch.equal(learned[name], start[name]) for name in start if name.startswith("guidance."))
    for name, saved in mixing.averaged.state_dict().items():
        if name.startswith("guidance."):
            torch.testing.assert_close(saved, 0.75 * learned[name] + 0.25 * start[name])


def test_learning_rates_follow_their_rounds(batch):
    constant, falling = recipe("pix2pix", steps=20), recipe("unet", steps=20, perceptual_weight=0.0)
    rates = []
    for _ in range(20):
        constant.step(batch), falling.step(batch)
        rates.append(falling.learning_rate)
        assert constant.learning_rate == 2e-4
    assert rates == sorted(rates, reverse=True) and rates[-1] < 0.02 * rates[0]
    assert cosine(0, 1000) == 1 / 20 and cosine(19, 1000) == 1 and math.isclose(cosine(1000, 1000), 0)


def test_the_projects_sizes_and_weights_are_the_defaults():
    sizes = [(e.config_class.resolution, e.config_class.train_batch_size) for e in map(RECIPES.get, NAMES)]
    assert sizes == [(256, 16), (224, 16), (320, 8)]
    assert Pix2PixConfig().l1_weight == 100 and CWGANConfig().gp_weight == 10 and CWGANConfig().n_critic == 5
    assert (CWGANConfig.vgg, UNetConfig.vgg, UNetConfig().perceptual_weight) == ("vgg16", "vgg19", 1)
    assert not CWGANConfig().absolute_wasserstein
