"""The web application: the JSON API and the pages."""
