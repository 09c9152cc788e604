"""Batches become predictions; knows no data."""
