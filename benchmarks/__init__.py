"""Measurements of speed and quality, from which the figures of README and docs come; each says how to run it."""
