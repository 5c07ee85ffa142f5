"""The trainer's first step of every recipe, and the gradients that it leaves, in OUTPUT/gradients.safetensors."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch
import torch._dynamo  # before there is a process group, see `train.__main__.leave`
from accelerate import Accelerator
from safetensors.torch import save_file

from train.__main__ import leave
from train.config import parse
from train.loop import Run


def main():
    options, accelerator, gradients = parse(), Accelerator(), {}
    for name in options.recipes:
        run = Run(options.settings(name), accelerator)
        run.step(next(filter(None, run.batches())), waited=0.0)
        for part, network in run.recipe.networks.items():
            for key, parameter in network.named_parameters():
                if parameter.grad is not None:
                    gradients[f"{name}.{part}.{key}"] = parameter.grad.clone(memory_format=torch.contiguous_format)
        run.close()
        accelerator.free_memory()
    if accelerator.is_main_process:
        options.output_dir.mkdir(parents=True)
        save_file(gradients, options.output_dir / "gradients.safetensors")
    accelerator.end_training()


main()
leave()
