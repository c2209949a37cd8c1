"""A model and its examples made ready: contract, reference and golden cases."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.core import Domain, Signature, SymbolRange
from sealane.export.contract import Contract, Declared, infer_contract, input_specs
from sealane.export.errors import unsupported
from sealane.export.examples import Arrays, Examples, Style, parse_examples
from sealane.export.golden import Golden, GoldenMaker
from sealane.export.source import Oracle, Source, adapt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sealane.features import FittedFeatures


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the caller says about the model's inputs and outputs.

    Attributes:
        features: Fitted transforms from raw columns to the model's inputs, or None.
        input_names: Names of inputs given by position.
        output_names: Names of the outputs in the model's order.
        dynamic: See `sealane.export.contract.Declared`.
        domains: Domains by input name.
        symbols: Ranges by symbol.
        samples: Further inputs to keep as golden cases, each in the form of the examples.
        seed: Of everything drawn.
    """

    features: FittedFeatures | None = None
    input_names: Sequence[str] | None = None
    output_names: Sequence[str] | None = None
    dynamic: Mapping[str, Mapping[int, str]] | bool | None = None
    domains: Mapping[str, Domain] = field(default_factory=dict[str, Domain])
    symbols: Mapping[str, SymbolRange] = field(default_factory=dict[str, SymbolRange])
    samples: Sequence[object] = ()
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """A model that has been run and understood, not yet converted.

    Attributes:
        source: The private copy of the model.
        features: Transforms in front of it, or None.
        contract: The whole signature, raw columns included, and how to draw inputs.
        bare: The signature of the model alone.
        oracle: The float64 evaluation of the whole, or None.
        samples: The caller's inputs, the examples first.
        seed: Of everything drawn.
    """

    source: Source
    features: FittedFeatures | None
    contract: Contract
    bare: Signature
    oracle: Oracle | None
    samples: tuple[Arrays, ...]
    seed: int

    @property
    def signature(self) -> Signature:
        """What the bundle takes and gives."""
        return self.contract.signature

    def run(self, inputs: Arrays) -> Arrays:
        """The reference: features in NumPy, then the source model."""
        return self.source.run(_model_inputs(self.features, inputs))

    def model_inputs(self, given: object) -> Arrays:
        """The model's inputs from a batch in the form of the examples, features applied.

        Raises:
            SealaneError: As ``prepare``.
        """
        if self.features is not None:
            return self.features.transform(self.features.raw_inputs(given))
        names = [spec.name for spec in self.bare.inputs]
        parsed = parse_examples(given, None, names).arrays
        if sorted(parsed) != sorted(names):
            raise unsupported(f"a batch has inputs {list(parsed)}, the model {names}")
        return {
            spec.name: np.ascontiguousarray(parsed[spec.name], spec.dtype.numpy)
            for spec in self.bare.inputs
        }

    def probe(self) -> Arrays:
        """Model inputs for tracing, whose dynamic dims are above 1 and differ from each other."""
        sizes: dict[str, int] = {}
        for index, (name, size) in enumerate(self.contract.example_sizes().items()):
            wanted = max(size, 2) if name != self.contract.batch else 3
            chosen = self.contract.size(name, wanted + index)
            while chosen in sizes.values() and chosen < wanted + 8:
                chosen += 1
            sizes[name] = chosen
        return _model_inputs(self.features, self.contract.draw(sizes, self.seed))

    def golden(self, oracle: Oracle | None) -> Golden:
        """The golden cases, judged worth keeping against an oracle."""
        denormals = not self.source.flushes_denormals
        maker = GoldenMaker(self.contract, self.run, oracle, self.seed, denormals)
        return maker.make(self.samples)


def prepare(model: object, example_inputs: object, wanted: Wanted) -> Prepared:
    """Copy the model, run it on the examples and find its signature.

    Raises:
        SealaneError: ``EXPORT_UNSUPPORTED`` for a model or example that can not be exported;
            ``ENGINE_UNAVAILABLE`` when the framework's extra is missing; an INPUT_* code for raw
            columns that the features refuse.
    """
    source, names = adapt(model)
    if wanted.features is not None:
        return _with_features(source, names, example_inputs, wanted, wanted.features)
    examples = parse_examples(example_inputs, wanted.input_names, names)
    outputs = None if wanted.output_names is None else tuple(wanted.output_names)
    arrays = source.bind(examples, outputs)
    declared = Declared(wanted.dynamic, wanted.domains, wanted.symbols)
    specs = input_specs(arrays, declared)
    contract = infer_contract(specs, arrays, declared, source.run, wanted.seed)
    samples = [arrays, *(_alike(s, examples, arrays, names) for s in wanted.samples)]
    return Prepared(
        source, None, contract, contract.signature, source.oracle(), tuple(samples), wanted.seed
    )


def _with_features(
    source: Source, names: Sequence[str], given: object, wanted: Wanted, features: FittedFeatures
) -> Prepared:
    if wanted.dynamic is not None or wanted.domains or wanted.input_names is not None:
        raise unsupported(
            "features declare the bundle's inputs; dynamic, domains and input_names can not be "
            "given too"
        )
    raw: Arrays = features.raw_inputs(given)
    made = features.transform(raw)
    style = Style.KEYWORD if set(made) <= set(names) or len(made) > 1 else Style.POSITIONAL
    outputs = None if wanted.output_names is None else tuple(wanted.output_names)
    source.bind(Examples(made, style), outputs)

    def run(inputs: Arrays) -> Arrays:
        return source.run(_model_inputs(features, inputs))

    declared = Declared(symbols=wanted.symbols)
    contract = infer_contract(features.input_signature, raw, declared, run, wanted.seed)
    bare = Signature(features.output_signature, contract.signature.outputs)
    samples = (raw, *(features.raw_inputs(sample) for sample in wanted.samples))
    oracle = _before(source.oracle(), features)
    return Prepared(source, features, contract, bare, oracle, samples, wanted.seed)


def _before(oracle: Oracle | None, features: FittedFeatures) -> Oracle | None:
    """The oracle with the features in float64 in front of it."""
    if oracle is None:
        return None
    evaluate = oracle.run
    return Oracle(
        oracle.kind,
        oracle.version,
        lambda inputs: evaluate(features.transform(inputs, dtype=np.float64)),
    )


def _model_inputs(features: FittedFeatures | None, inputs: Arrays) -> Arrays:
    return inputs if features is None else features.transform(inputs)


def _alike(sample: object, examples: Examples, arrays: Arrays, names: Sequence[str]) -> Arrays:
    """A further sample with the examples' names and dtypes."""
    given_names = None if examples.style is Style.KEYWORD else list(arrays)
    parsed = parse_examples(sample, given_names, names).arrays
    if set(parsed) != set(arrays):
        raise unsupported(f"a golden sample has inputs {list(parsed)}, the examples {list(arrays)}")
    result: dict[str, Any] = {}
    for name, array in arrays.items():
        if parsed[name].ndim != array.ndim:
            raise unsupported(f"a golden sample's {name!r} has another rank than the example's")
        result[name] = parsed[name].astype(array.dtype)
    return result
