"""Player of a video before and after: a component of its own in HTML, CSS and JavaScript."""
