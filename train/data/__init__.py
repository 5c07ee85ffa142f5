"""Data set to batches: streams, raw forms, degradations."""
