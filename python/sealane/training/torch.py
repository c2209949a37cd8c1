"""Training a PyTorch module on features by name."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.core.frameworks import load_module
from sealane.training.run import (
    Array,
    Loss,
    Plan,
    Rows,
    loop,
    one_per_target,
    split,
    takes_by_order,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Mapping

    from sealane.training.history import History

EVALUATION_ROWS = 8192
"""Rows per step when validating."""

SMALL = 1_000_000
"""Parameters. Two threads on two busy cores take 25 times as long as one for 25,000 parameters:
OpenMP's threads spin while they wait for each other."""


def fit(
    model: Any,
    features: Mapping[str, Array],
    target: Array,
    *,
    logits: Callable[..., Any] | None = None,
    loss: Loss | Callable[[Any, Any], Any] = "binary",
    epochs: int = 5,
    batch_size: int = 1024,
    lr: float = 1e-3,
    seed: int = 0,
    validation: float | tuple[Mapping[str, Array], Array] | None = 0.1,
    patience: int | None = 2,
    weight_decay: float = 0.0,
    threads: int | None = None,
    progress: bool = True,
) -> History:
    """Trains a ``torch.nn.Module`` in place with AdamW; afterwards it has its best weights.

    The run is the same for the same seed on one machine. PyTorch's own random state is left as it
    was, and the model ends in ``eval`` mode.

    Args:
        model: The module. Its parameters stay on their device.
        features: By argument name ``[rows, …]``.
        target: ``[rows]`` (or the shape the outputs have): 0/1, class numbers, or numbers.
        logits: What to train when it is not the module's ``forward``, such as a method that gives
            logits where ``forward`` gives probabilities.
        loss: ``binary`` and ``categories`` take logits; or a function of outputs and targets that
            gives the mean loss of a batch.
        epochs: The most passes over the rows.
        batch_size: Rows per step.
        lr: Learning rate.
        seed: Of shuffling, split and dropout.
        validation: A share of the rows to hold back at random, or rows of their own, or None.
        patience: Epochs without a smaller validation loss before stopping; None never stops.
        weight_decay: AdamW's.
        threads: CPU threads to train with; by default one for a model below `SMALL` parameters,
            whose steps are too short to share, and PyTorch's own number for a larger one.
        progress: Whether to show a progress bar.

    Returns:
        The history.

    Raises:
        SealaneError: INPUT_RAGGED, INPUT_SHAPE or INPUT_DOMAIN for rows that can not be trained
            on, ENGINE_RUN_FAILED when the loss is not finite, ENGINE_UNAVAILABLE without PyTorch.
    """
    torch = load_module("torch", "torch")
    plan = Plan(epochs, batch_size, lr, seed, patience, progress)
    rows, held = split(features, target, validation, seed)
    call = logits or model
    learner = _Learner(torch, model, call, loss, plan, weight_decay, rows, held)
    with torch.random.fork_rng(devices=[]), _threads(torch, model, threads):
        torch.manual_seed(seed)
        try:
            return loop(learner, plan, len(rows), validated=held is not None)
        finally:
            model.eval()


@contextmanager
def _threads(torch: Any, model: Any, wanted: int | None) -> Generator[None]:
    before: int = torch.get_num_threads()
    small = sum(parameter.numel() for parameter in model.parameters()) < SMALL
    torch.set_num_threads(wanted or (1 if small else before))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _loss(torch: Any, loss: Loss | Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The mean loss of a batch, of outputs and targets.

    Args:
        torch: The module.
        loss: A name, or the function itself.
    """
    functional = torch.nn.functional
    if callable(loss):
        return loss

    def binary(outputs: Any, targets: Any) -> Any:
        return functional.binary_cross_entropy_with_logits(outputs, targets.to(outputs.dtype))

    def squared(outputs: Any, targets: Any) -> Any:
        return functional.mse_loss(outputs, targets.to(outputs.dtype))

    def categories(outputs: Any, targets: Any) -> Any:
        return functional.cross_entropy(outputs, targets.long())

    return {"binary": binary, "squared": squared, "categories": categories}[loss]


class BatchLoss:
    """The mean loss of a batch, by a module's outputs.

    Args:
        torch: The module.
        described: What names the arguments that features are given to.
        call: What is called: ``described``, or a module whose ``forward`` it is.
        loss: A name, or a function of outputs and targets.
        features: Their names.

    Raises:
        SealaneError: INPUT_UNKNOWN for a feature without an argument.
    """

    def __init__(
        self,
        torch: Any,
        described: Callable[..., Any],
        call: Callable[..., Any],
        loss: Loss | Callable[[Any, Any], Any],
        features: Collection[str],
    ) -> None:
        self._call = _by_name(described, call, features)
        self._loss = _loss(torch, loss)

    def __call__(self, features: Mapping[str, Any], targets: Any) -> Any:
        """Of tensors ``[rows, …]``, as a tensor of no dims.

        Raises:
            SealaneError: INPUT_SHAPE when the outputs are not one per target.
        """
        return self.judged(features, targets)[0]

    def judged(self, features: Mapping[str, Any], targets: Any) -> tuple[Any, Any]:
        """The loss and what was judged, the outputs ``[rows, …]``.

        Raises:
            SealaneError: As a call.
        """
        outputs = one_per_target(self._call(features), targets)
        return self._loss(outputs, targets), outputs


class _Learner:
    """One module with its rows as tensors."""

    def __init__(
        self,
        torch: Any,
        model: Any,
        call: Callable[..., Any],
        loss: Loss | Callable[[Any, Any], Any],
        plan: Plan,
        weight_decay: float,
        rows: Rows,
        held: Rows | None,
    ) -> None:
        self._torch = torch
        self._model = model
        described = call if call is not model else model.forward
        self._batch_loss = BatchLoss(torch, described, call, loss, rows.features)
        self._batch = plan.batch_size
        self._optimizer = torch.optim.AdamW(
            model.parameters(), lr=plan.lr, weight_decay=weight_decay
        )
        self._device = next(model.parameters()).device
        self._rows = self._tensors(rows)
        self._held = None if held is None else self._tensors(held)
        self._best: dict[str, Any] = {}

    def _tensors(self, rows: Rows) -> tuple[dict[str, Any], Any]:
        def tensor(x: Array) -> Any:
            return self._torch.from_numpy(np.ascontiguousarray(x)).to(self._device)

        return {name: tensor(x) for name, x in rows.features.items()}, tensor(rows.target)

    def train(self, order: Array, advance: Callable[[int], None]) -> float:
        """One epoch of AdamW steps."""
        self._model.train()
        features, target = self._rows
        index = self._torch.from_numpy(order).to(self._device)
        total = self._torch.zeros((), dtype=self._torch.float64)
        for rows in index.split(self._batch):
            self._optimizer.zero_grad(set_to_none=True)
            batch = {name: x[rows] for name, x in features.items()}
            loss = self._batch_loss(batch, target[rows])
            loss.backward()
            self._optimizer.step()
            total += loss.detach().to("cpu", self._torch.float64) * len(rows)
            advance(len(rows))
        return float(total) / len(order)

    def evaluate(self) -> float:
        """The validation rows in eval mode."""
        assert self._held is not None
        self._model.eval()
        features, target = self._held
        total = 0.0
        with self._torch.inference_mode():
            for start in range(0, len(target), EVALUATION_ROWS):
                part = slice(start, start + EVALUATION_ROWS)
                batch = {name: x[part] for name, x in features.items()}
                total += float(self._batch_loss(batch, target[part])) * len(target[part])
        return total / len(target)

    def keep(self) -> None:
        """Copies the state."""
        state = self._model.state_dict()
        self._best = {name: value.detach().clone() for name, value in state.items()}

    def restore(self) -> None:
        """Loads the copy."""
        self._model.load_state_dict(self._best)


def _by_name(
    described: Callable[..., Any], call: Callable[..., Any], features: Collection[str]
) -> Callable[[Mapping[str, Any]], Any]:
    """Calls with features by argument name, or in their order where it takes ``*arguments``."""
    if takes_by_order([*inspect.signature(described).parameters.values()], features):
        return lambda features: call(*features.values())
    return lambda features: call(**features)
