"""A model that can be run: the Session protocol, and the session over an engine of this process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

from sealane.core import ErrorCode, SealaneError, Signature
from sealane.runtime.inputs import InputParser, requested_outputs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from sealane.runtime.values import AnyArray


@runtime_checkable
class Session(Protocol):
    """An opened model. Thread-safe: any number of threads may call :meth:`run` at once."""

    @property
    def signature(self) -> Signature:
        """What the model takes and gives."""
        ...

    @property
    def engine(self) -> str:
        """What runs it: ``onnx``, ``tensorflow``, ``jvm:onnx``…."""
        ...

    @property
    def engine_version(self) -> str:
        """The engine's version, as the engine says it."""
        ...

    def run(
        self, inputs: Mapping[str, object], outputs: Sequence[str] | None = None
    ) -> dict[str, AnyArray]:
        """Runs the model once.

        Args:
            inputs: Input name → array of the signature's dtype and shape, or nested lists (see
                :mod:`sealane.runtime.values`). Not kept and not written to; must not change during
                the call.
            outputs: Names of the outputs to compute; None for all.

        Returns:
            Output name → array that belongs to the caller; BYTES are object arrays of ``str``.

        Raises:
            SealaneError: An INPUT_* code for a bad input, SESSION_CLOSED after :meth:`close`,
                ENGINE_RUN_FAILED when the engine fails. The session stays usable.
        """
        ...

    def close(self) -> None:
        """Frees the model once runs in flight have ended; idempotent and thread-safe."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Engine(Protocol):
    """One loaded artifact behind an :class:`EngineSession`."""

    @property
    def name(self) -> str:
        """``onnx``, ``tensorflow``, ``jvm:onnx``…."""
        ...

    @property
    def version(self) -> str:
        """The engine's version."""
        ...

    @property
    def options(self) -> dict[str, object]:
        """The effective settings, as evidence for a certificate."""
        ...

    def run(self, inputs: dict[str, AnyArray], outputs: tuple[str, ...]) -> dict[str, AnyArray]:
        """Runs parsed inputs, by signature name; called by several threads at once.

        Args:
            inputs: All inputs as :meth:`InputParser.parse` gives them.
            outputs: Signature names of the outputs to give, at least one.

        Raises:
            SealaneError: ENGINE_RUN_FAILED.
        """
        ...

    def close(self) -> None:
        """Frees the artifact; called once, with no run in flight."""
        ...


class EngineSession:
    """The :class:`Session` over one engine: checks inputs, keeps runs and close apart.

    Args:
        signature: The model's signature.
        engine: The loaded artifact; owned by the session from here on.
        model: The model's name, for messages.
    """

    def __init__(self, signature: Signature, engine: Engine, *, model: str) -> None:
        self._signature = signature
        self._engine = engine
        self._model = model
        self._parser = InputParser(signature)
        self._every_output = tuple(spec.name for spec in signature.outputs)
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._running = 0
        self._closing = False
        self._closed = False

    @property
    def signature(self) -> Signature:
        """What the model takes and gives."""
        return self._signature

    @property
    def engine(self) -> str:
        """What runs the model: ``onnx``, ``tensorflow``, ``jvm:onnx``…."""
        return self._engine.name

    @property
    def engine_version(self) -> str:
        """The engine's version."""
        return self._engine.version

    @property
    def options(self) -> dict[str, object]:
        """The engine's effective settings."""
        return dict(self._engine.options)

    def run(
        self, inputs: Mapping[str, object], outputs: Sequence[str] | None = None
    ) -> dict[str, AnyArray]:
        """Runs the model once; see :meth:`Session.run`."""
        with self._lock:
            if self._closing:
                raise SealaneError(
                    ErrorCode.SESSION_CLOSED,
                    f"the session of model '{self._model}' is closed: open it again to run it",
                )
            self._running += 1
        try:
            wanted = (
                self._every_output
                if outputs is None
                else requested_outputs(self._signature, outputs)
            )
            return self._engine.run(self._parser.parse(inputs), wanted)
        finally:
            with self._lock:
                self._running -= 1
                if self._closing:
                    self._idle.notify_all()

    def close(self) -> None:
        """Frees the model once runs in flight have ended. Idempotent, thread-safe."""
        with self._idle:
            self._closing = True
            self._idle.wait_for(lambda: self._running == 0)
            if self._closed:
                return
            self._closed = True
            self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._closing else "open"
        engine = f"{self.engine} {self.engine_version}"
        return f"<{state} session of '{self._model}' on {engine}: {self._signature}>"
