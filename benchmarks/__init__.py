"""Where the figures of README and docs come from; each says how to run it."""
