"""The shared folder of a run: its rows, its checkpoints, and what both were made with."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealane.core import ErrorCode, SealaneError
from sealane.features import FittedFeatures
from sealane.training.distributed.lanes import Lane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sealane.training.distributed.config import TrainConfig

MANIFEST = "run.json"


def rows_folder(folder: Path) -> Path:
    """Where the rows of a run lie in its folder, or in a task's own."""
    return folder / "rows"


def checkpoints_folder(folder: Path) -> Path:
    """Where the checkpoints of a run, or of one trial, lie in its folder."""
    return folder / "checkpoints"


class RunFolder:
    """A run's folder, on the driver.

    Args:
        config: The run, which has a shared folder.
        columns: What the model is trained on, raw columns where it has features.

    Raises:
        SealaneError: BUNDLE_EXISTS when there is a run that is not to be resumed.
    """

    def __init__(self, config: TrainConfig, columns: Sequence[str]) -> None:
        assert config.shared is not None
        self._folder = Path(config.shared)
        self._path = self._folder / MANIFEST
        self._settings: dict[str, Any] = {"columns": [*columns]} | {
            name: getattr(config, name)
            for name in ("all_lanes", "validation", "seed", "target", "loss")
        }
        if self._path.exists() and not config.resume:
            raise SealaneError(
                ErrorCode.BUNDLE_EXISTS,
                f"{self._folder} holds a run: go on with it (resume=True), or use another folder",
            )

    def rows(self) -> Path:
        """The folder of the lanes, which exists then."""
        folder = rows_folder(self._folder)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def found(self) -> tuple[FittedFeatures | None, tuple[Lane, ...]] | None:
        """The features and lanes of a run that is to be resumed; None when it has none yet.

        Raises:
            SealaneError: ARTIFACT_INVALID when it was begun with other settings.
        """
        if not self._path.exists():
            return None
        try:
            told = json.loads(self._path.read_text())
            lanes = tuple(Lane(**each) for each in told["lanes"])
            settings, features = told["settings"], told["features"]
        except (ValueError, KeyError, TypeError) as error:
            raise _invalid(f"{self._path} can not be read: {error}") from error
        if settings != self._settings:
            raise _invalid(
                f"the run of {self._folder} was begun with {settings}, not {self._settings}"
            )
        return None if features is None else FittedFeatures.from_json(features), lanes

    def keep(self, features: FittedFeatures | None, lanes: tuple[Lane, ...]) -> None:
        """Writes down what the rows were made with, when they are all there."""
        told: dict[str, Any] = {
            "settings": self._settings,
            "features": None if features is None else features.to_json(),
            "lanes": [lane.to_json() for lane in lanes],
        }
        partial = self._path.with_name(f".{MANIFEST}-{uuid.uuid4().hex}")
        partial.write_text(json.dumps(told))
        partial.replace(self._path)


def _invalid(message: str) -> SealaneError:
    return SealaneError(ErrorCode.ARTIFACT_INVALID, message)
