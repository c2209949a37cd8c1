"""The same Session living in a JVM inside this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from pathlib import Path

    from sealane.bundle import Policy
    from sealane.runtime import ReplayMode, Session


def open_session(
    path: Path,
    *,
    variant: str | None = None,
    replay: ReplayMode = "strict",
    policy: Policy | None = None,
    intra_op_threads: int = 0,
    optimization: str = "all",
) -> Session:
    """Opens a bundle in the JVM."""
    del variant, replay, policy, intra_op_threads, optimization
    raise SealaneError(ErrorCode.ENGINE_UNAVAILABLE, f"no JVM can open {path} yet")
