#!/usr/bin/env bash
# All three models on one GPU in about an hour (calculated, not measured: no GPU was at hand):
#   bash recipes/one_gpu_one_hour.sh DATASET OUTPUT [options for every run, such as --seed 2]
# As two_cores_one_night.sh, at each round's own size, pix2pix and CWGAN twice as wide. The finished models are
# OUTPUT/unet, OUTPUT/pix2pix and OUTPUT/cwgan. Broken off, the same command resumes where it was.
set -euo pipefail
if [ $# -lt 2 ]; then
  sed -n '2,3s/^# //p' "$0" >&2
  exit 2
fi
dataset=$1 output=$2
shift 2

run() {
  accelerate launch --num_processes 1 --num_machines 1 --mixed_precision bf16 --dynamo_backend no train \
    --dataset "$dataset" --dataloader-num-workers 8 "$@"
}

run --recipe unet --output-dir "$output/first" --resolution 320 --train-batch-size 32 --max-train-steps 6000 \
  --unet.perceptual-weight 0 --unet.color-weight 5 "$@"
run --recipe unet --output-dir "$output" --init-from "$output/first/unet" --resolution 320 --train-batch-size 16 \
  --max-train-steps 1000 --ema-decay 0.99 --unet.learning-rate 3e-5 --unet.color-weight 5 \
  --unet.perceptual-weight 0.25 "$@"
run --recipe pix2pix --output-dir "$output" --resolution 256 --train-batch-size 32 \
  --max-train-steps 8000 --pix2pix.l1-steps 7000 --pix2pix.width 64 --pix2pix.learning-rate 3e-4 --pix2pix.l1-weight 40 \
  --pix2pix.teacher "$output/first/unet" --pix2pix.teacher-weight 80 "$@"
run --recipe cwgan --output-dir "$output" --resolution 224 --train-batch-size 32 \
  --max-train-steps 8000 --cwgan.l1-steps 6000 --cwgan.width 64 --cwgan.learning-rate 6e-4 --cwgan.l1-weight 200 \
  --cwgan.teacher "$output/first/unet" --cwgan.teacher-weight 400 "$@"
