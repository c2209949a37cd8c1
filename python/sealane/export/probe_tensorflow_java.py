"""Regenerates ``tensorflow_java.json`` by asking TensorFlow for Java for its operators.

Run ``python -m sealane.export.probe_tensorflow_java JAR`` after a change of its version, with
``tensorflow-core-native-VERSION-linux-x86_64.jar``. It unpacks the native libraries for a moment,
700 MB, and needs a process that has not imported TensorFlow.
"""

from __future__ import annotations

import ctypes
import json
import sys
import tempfile
import zipfile
from collections import defaultdict
from pathlib import Path

from sealane.bundle import reader
from sealane.bundle.protobuf_wire import messages
from sealane.export.tensorflow_java import TABLE

_LIBRARIES = ("libtensorflow_framework.so.2", "libtensorflow_cc.so.2")
_DEVICES = (b"CPU", b"DEFAULT", b"")


class _Buffer(ctypes.Structure):
    """``TF_Buffer`` of the C API, as far as it is read here."""

    _fields_ = (("data", ctypes.c_void_p), ("length", ctypes.c_size_t))


def main() -> None:
    """Write the table beside this file."""
    Path(__file__).with_name(TABLE).write_text(probe(Path(sys.argv[1])), encoding="utf-8")


def probe(natives: Path) -> str:
    """The table of the operators that a SavedModel may use, as JSON text."""
    with tempfile.TemporaryDirectory() as folder:
        library = _library(natives, Path(folder))
        library.TF_Version.restype = ctypes.c_char_p
        for function in (library.TF_GetAllOpList, library.TF_GetAllRegisteredKernels):
            function.restype = ctypes.POINTER(_Buffer)
        library.TF_NewStatus.restype = ctypes.c_void_p
        version: bytes = library.TF_Version()
        registry = _bytes(library.TF_GetAllOpList())
        status = ctypes.c_void_p(library.TF_NewStatus())
        kernels = _bytes(library.TF_GetAllRegisteredKernels(status))
    attributes = {
        _text(op, 1): sorted(_text(each, 1) for each in messages(op, 4))
        for op in messages(registry, 1)
    }
    devices: dict[str, set[bytes]] = defaultdict(set)
    for kernel in messages(kernels, 1):
        devices[_text(kernel, 1)].update(bytes(each) for each in messages(kernel, 2))
    allowed = json.loads((Path(reader.__file__).parent / "savedmodel_ops.json").read_text())
    operators = {
        name: attributes[name]
        for name in sorted({*allowed["compute"], *allowed["save"], *allowed["restore"]})
        if name in attributes and devices[name].intersection(_DEVICES)
    }
    return _dumps(version.decode(), operators)


def _library(natives: Path, folder: Path) -> ctypes.CDLL:
    with zipfile.ZipFile(natives) as jar:
        for entry in jar.namelist():
            if entry.endswith(_LIBRARIES):
                (folder / Path(entry).name).write_bytes(jar.read(entry))
    loaded = [ctypes.CDLL(str(folder / name)) for name in _LIBRARIES]
    return loaded[-1]


def _bytes(buffer: ctypes._Pointer[_Buffer]) -> memoryview:  # pyright: ignore[reportPrivateUsage]
    return memoryview(ctypes.string_at(buffer.contents.data, buffer.contents.length))


def _text(message: memoryview, number: int) -> str:
    return str(next(messages(message, number)), "utf-8")


def _dumps(version: str, operators: dict[str, list[str]]) -> str:
    """One operator per line, so that a change of version reads well as a diff."""
    head = {
        "description": "Operators that a SavedModel may use and TensorFlow for Java has on the "
        "CPU, with their attributes. Regenerate: python -m sealane.export.probe_tensorflow_java",
        "version": version,
    }
    rows = [f"  {json.dumps(name)}: {json.dumps(each)}" for name, each in operators.items()]
    start_of_file = json.dumps(head, indent=1)[:-2]
    return start_of_file + ',\n "operators": {\n' + ",\n".join(rows) + "\n }\n}\n"


if __name__ == "__main__":
    main()
