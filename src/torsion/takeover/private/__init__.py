"""Names that exist only because a private name of Twisted asks for them. Nothing else may import from here."""
