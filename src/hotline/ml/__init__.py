"""Text in, triage out: segmentation, the classifier, its training and its measurement."""
