"""An answer becomes a verdict: load it, run its checks, name the mistake, put it into words, keep the status."""
