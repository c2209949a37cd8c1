"""Files that let stock tools read a bundle: MLflow's MLmodel, Triton's config.pbtxt, a model card.

They are generated from the manifest and never parsed back. Sources: MLflow 3's model format
(flavors ``onnx``, ``tensorflow``, ``python_function``; loaders read in 3.17.2), Triton's
model configuration (``model_config.proto``).
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

from sealane.bundle.manifest import MANIFEST_NAME
from sealane.core import DType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sealane.bundle.manifest import Manifest, Variant
    from sealane.core import TensorSpec

MODEL_FOLDER = "1"
MODEL_FILE = "1/model.onnx"
MLMODEL_NAME = "MLmodel"
TRITON_NAME = "config.pbtxt"
CARD_NAME = "README.md"

_TIME_FORMAT = str.maketrans({"T": " ", "Z": None})


def mlmodel(manifest: Manifest, *, local: bool) -> bytes | None:
    """The MLmodel file, or None when no variant is of a kind MLflow loads.

    Args:
        manifest: The manifest, its file list not needed.
        local: Whether it is the copy inside ``1/``, whose paths are relative to that folder.
    """
    onnx = _variant_at(manifest, "onnx", MODEL_FILE)
    saved_model = _variant_at(manifest, "savedmodel", MODEL_FOLDER)
    served = onnx or saved_model
    if served is None:
        return None
    flavors: dict[str, dict[str, object]] = {}
    if onnx is not None:
        flavors["onnx"] = _onnx_flavor(local=local)
        flavors["python_function"] = {
            "loader_module": "mlflow.onnx",
            "data": _local(MODEL_FILE, local=local),
        }
    else:
        flavors["python_function"] = {"loader_module": "mlflow.tensorflow"}
    flavors["python_function"] |= _python_version(manifest)
    if saved_model is not None:
        flavors["tensorflow"] = _tensorflow_flavor(served_by_pyfunc=onnx is None, local=local)
    flavors["sealane"] = {
        "manifest": f"../{MANIFEST_NAME}" if local else MANIFEST_NAME,
        "content_id": manifest.content_id,
        "name": manifest.name,
        "version": manifest.version,
    }
    document: dict[str, object] = {
        "flavors": flavors,
        "model_uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, manifest.content_id)).replace("-", ""),
        "utc_time_created": manifest.created_at.translate(_TIME_FORMAT),
    }
    signature = _mlflow_signature(manifest, served)
    if signature is not None:
        document["signature"] = signature
    return _yaml(document)


def triton_config(manifest: Manifest) -> bytes | None:
    """Triton's model configuration for the ONNX file in ``1/``, or None when there is none.

    The model's name is left out, so that the folder may be named freely.
    """
    variant = _variant_at(manifest, "onnx", MODEL_FILE)
    if variant is None:
        return None
    lines = ['backend: "onnxruntime"', 'default_model_filename: "model.onnx"', "max_batch_size: 0"]
    for spec in manifest.signature.inputs:
        lines.append(_triton_tensor("input", spec, variant.bindings.inputs[spec.name]))
    for spec in manifest.signature.outputs:
        lines.append(_triton_tensor("output", spec, variant.bindings.outputs[spec.name]))
    return ("\n".join(lines) + "\n").encode("ascii")


def model_card(manifest: Manifest) -> bytes:
    """A short model card, Markdown, for bundles whose author gave none."""
    lines = [f"# {manifest.name} {manifest.version}", ""]
    for title, specs in (
        ("Inputs", manifest.signature.inputs),
        ("Outputs", manifest.signature.outputs),
    ):
        lines += [f"## {title}", "", *(f"- `{spec}`" for spec in specs), ""]
    lines += ["## Variants", ""]
    lines += [f"- `{each.id}` ({each.kind}): {each.verdict.value}" for each in manifest.variants]
    lines += [f"- no `{each.kind}`: {each.reason}" for each in manifest.unavailable]
    if manifest.licenses:
        lines += ["", f"License: {', '.join(manifest.licenses)}"]
    return ("\n".join(lines) + "\n").encode("utf-8")


def _python_version(manifest: Manifest) -> dict[str, object]:
    version = manifest.environment.get("python")
    return {"python_version": version} if isinstance(version, str) else {}


def _variant_at(manifest: Manifest, kind: str, path: str) -> Variant | None:
    return next(
        (each for each in manifest.variants if (each.kind, each.path) == (kind, path)), None
    )


def _local(path: str, *, local: bool) -> str:
    return path.removeprefix(f"{MODEL_FOLDER}/") if local else path


def _onnx_flavor(*, local: bool) -> dict[str, object]:
    return {
        "data": _local(MODEL_FILE, local=local),
        "providers": ["CPUExecutionProvider"],
        "onnx_session_options": None,
        "code": None,
    }


def _tensorflow_flavor(*, served_by_pyfunc: bool, local: bool) -> dict[str, object]:
    """The flavor; MLflow's pyfunc takes named inputs only by the signature-def route."""
    folder = "." if local else MODEL_FOLDER
    if not served_by_pyfunc:
        return {"model_type": "tf2-module", "saved_model_dir": folder, "code": None}
    return {
        "model_type": "tf1-estimator",
        "saved_model_dir": folder,
        "meta_graph_tags": ["serve"],
        "signature_def_key": "serving_default",
        "code": None,
    }


def _mlflow_signature(manifest: Manifest, served: Variant) -> dict[str, object] | None:
    """Inputs and outputs under the engine's names, which MLflow passes through as they are."""
    specs = (*manifest.signature.inputs, *manifest.signature.outputs)
    if any(spec.dtype is DType.BF16 for spec in specs):  # MLflow has no bfloat16
        return None
    return {
        "inputs": _tensor_specs(manifest.signature.inputs, served.bindings.inputs),
        "outputs": _tensor_specs(manifest.signature.outputs, served.bindings.outputs),
        "params": None,
    }


def _tensor_specs(specs: tuple[TensorSpec, ...], names: Mapping[str, str]) -> str:
    return json.dumps(
        [
            {
                "name": names[spec.name],
                "type": "tensor",
                "tensor-spec": {"dtype": spec.dtype.numpy.name, "shape": _dims(spec)},
            }
            for spec in specs
        ]
    )


def _dims(spec: TensorSpec) -> list[int]:
    return [dim if isinstance(dim, int) else -1 for dim in spec.shape]


def _triton_tensor(what: str, spec: TensorSpec, name: str) -> str:
    dtype = "STRING" if spec.dtype is DType.BYTES else spec.dtype.value
    dims = ", ".join(map(str, _dims(spec)))
    shape = f"dims: [ {dims} ]" if dims else "dims: [ 1 ], reshape: { shape: [ ] }"
    return f"{what} [ {{ name: {_proto_text(name)}, data_type: TYPE_{dtype}, {shape} }} ]"


def _proto_text(text: str) -> str:
    """A string literal of protobuf's text format."""
    escaped = "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\{byte:03o}"
        for byte in text.encode("utf-8")
    )
    return f'"{escaped}"'


def _yaml(document: Mapping[str, object]) -> bytes:
    """Block YAML; scalars and lists in JSON form, which YAML contains, so ``"1"`` stays text."""
    return ("\n".join(_yaml_lines(document, "")) + "\n").encode("utf-8")


def _yaml_lines(members: Mapping[str, object], indent: str) -> list[str]:
    lines: list[str] = []
    for name, value in members.items():
        if isinstance(value, dict):
            lines.append(f"{indent}{name}:")
            lines += _yaml_lines(value, f"{indent}  ")  # pyright: ignore[reportUnknownArgumentType]
        else:
            lines.append(f"{indent}{name}: {json.dumps(value)}")
    return lines
