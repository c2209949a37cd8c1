"""The declaration of a table's features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sealane.core import ErrorCode, SealaneError, TensorSpec
from sealane.features.declare import Chain, Flow, Transform
from sealane.features.fitted import FittedFeatures, Group
from sealane.features.learn import fit_chain
from sealane.features.program import FittedChain

Declared = Transform | Chain | Iterable[Transform | Chain]


class Features:
    """Transforms of a table's columns, declared once. Immutable.

    Numbers are put side by side in one FP32 output ``numeric`` ``[batch, n]``; each category is an
    INT64 output ``[batch]`` of its own name.

    Example:
        >>> from sealane.features import Bucketize, Features, Impute, Log1p, Lookup, Normalize
        >>> features = Features({
        ...     "carrier": Lookup(),
        ...     "distance": Log1p() | Normalize(),
        ...     "delay": Impute("median") | Bucketize([0, 15, 60]),
        ... })
        >>> fitted = features.fit({
        ...     "carrier": ["UA", "AA", None, "UA"],
        ...     "distance": [1400.0, 733.0, 95.0, 2475.0],
        ...     "delay": [2.0, float("nan"), 44.0, -3.0],
        ... })
        >>> rows = {"carrier": ["AA", "??"], "distance": [0.0, 1.0], "delay": [61.0, 0.0]}
        >>> fitted.transform(rows)["carrier"]
        array([2, 1])
    """

    def __init__(
        self,
        columns: Mapping[str, Declared],
        *,
        groups: Mapping[str, Iterable[str]] | None = None,
        numeric: str = "numeric",
    ) -> None:
        """Declares features.

        Args:
            columns: Per feature its chain of transforms, in order. The feature's name is its raw
                column's, unless the chain starts with ``Column(name)``.
            groups: Outputs that hold several features side by side, all numbers or all categories:
                output name → names of the features. The others stay in their default output.
            numeric: The name of the output of all numbers not in ``groups``.

        Raises:
            SealaneError: EXPORT_UNSUPPORTED when nothing is declared or a name is unusable.
        """
        if not columns:
            raise _wrong("Features({}) declares nothing", "Declare at least one column")
        self._chains = {str(name): Chain.of(declared) for name, declared in columns.items()}
        self._groups = {name: tuple(members) for name, members in (groups or {}).items()}
        self._numeric = numeric
        for name in (*self._chains, *self._groups, numeric):
            if not 1 <= len(name) <= 256 or any(ord(char) < 32 for char in name):
                raise _wrong(f"The name {name!r}", "Use 1 to 256 printable characters")

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns that are read, each once, in order of declaration."""
        named = (chain.column or name for name, chain in self._chains.items())
        return tuple(dict.fromkeys(named))

    def fit(self, data: object) -> FittedFeatures:
        """Learns from a training table.

        Args:
            data: A DataFrame or a dict of columns ``[rows]``. Further columns are ignored.

        Returns:
            The fitted program.

        Raises:
            SealaneError: INPUT_MISSING for an unknown column, INPUT_DTYPE for strings where numbers
                are needed and the like, INPUT_NULL for missing values without `Impute`,
                INPUT_DOMAIN for columns of missing values only, infinite values, empty
                vocabularies or values without a logarithm, EXPORT_UNSUPPORTED for a chain whose
                parts do not fit together.
        """
        specs: dict[str, TensorSpec] = {}
        chains, flows = list[FittedChain](), list[Flow]()
        for name, chain in self._chains.items():
            fitted, spec, made = fit_chain(name, chain, data)
            chains.append(fitted)
            flows += made
            specs[spec.name] = _merge(specs.get(spec.name), spec)
        return FittedFeatures(tuple(specs.values()), tuple(chains), self._make_groups(flows))

    def _make_groups(self, flows: list[Flow]) -> tuple[Group, ...]:
        by_name = {flow.name: flow for flow in flows}
        if len(by_name) != len(flows):
            names = [flow.name for flow in flows]
            twice = next(name for name in names if names.count(name) > 1)
            raise _wrong(f"Two features are named {twice!r}", "Rename one with Column()")
        grouped = [name for members in self._groups.values() for name in members]
        for name in grouped:
            if name not in by_name or grouped.count(name) > 1:
                raise _wrong(f"Feature {name!r} in groups", "List each known feature at most once")
        rest = [flow for flow in flows if flow.name not in grouped]
        numbers = [flow for flow in rest if flow.kind == "number"]
        made = [_group(self._numeric, numbers, single=False)] if numbers else []
        for name, members in self._groups.items():
            made.append(_group(name, [by_name[member] for member in members], single=False))
        made += [_group(flow.name, [flow], single=True) for flow in rest if flow.kind == "category"]
        names = [group.name for group in made]
        if len(set(names)) != len(names):
            raise _wrong(f"Two outputs share a name in {names}", "Rename a group")
        return tuple(made)


def _group(name: str, flows: list[Flow], *, single: bool) -> Group:
    kinds = {flow.kind for flow in flows}
    if len(kinds) != 1:
        raise _wrong(f"Group {name!r} mixes numbers and categories or is empty", "Split it")
    return Group(
        name,
        tuple(flow.name for flow in flows),
        tuple(flow.width for flow in flows),
        tuple(flow.cardinality for flow in flows if flow.cardinality is not None),
        single,
    )


def _merge(first: TensorSpec | None, second: TensorSpec) -> TensorSpec:
    """The spec of a column that two chains read: what both accept."""
    if first is None or first.domain is None or second.domain is None:
        return second
    a, b = first.domain, second.domain
    lows = [low for low in (a.minimum, b.minimum) if low is not None]
    highs = [high for high in (a.maximum, b.maximum) if high is not None]
    domain = replace(
        a,
        nullable=a.nullable and b.nullable,
        minimum=max(lows) if lows else None,
        maximum=min(highs) if highs else None,
        vocabulary=a.vocabulary if a.vocabulary == b.vocabulary else None,
    )
    return replace(first, domain=domain)


def _wrong(what: str, advice: str) -> SealaneError:
    return SealaneError(ErrorCode.EXPORT_UNSUPPORTED, f"{what}. {advice}.")
