"""Tabs of the page, and what only they use."""
