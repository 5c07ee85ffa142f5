import math

import pytest
import torch

from train.recipes.losses import color_loss, gan_loss, gradient_penalty, hinge_loss, wasserstein_distance

SHAPE = (4, 2, 8, 8)


class LinearCritic:
    """A score that is linear in ab: its gradient has the same norm everywhere."""

    def __init__(self, norm):
        direction = torch.randn(SHAPE[1:], generator=torch.Generator().manual_seed(0))
        self.weight = (direction / direction.norm() * norm).requires_grad_()

    def __call__(self, ab):
        return (ab * self.weight).flatten(1).sum(1, keepdim=True)


@pytest.mark.parametrize("norm", [0.25, 1.0, 3.0])
def test_penalty_of_a_linear_critic_is_its_closed_form(norm):
    critic = LinearCritic(norm)
    penalty = gradient_penalty(critic, [torch.randn(SHAPE)], [torch.randn(SHAPE)], torch.rand(4))
    assert penalty.item() == pytest.approx((norm - 1) ** 2, abs=1e-5)
    penalty.backward()
    assert critic.weight.grad.isfinite().all()
    # d (n - 1)^2 / d w points along w with length 2 |n - 1|.
    assert critic.weight.grad.norm().item() == pytest.approx(2 * abs(norm - 1), abs=1e-4)


def test_penalty_keeps_the_pictures_of_a_batch_apart():
    def critic(ab):  # gradient norms 0 and 2 in one batch: (0-1)^2 and (2-1)^2, not the norm of both together
        return (ab * torch.tensor([0.0, 2.0]).view(2, 1, 1, 1)).flatten(1).sum(1) / math.sqrt(2 * 8 * 8)

    penalty = gradient_penalty(critic, [torch.randn(2, 2, 8, 8)], [torch.randn(2, 2, 8, 8)], torch.rand(2))
    assert penalty.item() == pytest.approx(1.0, abs=1e-5)


def test_penalty_of_several_inputs_is_that_of_their_gradients_together():
    def critic(fine, coarse):  # gradient norms 0.6 and 0.8: 1 together
        return 0.6 * fine.flatten(1).sum(1) / math.sqrt(2 * 8 * 8) + 0.8 * coarse.flatten(1).sum(1) / math.sqrt(2 * 4)

    real, fake = ([torch.randn(3, 2, side, side) for side in (8, 2)] for _ in range(2))
    assert gradient_penalty(critic, real, fake, torch.rand(3)).item() == pytest.approx(0.0, abs=1e-6)


def test_penalty_does_not_reach_the_generator():
    fake = torch.randn(SHAPE, requires_grad=True)
    gradient_penalty(LinearCritic(2), [torch.randn(SHAPE)], [fake], torch.rand(4)).backward()
    assert fake.grad is None


def test_penalty_names_shapes_that_differ():
    with pytest.raises(ValueError, match="expected equal shapes"):
        gradient_penalty(LinearCritic(1), [torch.zeros(SHAPE)], [torch.zeros(4, 2, 4, 4)], torch.rand(4))


def test_hinge_loss_closed_form():
    assert hinge_loss(torch.tensor([2.0, 0.5]), torch.tensor([-3.0, 1.0])).item() == pytest.approx(0.25 + 1.0)


def test_gan_loss_closed_form():
    assert gan_loss(torch.zeros(2, 1, 3, 3), real=True).item() == pytest.approx(math.log(2))
    assert gan_loss(torch.full((1, 1), 20.0), real=True).item() == pytest.approx(0, abs=1e-6)
    assert gan_loss(torch.full((1, 1), 20.0), real=False).item() == pytest.approx(20, abs=1e-6)


def test_wasserstein_distance_has_a_sign():
    high, low = torch.full((2, 1), 3.0), torch.full((2, 1), 1.0)
    assert wasserstein_distance(high, low).item() == 2
    assert wasserstein_distance(low, high).item() == -2


def test_color_loss_counts_vivid_pixels_more():
    real = torch.zeros(1, 2, 1, 2)
    real[0, 0, 0, 0] = 0.8  # one vivid pixel, one gray
    wrong_vivid, wrong_gray = real.clone(), real.clone()
    wrong_vivid[0, 0, 0, 0] -= 0.1
    wrong_gray[0, 0, 0, 1] += 0.1
    assert color_loss(wrong_vivid, real) > 1.9 * 0.1 / 4 > color_loss(wrong_gray, real)
    assert color_loss(real, real).item() == 0


def test_color_loss_of_a_gray_truth_is_finite():
    assert color_loss(torch.rand(1, 2, 4, 4), torch.zeros(1, 2, 4, 4)).isfinite()
