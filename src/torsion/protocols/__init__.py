"""Ready-made protocols and what is put around them, by their names in Twisted."""
