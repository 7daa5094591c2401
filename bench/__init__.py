"""How fast Hotline is, each figure beside its reference in the same run: ``make bench``.  Not part of the wheel."""
