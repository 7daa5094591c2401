"""What can go wrong with a model, told in one line."""


class ModelError(Exception):
    """A model cannot be used: missing, damaged, tampered with or of another make.  Without one every ticket goes to a
    human.
    """
