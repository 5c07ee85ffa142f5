"""Models in ONNX: written with torch, run without it."""
