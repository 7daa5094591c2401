"""Report SQL."""
