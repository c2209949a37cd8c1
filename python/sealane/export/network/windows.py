"""Pools and pads as networks have them, from the forms that PyTorch takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sealane.export.errors import unsupported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sealane.bundle.network import Attribute
    from sealane.export.network.builder import NetworkBuilder


def sizes(given: Any, spatial: int) -> tuple[int, ...]:
    """One number, or one for each dim, as one for each."""
    if isinstance(given, int):
        return (given,) * spatial
    values = tuple(int(each) for each in cast("Sequence[int]", given))
    return values * spatial if len(values) == 1 else values


def pads_of(padding: Any, kernel: Any, dilation: Any) -> tuple[int, ...]:
    """A convolution's ``padding`` as begins then ends; ``same`` puts the odd one at the end."""
    spatial = len(kernel)
    if padding == "valid":
        return (0,) * 2 * spatial
    if padding == "same":
        totals = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        begins = tuple(total // 2 for total in totals)
        ends = tuple(total - total // 2 for total in totals)
        return begins + ends
    return sizes(padding, spatial) * 2


def pool(
    builder: NetworkBuilder,
    name: str,
    op: str,
    value: str,
    window: tuple[Any, Any, Any],
    spatial: int,
    *,
    count_padding: bool | None,
) -> str:
    """A pool from kernel, stride (None for the kernel) and padding."""
    kernel, stride, padding = window
    sides = sizes(kernel, spatial)
    attributes: dict[str, Attribute] = {
        "kernel": sides,
        "strides": sides if stride is None or stride == [] else sizes(stride, spatial),
        "pads": sizes(padding, spatial) * 2,
    }
    if op == "average_pool":
        attributes["count_padding"] = bool(count_padding)
    return builder.add(name, op, [value], attributes)


def adaptive_pool(builder: NetworkBuilder, name: str, op: str, value: str, size: Any) -> str:
    """A pool over all of the spatial dims, which stay as dims of 1."""
    spatial = builder.rank(value) - 2
    wanted = (size,) * spatial if isinstance(size, int) or size is None else tuple(size)
    if set(wanted) != {1}:
        raise unsupported(
            f"a network can not hold {name}: adaptive pooling to {wanted}, only to 1", layer=name
        )
    pooled = builder.add(name, op, [value])
    channels = builder.fixed_dims(pooled, name)[0]
    return builder.reshape(f"{name}.dims", pooled, (channels, *[1] * spatial))
