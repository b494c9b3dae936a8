"""Benchmarks: each script prints its table and writes ``results/NAME.json``."""
