"""Pieces of the page that know gradio."""
