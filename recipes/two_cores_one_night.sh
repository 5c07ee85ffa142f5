#!/usr/bin/env bash
# All three models on two processor cores in one night (about six hours, calculated from the embedded ones' speed):
#   bash recipes/two_cores_one_night.sh DATASET OUTPUT [options for every run, such as --seed 2]
# As the embedded ones were made, but with more steps. The U-Net first, as it starts from ImageNet; then the other two,
# which learn from it and from the truth, each with its own adversary at the end. The finished models are OUTPUT/unet,
# OUTPUT/pix2pix and OUTPUT/cwgan. Broken off, the same command resumes where it was.
set -euo pipefail
if [ $# -lt 2 ]; then
  sed -n '2,3s/^# //p' "$0" >&2
  exit 2
fi
dataset=$1 output=$2
shift 2

run() {
  accelerate launch --cpu --num_processes 1 --num_machines 1 --mixed_precision bf16 --dynamo_backend no train \
    --dataset "$dataset" "$@"
}

# L1 alone, then a little of the round's perceptual loss, on squares: VGG19 costs more than all the rest. The steps are
# for some 90,000 photographs; of 10,767 from few sources 5,000 crops were best (dev/LOG.md).
run --recipe unet --output-dir "$output/first" --resolution 256 --train-batch-size 8 --max-train-steps 20000 \
  --unet.perceptual-weight 0 --unet.color-weight 5 "$@"
run --recipe unet --output-dir "$output" --init-from "$output/first/unet" --resolution 256 --train-batch-size 8 \
  --max-train-steps 1000 --ema-decay 0.99 --unet.learning-rate 3e-5 --unet.color-weight 5 \
  --unet.perceptual-weight 0.25 --unet.perceptual-crop 96 "$@"
run --recipe pix2pix --output-dir "$output" --resolution 192 --train-batch-size 8 \
  --max-train-steps 12000 --pix2pix.l1-steps 11000 --pix2pix.learning-rate 3e-4 --pix2pix.l1-weight 40 \
  --pix2pix.teacher "$output/first/unet" --pix2pix.teacher-weight 80 "$@"
run --recipe cwgan --output-dir "$output" --resolution 192 --train-batch-size 8 \
  --max-train-steps 12000 --cwgan.l1-steps 9500 --cwgan.learning-rate 6e-4 --cwgan.l1-weight 200 \
  --cwgan.teacher "$output/first/unet" --cwgan.teacher-weight 400 "$@"
