import itertools

import pytest
import torch

from colorization import lab

# skimage.color.rgb2lab of scikit-image 0.26, illuminant D65, 2 degree observer.
FROZEN = [
    ((0, 0, 0), (0.0000, 0.0000, 0.0000)),
    ((255, 255, 255), (100.0000, -0.0025, 0.0047)),
    ((255, 0, 0), (53.2406, 80.0923, 67.2028)),
    ((0, 255, 0), (87.7351, -86.1830, 83.1797)),
    ((0, 0, 255), (32.2957, 79.1856, -107.8573)),
    ((255, 255, 0), (97.1395, -21.5547, 94.4781)),
    ((0, 255, 255), (91.1133, -48.0906, -14.1263)),
    ((255, 0, 255), (60.3235, 98.2331, -60.8210)),
    ((128, 128, 128), (53.5850, -0.0015, 0.0028)),
    ((10, 5, 2), (1.6031, 0.8903, 1.5961)),
    ((87, 120, 60), (46.6914, -23.1924, 29.0642)),
    ((140, 180, 230), (72.1808, -1.0319, -29.2868)),
    ((201, 99, 37), (53.4691, 36.7291, 51.2756)),
]


def image(values):
    return torch.tensor(values, dtype=torch.float64).T[:, :, None]  # (N, 3) -> (3, N, 1)


def test_equals_scikit_image():
    rgb = image([c for c, _ in FROZEN]) / 255
    assert torch.allclose(lab.rgb_to_lab(rgb), image([v for _, v in FROZEN]), atol=1e-3, rtol=0)


def test_equals_scikit_image_on_a_photograph(photograph):
    skimage_color = pytest.importorskip("skimage.color")
    import numpy as np

    rgb = np.asarray(photograph)
    ours = lab.rgb_to_lab(torch.from_numpy(rgb / 255.0).permute(2, 0, 1)).permute(1, 2, 0).numpy()
    assert np.abs(ours - skimage_color.rgb2lab(rgb)).max() < 1e-3


def test_there_and_back_is_the_same():
    rgb = torch.rand(2, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(lab.lab_to_rgb(lab.rgb_to_lab(rgb)), rgb, atol=1e-5)  # skimage's constants meet within 1e-5
    L, ab = lab.rgb_to_network(rgb)
    assert L.shape == (2, 1, 16, 16) and ab.shape == (2, 2, 16, 16)
    assert torch.allclose(lab.network_to_rgb(L, ab), rgb, atol=1e-5)


def test_network_units_span_minus_one_to_one():
    corners = image(list(itertools.product((0, 1), repeat=3)))
    L, ab = lab.rgb_to_network(corners)
    assert L.min() == pytest.approx(-1, abs=1e-6) and L.max() == pytest.approx(1, abs=1e-6)
    assert ab.abs().max() < 1


@pytest.mark.parametrize("direction", [lab.rgb_to_lab, lambda rgb: lab.lab_to_rgb(lab.rgb_to_lab(rgb))])
def test_gradients_are_finite_where_roots_are_steep(direction):
    rgb = image([c for c, _ in FROZEN]).div(255).float().requires_grad_()
    direction(rgb).sum().backward()
    assert rgb.grad.isfinite().all()


def test_gradients_are_right():
    rgb = (
        torch.rand(3, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 0.8 + 0.1
    ).requires_grad_()
    assert torch.autograd.gradcheck(lab.rgb_to_lab, rgb)
    assert torch.autograd.gradcheck(lab.lab_to_rgb, lab.rgb_to_lab(rgb).detach().requires_grad_())


def test_fit_gamut_keeps_lightness_and_hue_of_impossible_colors():
    lightness = torch.linspace(0, 100, 41).double()
    angle = torch.linspace(0, 6.28, 37).double()
    L, hue = torch.meshgrid(lightness, angle, indexing="ij")
    impossible = torch.stack((L, 110 * hue.cos(), 110 * hue.sin()))
    rgb = lab.fit_gamut(impossible)
    assert rgb.min() >= 0 and rgb.max() <= 1
    back = lab.rgb_to_lab(rgb)
    assert (back[0] - L).abs().max() < 0.05
    chroma = back[1:].norm(dim=0)
    aligned = (back[1] * hue.cos() + back[2] * hue.sin()) / chroma.clamp(min=1e-9)
    assert aligned[chroma > 5].min() > 0.999
    clipped = lab.rgb_to_lab(lab.lab_to_rgb(impossible).clamp(0, 1))
    assert (clipped[0] - L).abs().max() > 20, "plain clipping would have passed too: this test shows nothing"


def test_fit_gamut_leaves_possible_colors_alone():
    rgb = torch.rand(3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(2)) * 0.98 + 0.01
    assert torch.allclose(lab.fit_gamut(lab.rgb_to_lab(rgb)), rgb, atol=1e-5)


def test_wrong_shapes_are_named():
    with pytest.raises(ValueError, match=r"\(2, 8, 8\).*expected \(\.\.\., 3, H, W\)"):
        lab.rgb_to_lab(torch.zeros(2, 8, 8))
