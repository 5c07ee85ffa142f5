"""What the three models are, in words and numbers read from their own files."""

import json
from collections.abc import Mapping
from typing import Any

from colorization.colorizer import Colorizer
from colorization.zoo import EMBEDDED, ZOO

_ROUNDS = """
| | 1. pix2pix | 2. CWGAN | 3. U-Net |
|---|---|---|---|
| generator | U-Net of 4x4 stride-2 convolutions and transposed convolutions | U-Net of residual blocks, dropout | \
U-Net with 5x5 stride-2 convolutions down, upsampling and convolution up |
| judged by | PatchGAN discriminator | critic, Wasserstein distance with gradient penalty | VGG19 features |
| losses | BCE GAN loss + L1 | Wasserstein + gradient penalty + L1; colour and VGG16 terms as options | \
perceptual loss + L1 |
| updates | discriminator and generator equally often | critic five times per generator step | one network |
| learning rate | constant | cosine | cosine |
"""


def models_page(models: Mapping[str, Colorizer]) -> str:
    """Markdown about the three rounds and the loaded models' size, training and measured quality."""
    lines = [
        "| | parameters | working size | trained on | steps | PSNR (dB) | SSIM | delta E 2000 | colourfulness |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    gray = None
    for name, model in models.items():
        metrics, training = _read(name, "metrics.json"), _read(name, "training.json")
        stages = training.get("stages", [])
        seen = f"{sum(s['pictures_seen'] for s in stages):,} crops" if stages else "not recorded"
        steps = f"{sum(s['steps_done'] for s in stages):,}" if stages else "not recorded"
        size = f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M"
        facts = f"{size} | {model.working_size} px | {seen} | {steps}"
        lines.append(f"| {ZOO[name].title} | {facts} | {_cells(metrics.get('model'))} |")
        gray = gray or metrics
    if gray:
        lines.append(f"| gray copy of the input | | | | | {_cells(gray['gray'])} |")
        lines.append(f"| truth | | | | | | | | {gray['truth']['colorfulness']:.1f} |")
        lines += [
            "",
            f"Measured on {gray['photographs']} photographs that no model was trained on. {gray['protocol']}.",
        ]
    return "\n".join(["### Three rounds of one lineage", _ROUNDS, "### Measured", *lines])


def _cells(row: dict[str, float] | None) -> str:
    """Four table cells of one row of an evaluation."""
    if not row:
        return "not measured | | | "
    return f"{row['psnr_mean']:.2f} | {row['ssim_mean']:.4f} | {row['delta_e']:.2f} | {row['colorfulness']:.1f}"


def _read(name: str, file: str) -> dict[str, Any]:
    """A JSON file beside an embedded checkpoint; nothing if it is not there."""
    path = EMBEDDED / name / file
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
