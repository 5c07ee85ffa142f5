"""Publishing: model cards, one commit per model, the Space."""
