"""A bundle opened inside the JVM of this process.

Small calls go through memory that stays bound to the model: the inputs are copied into it, one Java
method is called, the outputs are copied out. Large arrays are handed over as direct buffers on
their own memory, in both directions. Text crosses in one block per tensor.
"""

from __future__ import annotations

import importlib
import json
import threading
import warnings
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.bundle import read_bundle
from sealane.bundle.signature_parser import parse_signature
from sealane.core import DType, ErrorCode, SealaneError, Signature
from sealane.jvm.buffers import direct_buffer, memory_view, read_text, text_block
from sealane.jvm.engines import BUILT_IN, JVM_ENGINES, engine_jars
from sealane.jvm.failures import from_java, java_errors
from sealane.jvm.process import start
from sealane.jvm.remote import RemoteEngine, engine_process
from sealane.jvm.threads import detach_at_exit
from sealane.runtime import EngineSession, ParityWarning

if TYPE_CHECKING:
    from pathlib import Path

    from sealane.bundle import Policy
    from sealane.runtime import ReplayMode
    from sealane.runtime.values import AnyArray

    Shapes = tuple[tuple[int, ...], ...]

SMALL_BYTES = 256 * 1024
"""Bytes of one call's tensors below which copying is cheaper than handing memory over."""

MAX_BOUND_SHAPES = 32
"""Combinations of input shapes whose memory is kept, so that changing shapes do not add up."""


class JvmEngine:
    """One session of the Java side behind an :class:`sealane.runtime.EngineSession`.

    Args:
        bridge: The Java class ``io.sealane.bridge.Bridge``.
        handle: The session's handle; closed with this engine.
    """

    def __init__(self, bridge: Any, handle: int) -> None:
        self._bridge = bridge
        self._handle = handle
        self._run: Any = bridge.run
        self._java_error: Any = importlib.import_module("jpype").JException
        fields: dict[str, Any] = json.loads(str(bridge.describe(handle)))
        self.signature: Signature = parse_signature(lenient=False)(fields["signature"], "signature")
        self.model = str(fields["model"])
        self.content_id = str(fields["contentId"])
        self.passed = bool(fields.get("replay", {}).get("passed", True))
        self._name = f"jvm:{fields['engine']}"
        self._version = str(fields["engineVersion"])
        self._options: dict[str, object] = dict(fields["settings"])
        self._output_dtypes = {spec.name: spec.dtype for spec in self.signature.outputs}
        self._bindable = _is_bindable(self.signature)
        self._bound = _BoundPools(bridge, handle, self.signature)
        self._leak = weakref.finalize(
            self, _abandon, bridge, handle, self._bound, f"'{self.model}' on {self._name}"
        )
        self._leak.atexit = False  # By then the JVM has ended, and the session with it.

    @property
    def name(self) -> str:
        """``jvm:`` and the engine's name in Java, such as ``jvm:onnx``."""
        return self._name

    @property
    def version(self) -> str:
        """The native engine's version."""
        return self._version

    @property
    def options(self) -> dict[str, object]:
        """The effective settings."""
        return dict(self._options)

    def run(self, inputs: dict[str, AnyArray], outputs: tuple[str, ...]) -> dict[str, AnyArray]:
        """Runs parsed inputs; see :meth:`sealane.runtime.session.Engine.run`."""
        detach_at_exit()
        try:
            if not self._bindable:
                return self._call(inputs, outputs)
            arrays = tuple(inputs.values())
            # Comprehensions and closures cost more here than the copies of one row.
            shapes = (
                (arrays[0].shape,) if len(arrays) == 1 else tuple([each.shape for each in arrays])
            )
            pool = self._bound.pool(shapes)
            if pool is None:
                return self._run_into(inputs, shapes, outputs)
            bound = pool.take()
            try:
                for memory, array in zip(bound.inputs, arrays, strict=True):
                    memory[...] = array
                self._run(bound.handle)
                results: dict[str, AnyArray] = {}
                for name in outputs:
                    results[name] = bound.outputs[name].copy()
                return results
            finally:
                pool.give(bound)
        except self._java_error as error:
            raise from_java(self._bridge, error) from error

    def _run_into(
        self, inputs: dict[str, AnyArray], shapes: Shapes, outputs: tuple[str, ...]
    ) -> dict[str, AnyArray]:
        """Hands over the arrays' own memory, for inputs and for results."""
        results = {
            spec.name: np.empty(shape, spec.dtype.numpy)
            for spec, shape in zip(
                self.signature.outputs, output_shapes(self.signature, shapes), strict=True
            )
        }
        self._bridge.runInto(
            self._handle,
            _flat(shapes),
            [direct_buffer(name, array) for name, array in inputs.items()],
            _flat(tuple(array.shape for array in results.values())),
            [direct_buffer(name, array) for name, array in results.items()],
        )
        return {name: results[name] for name in outputs}

    def _call(self, inputs: dict[str, AnyArray], outputs: tuple[str, ...]) -> dict[str, AnyArray]:
        """Runs with text, or with sizes that only the run tells."""
        memory = {
            name: text_block(name, array) if array.dtype == np.object_ else array
            for name, array in inputs.items()
        }
        shapes = tuple(array.shape for array in inputs.values())
        buffers = [direct_buffer(name, array) for name, array in memory.items()]
        result = self._bridge.call(self._handle, _flat(shapes), buffers, list(outputs))
        try:
            sizes: list[int] = list(self._bridge.sizes(result))
            found: dict[str, AnyArray] = {}
            for index, name in enumerate(outputs):
                rank = sizes.pop(0)
                shape, sizes = tuple(sizes[:rank]), sizes[rank:]
                found[name] = self._read(result, index, name, shape)
            return found
        finally:
            self._bridge.close(result)

    def _read(self, result: int, index: int, name: str, shape: tuple[int, ...]) -> AnyArray:
        dtype = self._output_dtypes[name]
        if dtype is DType.BYTES:
            return read_text(self._bridge.text(result, index), shape)
        array = np.empty(shape, dtype.numpy)
        buffer = direct_buffer(name, array)
        if buffer is not None:
            self._bridge.read(result, index, buffer)
        return array

    def close(self) -> None:
        """Closes the Java session and everything bound to it."""
        self._leak.detach()
        with java_errors(self._bridge):
            self._bound.close()
            self._bridge.close(self._handle)


class _Bound:
    """Memory bound to the model for one combination of input shapes.

    Attributes:
        handle: The Java binding.
        inputs: Arrays over its inputs' memory, in the signature's order.
        outputs: Arrays over its outputs' memory.
    """

    __slots__ = ("handle", "inputs", "outputs")

    def __init__(self, bridge: Any, session: int, signature: Signature, shapes: Shapes) -> None:
        self.handle: int = int(bridge.bind(session, _flat(shapes)))
        self.inputs: list[AnyArray] = [
            memory_view(bridge.input(self.handle, index), spec.dtype, shape)
            for index, (spec, shape) in enumerate(zip(signature.inputs, shapes, strict=True))
        ]
        self.outputs: dict[str, AnyArray] = {
            spec.name: memory_view(
                bridge.output(self.handle, index),
                spec.dtype,
                tuple(int(size) for size in bridge.outputSizes(self.handle, index)),
            )
            for index, spec in enumerate(signature.outputs)
        }


class _Pool:
    """Bindings of one combination of shapes; each is used by one run at a time."""

    def __init__(self, owner: _BoundPools, shapes: Shapes) -> None:
        self._owner = owner
        self._shapes = shapes
        self._idle: list[_Bound] = []
        self._retired = False

    def take(self) -> _Bound:
        try:
            return self._idle.pop()
        except IndexError:
            return self._owner.bind(self._shapes)

    def give(self, bound: _Bound) -> None:
        self._idle.append(bound)
        if self._retired:
            self.retire()

    def retire(self) -> None:
        """Frees what is idle, and from now on what is given back."""
        self._retired = True
        while self._idle:
            try:
                bound = self._idle.pop()
            except IndexError:
                return
            self._owner.unbind(bound)


class _BoundPools:
    """The memory bound to one session, by input shapes."""

    def __init__(self, bridge: Any, session: int, signature: Signature) -> None:
        self._bridge = bridge
        self._session = session
        self._signature = signature
        self._lock = threading.Lock()
        self._seen: set[Shapes] = set()
        self._pools: dict[Shapes, _Pool] = {}

    def pool(self, shapes: Shapes) -> _Pool | None:
        """The pool for these shapes; None the first time they are seen, and for large tensors."""
        found = self._pools.get(shapes)
        if found is not None:
            return found
        with self._lock:
            if shapes not in self._seen:
                if len(self._seen) >= 8 * MAX_BOUND_SHAPES:
                    self._seen.clear()
                self._seen.add(shapes)
                return None
            if self._bytes(shapes) > SMALL_BYTES:
                return None
            found = self._pools.setdefault(shapes, _Pool(self, shapes))
            while len(self._pools) > MAX_BOUND_SHAPES:
                self._pools.pop(next(iter(self._pools))).retire()
            return found

    def _bytes(self, shapes: Shapes) -> int:
        specs = (*self._signature.inputs, *self._signature.outputs)
        every = (*shapes, *output_shapes(self._signature, shapes))
        return sum(
            int(np.prod(shape, dtype=np.float64)) * spec.dtype.numpy.itemsize
            for spec, shape in zip(specs, every, strict=True)
        )

    def bind(self, shapes: Shapes) -> _Bound:
        return _Bound(self._bridge, self._session, self._signature, shapes)

    def unbind(self, bound: _Bound) -> None:
        self._bridge.close(bound.handle)

    def close(self) -> None:
        """Frees everything; called with no run in flight."""
        with self._lock:
            for pool in self._pools.values():
                pool.retire()
            self._pools.clear()


def prepare(engine: str) -> None:
    """Starts the JVM that an engine needs, unless it runs.

    Raises:
        SealaneError: ENGINE_UNAVAILABLE without the engine's jars, JPype or a JDK.
    """
    if JVM_ENGINES[engine].own_process:
        engine_process(engine)
    else:
        engine_jars(engine)
        start()


def open_session(
    path: Path,
    *,
    engine: str = BUILT_IN,
    variant: str | None = None,
    replay: ReplayMode = "strict",
    policy: Policy | None = None,
    intra_op_threads: int = 0,
    optimization: str = "all",
) -> EngineSession:
    """Opens a bundle in the JVM: Java reads, verifies, loads and replays it.

    Args:
        path: The bundle's directory.
        engine: The engine's name in Java: ``onnx``, ``tensorflow``, ``dl4j``.
        variant: A variant's id; None for the best one of the engine's kind.
        replay: ``strict``, ``warn`` or ``off``; see :func:`sealane.open`.
        policy: What the bundle must prove.
        intra_op_threads: The engine's threads of one operator, 0 for one per core.
        optimization: The engine's graph optimisation.

    Raises:
        SealaneError: As :func:`sealane.open`; BRIDGE_FAILED when the JVM does not start.
    """
    settings: dict[str, Any] = {
        "variant": variant,
        "replay": replay,
        "policy": policy,
        "intra_op_threads": intra_op_threads,
        "optimization": optimization,
    }
    opened: JvmEngine | RemoteEngine
    if JVM_ENGINES[engine].own_process:
        process = engine_process(engine)
        opened = RemoteEngine(process, process.call("open", path.absolute(), settings))
    else:
        opened = open_engine(path, engine=engine, **settings)
    if not opened.passed:
        message = f"golden cases of '{path}' are outside their verdict on {opened.name}"
        warnings.warn(message, ParityWarning, stacklevel=3)
    return EngineSession(opened.signature, opened, model=opened.model)


def open_engine(
    path: Path,
    *,
    engine: str,
    variant: str | None,
    replay: ReplayMode,
    policy: Policy | None,
    intra_op_threads: int,
    optimization: str,
) -> JvmEngine:
    """Opens a bundle in the JVM of this process; arguments and errors as :func:`open_session`."""
    bridge = start()
    detach_at_exit()
    settings = [
        f"engine={engine}",
        f"replay={replay}",
        f"intra-op-threads={intra_op_threads}",
        f"optimisation={optimization}",
        *_policy_settings(policy),
    ]
    if variant is not None:
        settings.append(f"variant={variant}")
    content_id = None
    if policy is not None:
        # Java knows signers and verdicts; the rest is judged here, on the same content.
        with read_bundle(path, policy=policy) as verified:
            content_id = verified.manifest.content_id
    with java_errors(bridge):
        opened = JvmEngine(bridge, int(bridge.open(str(path), settings, _trusted(policy))))
    if content_id not in (None, opened.content_id):
        opened.close()
        raise SealaneError(
            ErrorCode.CONTENT_ID_MISMATCH,
            f"'{path}' changed while it was opened: expected {content_id}, received "
            f"{opened.content_id}",
        )
    return opened


def _policy_settings(policy: Policy | None) -> list[str]:
    if policy is None:
        return []
    settings: list[str] = []
    if policy.required_verdict is not None:
        settings.append(f"required-verdict={policy.required_verdict.value}")
    if policy.signed_by is not None:
        settings += [f"signer={each}" for each in policy.signed_by.identities]
    return settings


def _trusted(policy: Policy | None) -> list[str]:
    """The trusted keys and certificates in PEM."""
    if policy is None or policy.signed_by is None:
        return []
    signers = policy.signed_by
    return [each.decode("ascii", "replace") for each in (*signers.keys, *signers.roots)]


def output_shapes(signature: Signature, shapes: Shapes) -> Shapes:
    """The outputs' shapes, where they follow from the inputs'."""
    sizes: dict[str, int] = {}
    for spec, shape in zip(signature.inputs, shapes, strict=True):
        sizes.update(
            (dim, size) for dim, size in zip(spec.shape, shape, strict=True) if isinstance(dim, str)
        )
    return tuple(
        tuple(dim if isinstance(dim, int) else sizes[dim] for dim in spec.shape)
        for spec in signature.outputs
    )


def _is_bindable(signature: Signature) -> bool:
    """Whether memory can be made before a run: no text, and every output's shape is known."""
    given = {dim for spec in signature.inputs for dim in spec.shape}
    specs = (*signature.inputs, *signature.outputs)
    if any(spec.dtype is DType.BYTES for spec in specs):
        return False
    needed = {dim for spec in signature.outputs for dim in spec.shape if isinstance(dim, str)}
    return needed <= given


def _flat(shapes: Shapes) -> list[int]:
    return [size for shape in shapes for size in shape]


def _abandon(bridge: Any, handle: int, bound: _BoundPools, what: str) -> None:
    """Frees a session that was dropped without close, and says so."""
    bound.close()
    bridge.close(handle)
    warnings.warn(
        f"a session of {what} was dropped without close",
        ResourceWarning,
        stacklevel=2,
    )
