"""Third-party files of the pages: which ones, and how they get here."""
