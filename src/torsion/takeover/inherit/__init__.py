"""Not for import: the folder that `takeover/children.py` puts on a child's PYTHONPATH."""
