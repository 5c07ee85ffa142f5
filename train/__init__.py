"""Training: recipes, data, the loop, evaluation and publishing."""
