"""The only modules that exist in two versions: `x.pyx` calls C, `x.py` does the same in Python."""
