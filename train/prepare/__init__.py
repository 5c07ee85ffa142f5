"""Photographs to a data set: sharded parquet with a card, here or on the Hub."""
