"""Sealane: train models in Python, run them natively on the JVM, and prove that both compute the same."""
