"""The fictional demo city, pushed through the real services."""
