"""The signature of a model, found by running it at several sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sealane.core import Dim, Domain, DType, Signature, SymbolRange, TensorSpec
from sealane.export.errors import unsupported
from sealane.export.values import Sampler, draw_all, resample_rows

if TYPE_CHECKING:
    from sealane.export.examples import Array, Arrays

Dynamic = Mapping[str, Mapping[int, str]]
"""Input name → axis → symbol."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What the caller says of the inputs beyond the examples.

    Attributes:
        dynamic: None makes axis 0 of every input the symbol ``batch``; False fixes all; a mapping
            input name → {axis: symbol} says it exactly.
        domains: Domains by input name.
        symbols: Ranges by symbol.
    """

    dynamic: Dynamic | bool | None = None
    domains: Mapping[str, Domain] = field(default_factory=dict[str, Domain])
    symbols: Mapping[str, SymbolRange] = field(default_factory=dict[str, SymbolRange])


def input_specs(examples: Arrays, declared: Declared) -> tuple[TensorSpec, ...]:
    """The specs of the inputs.

    Raises:
        SealaneError: ``EXPORT_UNSUPPORTED`` when ``dynamic`` or ``domains`` name an input or axis
            that is not there, or one symbol has two sizes in the examples.
    """
    for what, given in (("dynamic", declared.dynamic), ("domains", declared.domains)):
        unknown = sorted(set(given) - set(examples)) if isinstance(given, Mapping) else []
        if unknown:
            raise unsupported(f"{what} names {unknown}, the inputs are {list(examples)}")
    specs: list[TensorSpec] = []
    for name, array in examples.items():
        dtype = DType.from_numpy(array.dtype)
        if dtype is None:
            raise unsupported(f"input {name!r} has dtype {array.dtype}", input=name)
        shape = _dims(name, array, declared.dynamic)
        specs.append(TensorSpec(name, dtype, shape, domain=declared.domains.get(name)))
    _check_sizes(specs, examples)
    return tuple(specs)


def _dims(name: str, array: Array, dynamic: Dynamic | bool | None) -> tuple[Dim, ...]:  # noqa: FBT001
    if dynamic is False:
        return array.shape
    axes: dict[int, Dim] = {0: "batch"} if array.ndim else {}
    if dynamic is not None and dynamic is not True:
        axes = dict(dynamic.get(name, {}))
    outside = [axis for axis in axes if not 0 <= axis < array.ndim]
    if outside:
        raise unsupported(
            f"dynamic gives axis {outside} of input {name!r}, which has rank {array.ndim}"
        )
    sizes: tuple[Dim, ...] = array.shape
    return tuple(axes.get(axis, size) for axis, size in enumerate(sizes))


def _check_sizes(specs: list[TensorSpec], examples: Arrays) -> None:
    seen: dict[str, tuple[int, str]] = {}
    for spec in specs:
        for dim, size in zip(spec.shape, examples[spec.name].shape, strict=True):
            if not isinstance(dim, str):
                continue
            first, where = seen.setdefault(dim, (size, spec.name))
            if first != size:
                raise unsupported(
                    f"the symbol {dim!r} is {first} in example input {where!r} and {size} in "
                    f"{spec.name!r}; give them equal sizes, or other symbols with dynamic=…"
                )


@dataclass(frozen=True, slots=True)
class Contract:
    """A signature with what is needed to draw inputs for it.

    Attributes:
        signature: The model's contract.
        samplers: One per input.
        examples: The caller's inputs.
        rows_only: Whether drawn inputs make the model fail, so that only the caller's own rows
            are used.
    """

    signature: Signature
    samplers: dict[str, Sampler]
    examples: Arrays
    rows_only: bool

    @property
    def batch(self) -> str | None:
        """The symbol that counts rows, or None when the batch is fixed."""
        firsts = [spec.shape[0] for spec in self.signature.inputs if spec.shape]
        return next((dim for dim in firsts if isinstance(dim, str)), None)

    def example_sizes(self) -> dict[str, int]:
        """The sizes of the symbols in the examples."""
        return {
            dim: size
            for spec in self.signature.inputs
            for dim, size in zip(spec.shape, self.examples[spec.name].shape, strict=True)
            if isinstance(dim, str)
        }

    def draw(self, sizes: Mapping[str, int], seed: int) -> Arrays:
        """Seeded inputs for given sizes of symbols; the other symbols keep the examples' sizes."""
        full = self.example_sizes() | dict(sizes)
        if self.rows_only:
            rows = full[self.batch] if self.batch is not None else 1
            return resample_rows(self.examples, self.samplers, rows, seed)
        return draw_all(self.samplers, full, np.random.default_rng(seed))

    def size(self, symbol: str, wanted: int) -> int:
        """The size nearest to a wanted one that the symbol's range allows."""
        bounds = self.signature.symbols.get(symbol, SymbolRange())
        step = bounds.multiple_of
        size = -(-max(wanted, bounds.minimum, 1) // step) * step
        if bounds.maximum is not None and size > bounds.maximum:
            size = bounds.maximum // step * step
        return size


def infer_contract(
    inputs: tuple[TensorSpec, ...],
    examples: Arrays,
    declared: Declared,
    run: Callable[[Arrays], Arrays],
    seed: int,
) -> Contract:
    """Find the outputs' dtypes and dims by running the model at two sizes of each symbol.

    An output dim that follows a symbol one to one carries its name; one that changes in another way
    gets a name of its own, ``<output>_dim<axis>``.

    Args:
        inputs: The inputs' specs.
        examples: The caller's inputs.
        declared: Domains and symbol ranges.
        run: The reference model.
        seed: Of the drawn inputs.

    Raises:
        SealaneError: What ``run`` raises on the caller's own examples.
    """
    first = run(examples)
    samplers = {spec.name: Sampler(spec, examples[spec.name]) for spec in inputs}
    bare = Signature(inputs, (), dict(declared.symbols))
    contract = Contract(bare, samplers, examples, rows_only=False)
    sizes = contract.example_sizes()
    rows_only = not _accepts_drawn(contract, run, sizes, seed)
    contract = Contract(bare, samplers, examples, rows_only=rows_only)
    dims: dict[str, list[Dim]] = {name: list(value.shape) for name, value in first.items()}
    for symbol, size in sizes.items():
        other = contract.size(symbol, size + 1 if size < 64 else 3)
        if other == size:
            other = contract.size(symbol, size - 1)
        if other == size or (rows_only and symbol != contract.batch):
            continue
        second = run(contract.draw({symbol: other}, seed))
        _mark(dims, first, second, symbol, (size, other))
    outputs = tuple(_output(name, first[name], tuple(dims[name])) for name in first)
    names = {dim for spec in (*inputs, *outputs) for dim in spec.shape if isinstance(dim, str)}
    symbols = {name: bounds for name, bounds in declared.symbols.items() if name in names}
    return Contract(Signature(inputs, outputs, symbols), samplers, examples, rows_only)


def _accepts_drawn(
    contract: Contract, run: Callable[[Arrays], Arrays], sizes: dict[str, int], seed: int
) -> bool:
    from sealane.core import SealaneError

    try:
        run(contract.draw(sizes, seed))
    except SealaneError:
        return False
    return True


def _mark(
    dims: dict[str, list[Dim]], first: Arrays, second: Arrays, symbol: str, sizes: tuple[int, int]
) -> None:
    for name, value in first.items():
        if value.ndim != second[name].ndim:
            raise unsupported(f"the rank of output {name!r} changes with {symbol!r}", output=name)
        for axis, pair in enumerate(zip(value.shape, second[name].shape, strict=True)):
            if pair == sizes:
                dims[name][axis] = symbol
            elif pair[0] != pair[1]:
                dims[name][axis] = f"{_identifier(name)}_dim{axis}"


def _output(name: str, value: Array, shape: tuple[Dim, ...]) -> TensorSpec:
    dtype = DType.from_numpy(value.dtype)
    if dtype is None:
        raise unsupported(f"output {name!r} has dtype {value.dtype}", output=name)
    return TensorSpec(name, dtype, shape)


def _identifier(name: str) -> str:
    kept = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)[:48]
    return kept if kept[:1].isalpha() or kept[:1] == "_" else f"_{kept}"
