"""The commands of `python -m torsion`; one module each, imported only when asked for."""
