"""Celery workers of Hotline: the second source root, installed with the package."""
