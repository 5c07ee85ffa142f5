"""Limits of pictures, colors and points that people may give, as constants; it imports nothing."""

MAX_STRENGTH = 2  # of color; beyond it most colors are at the edge of what sRGB can show
MAX_MEGAPIXELS = 250.0  # of one's own pictures; the page's are in `colorization.decode.limits`
MAX_POINTS = 64  # of color, of one picture
