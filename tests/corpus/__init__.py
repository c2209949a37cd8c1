"""Makes the generated part of ``tests/conformance``; entry point ``tests/conformance/regenerate.py``."""
