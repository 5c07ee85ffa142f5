"""Videos: frames in, frames out, color along the motion, sound kept."""
