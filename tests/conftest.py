"""One lab serves the whole run."""
