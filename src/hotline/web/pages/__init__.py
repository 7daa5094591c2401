"""The pages of the workplaces."""
