"""Recipes that attack paths, files, digests and the manifest's text."""

from __future__ import annotations

from corpus import bases
from corpus.recipes import (
    RELIST,
    Recipe,
    large_files,
    listed,
    manifest,
    replace,
    write_hex,
    write_text,
)

ZEROS = "sha256:" + "0" * 64


def recipes() -> list[Recipe]:
    """Every recipe of this kind."""
    return [*_paths(), *_entries(), *_files(), *_content(), *_manifest_text(), *_limits()]


def _unsafe_name(name: str, path: str, why: str) -> Recipe:
    return Recipe(f"path-{name}", why, "mlp", [listed(path)], "PATH_UNSAFE")


def _paths() -> list[Recipe]:
    return [
        _unsafe_name("climbs-out", "../evil.txt", "zip-slip: a path that climbs out"),
        _unsafe_name("climbs-inside", "1/../../evil.txt", "zip-slip: a path that climbs out midway"),
        _unsafe_name("absolute", "/etc/passwd", "an absolute path"),
        _unsafe_name("dot", "1/./model.onnx", "a '.' component"),
        _unsafe_name("empty-component", "1//model.onnx", "an empty component"),
        _unsafe_name("trailing-slash", "golden/", "a path that ends with a slash"),
        _unsafe_name("backslash", "1\\..\\..\\evil.txt", "a Windows separator"),
        _unsafe_name("drive", "c:/evil.txt", "a Windows drive or an alternate data stream"),
        _unsafe_name("control", "1/a\u0001b", "a control character"),
        _unsafe_name("delete", "1/a\u007fb", "U+007F"),
        _unsafe_name("not-nfc", "preprocess/cafe\u0301.txt", "a path that is not in NFC"),
        _unsafe_name("too-long", "p/" + "x" * 511, "513 bytes"),
        _unsafe_name("too-deep", "/".join(["d"] * 17), "17 components"),
        Recipe(
            "path-case-collision", "two paths that differ in case only", "mlp",
            [write_text("readme.md", "other"), RELIST], "PATH_UNSAFE",
        ),
        Recipe(
            "path-nfc-collision", "two names on disk that are one after NFC", "mlp",
            [
                write_text("preprocess/caf\u00e9.txt", "one"),
                write_text("preprocess/cafe\u0301.txt", "two"),
                RELIST,
            ],
            "PATH_UNSAFE",
        ),
        Recipe(
            "path-unsafe-in-variant-of-unknown-kind",
            "a variant of a kind the reader skips, its directory climbing out", "mlp",
            [
                write_text("variants/other/x/model.txt", "model"),
                RELIST,
                manifest("add", "/variants/-", {
                    "id": "other", "kind": "other", "role": "optional",
                    "path": "variants/other/../other", "precision": "fp32", "verdict": "failed",
                    "bindings": {"inputs": {"features": "x"}, "outputs": {"scores": "y"}},
                }),
            ],
            "MANIFEST_INVALID",
        ),
    ]  # fmt: skip


def _entries() -> list[Recipe]:
    onnx = "1/model.onnx"
    return [
        Recipe(
            "entry-symlink", "a listed file that is a symbolic link to its twin", "mlp",
            [
                {"do": "move", "path": onnx, "to": "variants/twin/model.onnx"},
                {"do": "symlink", "path": onnx, "target": "../variants/twin/model.onnx"},
                listed("variants/twin/model.onnx"),
            ],
            "PATH_UNSAFE",
        ),
        Recipe(
            "entry-symlink-unlisted", "an unlisted symbolic link", "mlp",
            [{"do": "symlink", "path": "extra", "target": "/etc/passwd"}], "PATH_UNSAFE",
        ),
        Recipe(
            "entry-symlink-dangling", "a symbolic link to nothing", "mlp",
            [{"do": "symlink", "path": "extra", "target": "nowhere"}], "PATH_UNSAFE",
        ),
        Recipe(
            "entry-directory-symlink", "a directory that is a symbolic link", "mlp",
            [
                {"do": "move", "path": "golden", "to": "other"},
                {"do": "symlink", "path": "golden", "target": "other"},
            ],
            "PATH_UNSAFE",
        ),
        Recipe(
            "entry-symlink-loop", "a directory that links to itself", "mlp",
            [{"do": "symlink", "path": "golden/loop", "target": "."}], "PATH_UNSAFE",
        ),
        Recipe(
            "entry-hardlink", "a file with a second hard link", "mlp",
            [{"do": "hardlink", "path": "variants/twin/model.onnx", "target": onnx}],
            "PATH_UNSAFE",
        ),
        Recipe(
            "entry-fifo", "a named pipe that would block whoever opens it", "mlp",
            [{"do": "fifo", "path": "extra"}], "PATH_UNSAFE",
        ),
        Recipe(
            "entry-fifo-listed", "a named pipe in the place of a listed file", "mlp",
            [{"do": "remove", "path": "README.md"}, {"do": "fifo", "path": "README.md"}],
            "PATH_UNSAFE",
        ),
        Recipe(
            "entry-manifest-symlink", "the manifest is a symbolic link", "mlp",
            [
                {"do": "move", "path": "sealane.json", "to": "README.json"},
                {"do": "symlink", "path": "sealane.json", "target": "README.json"},
            ],
            "PATH_UNSAFE",
        ),
        Recipe(
            "entry-manifest-fifo", "the manifest is a named pipe", "mlp",
            [{"do": "remove", "path": "sealane.json"}, {"do": "fifo", "path": "sealane.json"}],
            "PATH_UNSAFE",
        ),
        Recipe(
            "no-manifest", "a directory without a manifest", "mlp",
            [{"do": "remove", "path": "sealane.json"}], "BUNDLE_NOT_FOUND",
        ),
    ]  # fmt: skip


def _differ(**lists: list[object]) -> dict[str, object]:
    return {"details": {"extra": [], "missing": [], "changed": [], **lists}}


def _files() -> list[Recipe]:
    return [
        Recipe(
            "files-extra", "an unlisted file", "mlp", [write_text("variants/x/notes.txt", "x")],
            "FILES_DIFFER", _differ(extra=["variants/x/notes.txt"]),
        ),
        Recipe(
            "files-extra-git", "version control is no exception", "mlp",
            [write_text(".git/config", "[core]"), write_text(".gitattributes", "*")],
            "FILES_DIFFER", _differ(extra=[".git/config", ".gitattributes"]),
        ),
        Recipe(
            "registry-note-large", "a registry's note of more than 65,536 bytes", "mlp",
            [{"do": "sparse", "path": "registered_model_meta", "size": 65_537}],
            "FILES_DIFFER", _differ(extra=["registered_model_meta"]),
        ),
        Recipe(
            "registry-note-elsewhere", "a registry's note that is not at the top", "mlp",
            [write_text("1/registered_model_meta", "x")],
            "FILES_DIFFER", _differ(extra=["1/registered_model_meta"]),
        ),
        Recipe(
            "registry-note-folder", "a folder with the name of a registry's note", "mlp",
            [write_text("registered_model_meta/x", "x")],
            "FILES_DIFFER", _differ(extra=["registered_model_meta/x"]),
        ),
        Recipe(
            "registry-note-link", "a registry's note that is a link", "mlp",
            [{"do": "symlink", "path": "registered_model_meta", "target": "README.md"}],
            "PATH_UNSAFE",
        ),
        Recipe(
            "registry-note-listed", "a registry's note that the manifest lists, and that differs",
            "mlp",
            [write_text("registered_model_meta", "a"), listed("registered_model_meta"),
             write_text("registered_model_meta", "b")],
            "FILES_DIFFER",
        ),
        Recipe(
            "files-missing", "a listed file that is not there", "mlp",
            [{"do": "remove", "path": "README.md"}],
            "FILES_DIFFER", _differ(missing=["README.md"]),
        ),
        Recipe(
            "files-empty-directory", "an empty directory", "mlp", [{"do": "mkdir", "path": "empty"}],
            "FILES_DIFFER", _differ(extra=["empty/"]),
        ),
        Recipe(
            "files-truncated", "a model cut short", "mlp",
            [{"do": "truncate", "path": "1/model.onnx", "size": 100}], "FILES_DIFFER",
        ),
        Recipe(
            "files-oversized", "a byte appended to the model", "mlp",
            [{"do": "append", "path": "1/model.onnx", "hex": "00"}], "FILES_DIFFER",
        ),
        Recipe(
            "files-grown", "a file grown to 100 MB of nothing", "mlp",
            [{"do": "sparse", "path": "README.md", "size": 100_000_000}], "FILES_DIFFER",
        ),
        Recipe(
            "files-changed", "one bit pattern inverted in the model", "mlp",
            [{"do": "flip", "path": "1/model.onnx", "offset": -20}], "FILES_DIFFER",
        ),
        Recipe(
            "files-changed-external", "one byte inverted in external data", "external",
            [{"do": "flip", "path": "1/model.onnx.data", "offset": 0}], "FILES_DIFFER",
        ),
        Recipe(
            "files-changed-variables", "one byte inverted in TensorFlow's variables", "both",
            [{"do": "flip", "path": "1/variables/variables.data-00000-of-00001", "offset": 9}],
            "FILES_DIFFER",
        ),
        Recipe(
            "files-changed-evidence", "the certificate edited", "mlp",
            [replace("bit-exact", "failed", path="evidence/parity.json")], "FILES_DIFFER",
        ),
        Recipe(
            "files-changed-large", "one byte inverted in each of two large files", "mlp",
            [
                *large_files(bases.mlp_bytes()),
                {"do": "flip", "path": "1/model.onnx", "offset": -1},
                {"do": "flip", "path": "evidence/second.log", "offset": 0},
            ],
            "FILES_DIFFER", {"keep": ["onnx"]},
        ),
        Recipe(
            "files-cut-large", "a large file cut short after it was listed", "mlp",
            [
                *large_files(bases.mlp_bytes()),
                {"do": "truncate", "path": "evidence/first.log", "size": 2 << 20},
            ],
            "FILES_DIFFER",
        ),
        Recipe(
            "files-all-three", "extra, missing and changed are reported together", "mlp",
            [
                write_text("zzz", "x"),
                {"do": "remove", "path": "config.pbtxt"},
                {"do": "append", "path": "README.md", "text": "!"},
            ],
            "FILES_DIFFER", {"details": {"extra": ["zzz"], "missing": ["config.pbtxt"]}},
        ),
        Recipe(
            "files-directory-in-place", "a directory in the place of a listed file", "mlp",
            [{"do": "remove", "path": "README.md"}, write_text("README.md/x", "x")],
            "FILES_DIFFER", {"details": {"extra": ["README.md/x"], "missing": ["README.md"]}},
        ),
        Recipe(
            "content-id-wrong", "another content id than the files make", "mlp",
            [manifest("replace", "/contentId", ZEROS)], "CONTENT_ID_MISMATCH",
        ),
        Recipe(
            "content-id-kept", "a variant's file added and listed, the content id kept", "mlp",
            [write_text("variants/x/notes.txt", "x"), listed("variants/x/notes.txt")],
            "CONTENT_ID_MISMATCH",
        ),
    ]  # fmt: skip


def _forbidden(name: str, path: str, hex_bytes: str, why: str) -> Recipe:
    return Recipe(
        f"content-{name}", why, "mlp", [write_hex(path, hex_bytes), RELIST], "CONTENT_FORBIDDEN"
    )


def _content() -> list[Recipe]:
    return [
        _forbidden("pickle", "preprocess/vocab.txt", "80 04 95 0b 00 00 00", "a pickle by its bytes"),
        _forbidden("pickle-name", "preprocess/scaler.PKL", "00", "a pickle by its name"),
        _forbidden("joblib-name", "preprocess/scaler.joblib", "00", "joblib by its name"),
        _forbidden("torch-name", "variants/x/weights.pt", "00", "torch weights by name"),
        _forbidden("bin-name", "variants/x/pytorch_model.bin", "00", "torch weights by name"),
        _forbidden("keras-name", "variants/x/model.keras", "00", "a Keras archive by name"),
        _forbidden("hdf5", "preprocess/weights", "89 48 44 46 0d 0a 1a 0a", "HDF5 by its bytes"),
        _forbidden("numpy", "preprocess/array", "93 4e 55 4d 50 59 01 00", "a NumPy file by its bytes"),
        _forbidden("npz-name", "preprocess/arrays.npz", "00", "a NumPy archive by name"),
        _forbidden("java", "preprocess/state", "ac ed 00 05 73 72", "Java serialisation"),
        _forbidden("class", "preprocess/code", "ca fe ba be 00 00 00 3d", "a Java class, or fat Mach-O"),
        _forbidden("elf", "preprocess/op", "7f 45 4c 46 02 01 01", "an ELF library"),
        _forbidden("pe", "preprocess/op", "4d 5a 90 00", "a Windows library"),
        _forbidden("mach-o", "preprocess/op", "cf fa ed fe 07", "a macOS library"),
        _forbidden("so-name", "variants/x/libop.so", "00", "a library by name"),
        _forbidden("jar-name", "variants/x/op.jar", "00", "a jar by name"),
        _forbidden("zip", "preprocess/vocab.dat", "50 4b 03 04 14 00", "a zip outside variants/"),
        _forbidden("gzip", "preprocess/vocab.dat", "1f 8b 08 00", "gzip outside variants/"),
        _forbidden("zstd", "preprocess/vocab.dat", "28 b5 2f fd 04", "zstd outside variants/"),
        _forbidden("xz", "preprocess/vocab.dat", "fd 37 7a 58 5a 00", "xz outside variants/"),
        _forbidden("pickle-as-model", "1/model.onnx", "80 02 7d 71", "a pickle named as the model"),
    ]  # fmt: skip


def _manifest_text() -> list[Recipe]:
    nested = [
        replace('"environment": {', '"environment": {"x": @open@@close@, '),
        replace("@open@", "[", 100_000),
        replace("@close@", "]", 100_000),
    ]
    return [
        Recipe(
            "manifest-deep", "100,000-deep JSON", "mlp", nested, "LIMIT_EXCEEDED",
        ),
        Recipe(
            "manifest-deep-unclosed", "a million open brackets", "mlp",
            [write_text("sealane.json", "@"), replace("@", "[", 1_000_000)], "LIMIT_EXCEEDED",
        ),
        Recipe(
            "manifest-too-large", "a manifest of 4 MiB and one byte", "mlp",
            [{"do": "sparse", "path": "sealane.json", "size": (4 << 20) + 1}], "LIMIT_EXCEEDED",
        ),
        Recipe(
            "manifest-long-string", "a string of 65,537 characters", "mlp",
            [replace('"environment": {', '"environment": {"x": "@", '), replace("@", "a", 65_537)],
            "LIMIT_EXCEEDED",
        ),
        Recipe(
            "manifest-cut-off", "a manifest cut short", "mlp",
            [{"do": "truncate", "path": "sealane.json", "size": 1000}], "MANIFEST_INVALID",
        ),
        Recipe(
            "manifest-empty", "an empty manifest", "mlp", [write_text("sealane.json", "")],
            "MANIFEST_INVALID",
        ),
        Recipe(
            "manifest-backslashes", "a string of two million escapes that never ends", "mlp",
            [write_text("sealane.json", '{"a": "@'), replace("@", '\\"', 2_000_000)],
            "MANIFEST_INVALID",
        ),
        Recipe(
            "manifest-long-number", "a number of a million digits", "mlp",
            [
                replace('"environment": {', '"environment": {"x": @, '),
                replace("@", "9", 1_000_000),
            ],
            "MANIFEST_INVALID",
        ),
        Recipe(
            "manifest-huge-shape", "a signature of 2^62 elements", "mlp",
            [manifest("add", "/signature/inputs/0/dims/1", 1 << 31),
             manifest("add", "/signature/inputs/0/dims/1", 1 << 31)],
            "LIMIT_EXCEEDED",
        ),
        Recipe(
            "manifest-unlisted-model", "a variant whose file is not listed", "mlp",
            [manifest("replace", "/variants/0/path", "1/other.onnx")], "MANIFEST_INVALID",
        ),
        Recipe(
            "manifest-newer-major", "a format of the future", "mlp",
            [manifest("replace", "/formatVersion", "2.0")], "FORMAT_UNSUPPORTED",
        ),
    ]  # fmt: skip


def _limits() -> list[Recipe]:
    def limited(name: str, why: str, steps: list, **limits: int) -> Recipe:
        return Recipe(f"limit-{name}", why, "mlp", steps, "LIMIT_EXCEEDED", {"limits": limits})

    deep = "/".join(["d"] * 20) + "/x"
    return [
        limited("files", "more files than the reader takes", [], files=3),
        limited("file-bytes", "a file larger than the reader takes", [], fileBytes=449),
        limited("total-bytes", "more bytes in all than the reader takes", [], totalBytes=2000),
        limited("golden-bytes", "a golden file larger than the reader takes", [], goldenBytes=300),
        limited("nodes", "more nodes than the reader takes", [], onnxNodes=2),
        limited("onnx-bytes", "a model file larger than the reader takes", [], onnxBytes=449),
        limited("tensor-bytes", "a tensor larger than the reader takes", [], tensorBytes=15),
        Recipe(
            "limit-own-file-bytes", "a file larger than the bundle's own limit", "mlp",
            [manifest("add", "/limits", {"maxFileBytes": 449})], "LIMIT_EXCEEDED",
        ),
        Recipe(
            "limit-own-nodes", "more nodes than the bundle's own limit", "mlp",
            [manifest("add", "/limits", {"maxNodes": 2})], "LIMIT_EXCEEDED",
        ),
        Recipe(
            "limit-directory-depth", "directories 20 deep", "mlp", [write_text(deep, "x")],
            "LIMIT_EXCEEDED",
        ),
        Recipe(
            "limit-huge-file", "a listed file of 17 GiB of nothing", "mlp",
            [{"do": "sparse", "path": "variants/x/weights.data", "size": 17 << 30}, RELIST],
            "LIMIT_EXCEEDED",
        ),
        Recipe(
            "limit-huge-golden", "a golden file of 65 MiB of nothing", "mlp",
            [{"do": "sparse", "path": "golden/batch-1.safetensors", "size": 65 << 20}, RELIST],
            "LIMIT_EXCEEDED",
        ),
        Recipe(
            "limit-saved-model-nodes", "more SavedModel nodes than the reader takes", "both", [],
            "LIMIT_EXCEEDED", {"limits": {"savedModelNodes": 10}},
        ),
    ]  # fmt: skip
