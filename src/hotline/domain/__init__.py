"""Pure rules of the hotline, written with the standard library only."""
