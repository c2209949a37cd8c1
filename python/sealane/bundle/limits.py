"""How much a bundle may ask of its reader (bundle format §4)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """The bounds a reader enforces before it parses; passing one is ``LIMIT_EXCEEDED``.

    A bundle's own ``limits`` can only lower them.

    Attributes:
        manifest_bytes: Size of ``sealane.json``, and of ``evidence/parity.json``.
        json_depth: Nesting of arrays and objects, the outermost being 1.
        json_string_length: Characters of one JSON string.
        files: Files in the bundle.
        directory_depth: Components of a path.
        file_bytes: Size of one file.
        total_bytes: Size of all files.
        golden_bytes: Size of one file under ``golden/``.
        signature_bytes: Size of ``bundle.sig``.
        safetensors_header_bytes: Bytes of a safetensors header.
        tensor_bytes: Bytes of one tensor, fixed dims only where it has symbols.
        onnx_bytes: Size of an ONNX model file, external data not counted.
        onnx_nodes: ONNX nodes with model-local functions expanded, subgraphs included.
        constant_bytes: Bytes of one tensor that a model's own constants imply.
        saved_model_nodes: SavedModel nodes, the function library included.
    """

    manifest_bytes: int = 4 << 20
    json_depth: int = 32
    json_string_length: int = 65_536
    files: int = 10_000
    directory_depth: int = 16
    file_bytes: int = 16 << 30
    total_bytes: int = 64 << 30
    golden_bytes: int = 64 << 20
    signature_bytes: int = 16 << 20
    safetensors_header_bytes: int = 1 << 20
    tensor_bytes: int = 1 << 33
    onnx_bytes: int = (1 << 31) - 1
    onnx_nodes: int = 200_000
    constant_bytes: int = 1 << 28
    saved_model_nodes: int = 500_000


DEFAULT_LIMITS = ReaderLimits()
