"""Writes every generated part of the corpus."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from corpus import (
    accepted,
    bases,
    goldens,
    hostile_files,
    hostile_models,
    hostile_network_bundles,
    hostile_networks,
    hostile_signatures,
    keys,
    manifests,
    networks,
    operators,
    saved_models,
    signatures,
    vectors,
)

from sealane.bundle import reader

OPERATORS = "savedmodel_ops.json"
KEYS = "keys"
GOOD = Path("bundles/good")


def regenerate(target: Path, source: Path, *, tensorflow: bool, new_keys: bool = False) -> None:
    """Write into ``target`` what is generated.

    Args:
        target: The folder to write into; generated folders in it are replaced.
        source: The corpus as it is, from which the SavedModels and the keys are taken.
        tensorflow: Whether to make anew what only TensorFlow can make.
        new_keys: Whether to make the keys and certificates anew, and so every signature.
    """
    if new_keys:
        keys.write_keys(target / KEYS)
    else:
        signatures.copy_keys(source / KEYS, target / KEYS)
    with tempfile.TemporaryDirectory() as name:
        kept = Path(name)
        if tensorflow:
            saved_models.write_saved_models(kept)
        else:
            for each in bases.SAVED_MODELS:
                shutil.copytree(source / GOOD / each / "1", kept / each)
        if tensorflow:
            _write_operators(target)
        _write_bundles(target / "bundles", kept, signatures.Keys(target / KEYS))
    shutil.rmtree(target / "manifests", ignore_errors=True)
    manifests.write_manifests(target / "manifests")
    shutil.rmtree(target / "golden", ignore_errors=True)
    goldens.write_goldens(target / "golden")
    vectors.write_vectors(target / "parity_vectors.json")
    shutil.rmtree(target / "networks", ignore_errors=True)
    networks.write_networks(target / "networks")
    hostile_networks.write_hostile(target / "networks")
    hostile_network_bundles.write_recipes(target / "networks" / "bundles")


def _write_bundles(target: Path, kept: Path, ring: signatures.Keys) -> None:
    for name in ("good", "hostile", "accepted"):
        shutil.rmtree(target / name, ignore_errors=True)
    bases.write_bases(target / "good", kept)
    signatures.write_signed(target / "good", ring)
    (target / "hostile").mkdir()
    (target / "accepted").mkdir()
    graph = (target / "good" / "both" / "1" / "saved_model.pb").read_bytes()
    for recipe in (
        *hostile_files.recipes(),
        *hostile_models.recipes(),
        *hostile_models.saved_model_recipes(graph),
        *hostile_signatures.recipes(target / "good", ring),
    ):
        recipe.write(target / "hostile")
    for recipe in (
        *accepted.recipes(),
        *signatures.accepted_recipes(target / "good", ring),
    ):
        recipe.write(target / "accepted")


def _write_operators(target: Path) -> None:
    """The operator table, for the corpus and for the Python package, which carries a copy."""
    text = json.dumps(operators.operator_table(), indent=1) + "\n"
    for path in (target / OPERATORS, Path(reader.__file__).parent / OPERATORS):
        path.write_text(text, encoding="utf-8")
