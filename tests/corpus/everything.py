"""Writes every generated part of the corpus."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from corpus import bases, saved_models

SAVED_MODEL = Path("bundles/good/both/1")


def regenerate(target: Path, source: Path, *, tensorflow: bool) -> None:
    """Write into ``target`` what is generated.

    Args:
        target: The folder to write into; generated folders in it are replaced.
        source: The corpus as it is, from which the SavedModel is taken.
        tensorflow: Whether to make anew what only TensorFlow can make.
    """
    with tempfile.TemporaryDirectory() as name:
        saved_model = Path(name) / "saved_model"
        if tensorflow:
            saved_models.write_saved_model(saved_model)
        else:
            shutil.copytree(source / SAVED_MODEL, saved_model)
        _write_bundles(target / "bundles", saved_model)


def _write_bundles(target: Path, saved_model: Path) -> None:
    shutil.rmtree(target / "good", ignore_errors=True)
    bases.write_bases(target / "good", saved_model)
