"""Results of a batch: a component of its own in HTML, CSS and JavaScript."""
