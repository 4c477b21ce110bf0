"""What the compiled lane was made from; setup.py writes and compiles this module, last of all."""

FINGERPRINT: str
MODULES: str
