"""Makes the bundle that a recipe describes. The grammar is in ``tests/conformance/README.md``."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

CONFORMANCE = Path(__file__).resolve().parents[1] / "conformance"
GOOD = CONFORMANCE / "bundles" / "good"
LARGE = 64 << 20
MODEL_FOLDERS = ("1/", "variants/", "preprocess/")


def make_bundle(recipe: dict[str, Any], target: Path) -> None:
    """Copy the recipe's base to ``target`` and run its steps."""
    shutil.copytree(GOOD / recipe["base"], target)
    for step in recipe["steps"]:
        members = {name: value for name, value in step.items() if name != "do"}
        _STEPS[step["do"]](target, **members)


def _bytes(text: str | None, hex: str | None, base64: str | None) -> bytes:
    if text is not None:
        return text.encode("utf-8")
    return bytes.fromhex(hex) if hex is not None else _decoded(base64 or "")


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _with_parent(root: Path, path: str) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def _write(root: Path, path: str, text=None, hex=None, base64=None) -> None:
    _with_parent(root, path).write_bytes(_bytes(text, hex, base64))


def _append(root: Path, path: str, text=None, hex=None, base64=None) -> None:
    with (root / path).open("ab") as file:
        file.write(_bytes(text, hex, base64))


def _resize(root: Path, path: str, size: int) -> None:
    with _with_parent(root, path).open("ab") as file:
        file.truncate(size)


def _flip(root: Path, path: str, offset: int) -> None:
    data = bytearray((root / path).read_bytes())
    data[offset] ^= 0xFF
    (root / path).write_bytes(data)


def _remove(root: Path, path: str) -> None:
    if (root / path).is_dir():
        shutil.rmtree(root / path)
    else:
        (root / path).unlink()


def _move(root: Path, path: str, to: str) -> None:
    (root / path).rename(_with_parent(root, to))


def _replace(root: Path, path: str, find: str, text: str, times: int = 1) -> None:
    before = (root / path).read_bytes()
    if find.encode() not in before:
        raise ValueError(f"{find!r} is not in {path}")
    (root / path).write_bytes(before.replace(find.encode(), text.encode() * times, 1))


def _manifest(root: Path, op: str, pointer: str, value: Any = None) -> None:
    document = _load(root)
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    owner: Any = document
    for part in parents:
        owner = owner[int(part)] if isinstance(owner, list) else owner[part]
    if isinstance(owner, list):
        index = len(owner) if last == "-" else int(last)
        owner[index : index + (op != "add")] = [] if op == "remove" else [value]
    elif op == "remove":
        del owner[last]
    else:
        owner[last] = value
    _save(root, document)


def _list(root: Path, path: str, size: int | None = None, sha256: str | None = None) -> None:
    file = root / path
    data = file.read_bytes() if file.is_file() and file.is_relative_to(root) else None
    entry = {
        "path": path,
        "size": size if size is not None else len(data or b""),
        "sha256": sha256 or (hashlib.sha256(data).hexdigest() if data is not None else "0" * 64),
    }
    document = _load(root)
    document["files"] = sorted([*document["files"], entry], key=lambda each: each["path"])
    _save(root, document)


def relist(root: Path) -> None:
    """Make the manifest's list of files, and the content id, those of what is on disk."""
    entries = []
    for file in root.rglob("*"):
        path = file.relative_to(root).as_posix()
        if file.is_symlink() or not file.is_file() or path in ("sealane.json", "bundle.sig"):
            continue
        size = file.stat().st_size
        digest = "0" * 64 if size > LARGE else hashlib.sha256(file.read_bytes()).hexdigest()
        entries.append({"path": path, "size": size, "sha256": digest})
    entries.sort(key=lambda entry: entry["path"])
    named = hashlib.sha256()
    for entry in entries:
        if entry["path"].startswith(MODEL_FOLDERS) and entry["path"] != "1/MLmodel":
            named.update(entry["path"].encode() + b"\0" + bytes.fromhex(entry["sha256"]))
    _save(root, _load(root) | {"files": entries, "contentId": f"sha256:{named.hexdigest()}"})


def _load(root: Path) -> dict[str, Any]:
    return json.loads((root / "sealane.json").read_bytes())


def _save(root: Path, document: dict[str, Any]) -> None:
    (root / "sealane.json").write_text(json.dumps(document, indent=2), encoding="utf-8")


_STEPS = {
    "write": _write,
    "append": _append,
    "truncate": _resize,
    "sparse": _resize,
    "flip": _flip,
    "remove": _remove,
    "move": _move,
    "mkdir": lambda root, path: (root / path).mkdir(parents=True),
    "symlink": lambda root, path, target: _with_parent(root, path).symlink_to(target),
    "hardlink": lambda root, path, target: _with_parent(root, path).hardlink_to(root / target),
    "fifo": lambda root, path: os.mkfifo(_with_parent(root, path)),
    "replace": _replace,
    "manifest": _manifest,
    "list": _list,
    "relist": relist,
}
