"""Training a copy of a ``torch.nn.Module``, seen through the network's weight names."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.core.frameworks import load_module
from sealane.export.network.torch import torch_network
from sealane.export.outputs import flatten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sealane.core import Signature
    from sealane.export.examples import Arrays, Style
    from sealane.export.network.trace import Array, TraceSettings


class TorchTrainer:
    """A copy of a module in training mode, frozen layers in inference mode."""

    def __init__(
        self,
        model: Any,
        signature: Signature,
        names: Sequence[str],
        style: Style,
        settings: TraceSettings,
    ) -> None:
        self._torch = load_module("torch", "torch")
        self._model: Any = copy.deepcopy(model)
        if settings.double:
            self._model.double()
        self._signature, self._names, self._style = signature, tuple(names), style
        self._settings = settings
        self._model.train()
        learned = self._freeze()
        self._optimizer = _optimizer(self._torch, settings, learned)

    def step(self, inputs: Arrays, target: Array) -> tuple[float, dict[str, Array]]:
        """Take one step."""
        torch = self._torch
        tensors = {name: self._tensor(inputs[name]) for name in self._names}
        self._optimizer.zero_grad(set_to_none=True)
        keyword = self._style.value == "keyword"
        result = self._model(**tensors) if keyword else self._model(*tensors.values())
        output = flatten(result)[self._settings.output][1]
        loss = _loss(torch, self._settings.loss, output, self._tensor(target))
        loss.backward()
        gradients = self._gradients()
        self._optimizer.step()
        return float(loss.item()), gradients

    def weights(self) -> dict[str, Array]:
        """The weights now."""
        return self._network_weights(copy.deepcopy(self._model))

    def _network_weights(self, model: Any) -> dict[str, Array]:
        built = torch_network(
            model.eval(), self._signature, self._names, self._style, any_precision=True
        )
        return built.weights

    def _gradients(self) -> dict[str, Array]:
        """The gradients through the same walk that takes weights: a copy that holds them."""
        model = copy.deepcopy(self._model)
        with self._torch.no_grad():
            pairs = zip(model.parameters(), self._model.parameters(), strict=True)
            for held, parameter in pairs:
                held.zero_() if parameter.grad is None else held.copy_(parameter.grad)
        return self._network_weights(model)

    def _freeze(self) -> list[Any]:
        """Put frozen layers into inference mode; the parameters that are learned."""
        frozen = self._settings.frozen
        learned: list[Any] = []
        still: set[str] = set()
        for name, parameter in self._model.named_parameters():
            layers = self._layers_of(name) if frozen else set[str]()
            if layers and layers <= set(frozen):
                parameter.requires_grad_(requires_grad=False)
                still.add(name.rpartition(".")[0])
            else:
                learned.append(parameter)
        for path in still:
            self._model.get_submodule(path).eval()
        return learned

    def _layers_of(self, parameter: str) -> set[str]:
        """The network's layers that a parameter is in, found by marking it."""
        model = copy.deepcopy(self._model)
        with self._torch.no_grad():
            for name, each in model.named_parameters():
                each.fill_(1.0 if name == parameter else 0.0)
            for buffer in model.buffers():
                buffer.zero_()
        marked = self._network_weights(model)
        return {name.rpartition(".")[0] for name, value in marked.items() if np.any(value)}

    def _tensor(self, array: Array) -> Any:
        wide = self._settings.double and array.dtype.kind == "f"
        return self._torch.from_numpy(np.array(array, np.float64 if wide else array.dtype))


def _optimizer(torch: Any, settings: TraceSettings, parameters: list[Any]) -> Any:
    given = settings.optimizer
    if given.kind == "adam":
        betas = (given.beta1, given.beta2)
        return torch.optim.Adam(parameters, given.learning_rate, betas=betas, eps=given.epsilon)
    if given.kind == "nesterov":
        rate, momentum = given.learning_rate, given.momentum
        return torch.optim.SGD(parameters, rate, momentum=momentum, nesterov=True)
    return torch.optim.SGD(parameters, given.learning_rate)


def _loss(torch: Any, kind: str, output: Any, target: Any) -> Any:
    functional = torch.nn.functional
    if kind == "mean_squared_error":
        return functional.mse_loss(output, target)
    if kind == "binary_cross_entropy":
        return functional.binary_cross_entropy(output, target)
    if kind == "binary_cross_entropy_logits":
        return functional.binary_cross_entropy_with_logits(output, target)
    if kind == "categorical_cross_entropy":
        return functional.nll_loss(torch.log(output), target)
    return functional.cross_entropy(output, target)
