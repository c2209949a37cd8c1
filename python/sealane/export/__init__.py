"""Trained models → verified bundles."""

from sealane.export.exporting import export as export

__all__ = ["export"]
