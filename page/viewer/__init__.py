"""Viewer of a photograph's versions: a component of its own in HTML, CSS and JavaScript."""
