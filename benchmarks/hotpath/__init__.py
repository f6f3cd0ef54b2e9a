"""The hot path beside its peers: `python -m benchmarks.hotpath --help`."""
