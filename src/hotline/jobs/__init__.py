"""Background work: the job row is the truth, Redis is only the doorbell."""
