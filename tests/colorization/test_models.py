import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from colorization.models import CWGAN, Pix2Pix, UNet
from colorization.sources import EMBEDDED, LoadError
from colorization.zoo import ZOO, load

SMALL = {"width": 8, "depth": 3, "working_size": 32}
CLASSES = [Pix2Pix, CWGAN, UNet]


@pytest.fixture(params=CLASSES)
def model(request):
    torch.manual_seed(0)
    model = request.param(**SMALL).eval()
    for parameter in model.parameters():  # the last layer starts at zero, where all models are equal
        parameter.data.normal_(0, 0.1)
    return model


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 40), (8, 128)])
def test_shapes_and_range(model, height, width):
    ab = model(torch.rand(2, 1, height, width) * 2 - 1)
    assert ab.shape == (2, 2, height, width)
    assert ab.abs().max() <= 1 and ab.std() > 0


@pytest.mark.parametrize("cls", CLASSES)
def test_an_untrained_model_leaves_pictures_gray(cls):
    assert cls(**SMALL)(torch.rand(1, 1, 32, 32)).abs().max() == 0


@pytest.mark.parametrize("shape", [(1, 1, 30, 32), (1, 3, 32, 32), (1, 32, 32)])
def test_wrong_shapes_are_named_with_what_to_do(model, shape):
    with pytest.raises(ValueError, match=r"expected \(B, 1, H, W\) with H and W multiples of 8.*colorize"):
        model(torch.zeros(shape))


@pytest.mark.parametrize("options", [{"width": 12}, {"width": 4}, {"depth": 1}])
def test_impossible_sizes_are_refused(options):
    with pytest.raises(ValueError, match="expected a width that is a multiple of 8"):
        UNet(**(SMALL | options))


@pytest.mark.parametrize("cls", CLASSES)
def test_larger_ones_come_from_the_same_code(cls):
    count = [sum(p.numel() for p in cls(width=w, depth=4).parameters()) for w in (8, 16)]
    assert 3 < count[1] / count[0] < 4.1


def test_every_parameter_learns(model):
    model.train()(torch.rand(2, 1, 32, 32)).square().mean().backward()
    still = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not still


def test_only_cwgan_has_dropout_and_it_is_off_in_use(model):
    has = any(isinstance(m, torch.nn.Dropout2d) for m in model.modules())
    assert has == (model.name == "cwgan")
    L = torch.rand(1, 1, 32, 32)
    assert torch.equal(model(L), model(L))


def test_save_and_load_give_equal_outputs(model, tmp_path):
    model.save_pretrained(tmp_path / "once")
    once = load(tmp_path / "once")
    once.save_pretrained(tmp_path / "twice")
    twice = load(tmp_path / "twice")
    L = torch.rand(1, 1, 32, 32)
    assert torch.equal(once(L), twice(L))
    assert torch.allclose(once(L), model(L), atol=5e-3)  # fp16 on disk
    assert once.config == model.config and not once.training
    assert {p.dtype for p in once.parameters()} == {torch.float32}
    assert {t.dtype for t in load_file(tmp_path / "once/model.safetensors").values()} == {torch.float16}


@pytest.mark.parametrize("name", ZOO)
def test_embedded_checkpoints_are_small_and_load(name):
    folder = EMBEDDED / name
    assert {"config.json", "model.safetensors", "metrics.json", "training.json", "README.md"} <= {
        f.name for f in folder.iterdir()
    }
    assert (folder / "model.safetensors").stat().st_size < 10_000_000
    model = load(name)
    assert type(model) is ZOO[name].cls and model.name == name
    assert all(p.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("name", ZOO)
def test_embedded_checkpoints_beat_the_gray_copy_by_their_own_record(name):
    metrics = json.loads((EMBEDDED / name / "metrics.json").read_text())
    assert metrics["model"]["psnr_mean"] > metrics["gray"]["psnr_mean"]
    assert metrics["model"]["delta_e"] < metrics["gray"]["delta_e"]


def test_a_missing_weight_is_an_error(model, tmp_path):
    model.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    gone = sorted(weights)[0]
    del weights[gone]
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(LoadError, match=gone):
        load(tmp_path)


def test_a_pickle_is_never_loaded(model, tmp_path):
    model.save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(LoadError, match="usable model"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("{}", 'says "model_type": null, expected one of pix2pix'),
        ("not json", "usable model"),
        ('{"model_type": "unet", "width": "x"}', "usable model"),
    ],
)
def test_wrong_configs_are_named(tmp_path, config, reason):
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(LoadError, match=reason):
        load(tmp_path)


def test_an_empty_folder_and_a_senseless_name_are_named(tmp_path):
    with pytest.raises(LoadError, match="usable model"):
        load(tmp_path)
    with pytest.raises(LoadError, match="neither a model name"):
        load("no such/model/at all")
