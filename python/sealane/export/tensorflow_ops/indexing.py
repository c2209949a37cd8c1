"""Operators that pick, place, sort and order elements."""

from __future__ import annotations

from sealane.export.tensorflow_ops.node import Node, Value, is_array, op


def _wrapped(node: Node, indices: Value, dim: Value) -> Value:
    """Indices counted from the front; negative ones count from the end."""
    tf = node.tf
    if is_array(indices) and (indices >= 0).all():
        return tf.constant(indices)
    indices = tf.convert_to_tensor(indices)
    return tf.where(indices < 0, indices + tf.cast(dim, indices.dtype), indices)


@op("Gather", 1, 11, 13)
def gather(node: Node, x: Value, indices: Value) -> Value:
    """Slices along ``axis``."""
    axis = node.axis(node.take("axis", 0), node.rank(x))
    return node.tf.gather(x, _wrapped(node, indices, node.shape(x)[axis]), axis=axis)


def _positions(node: Node, like: Value, indices: Value, axis: int) -> Value:
    """The full coordinates that indices along one axis stand for."""
    tf, rank = node.tf, node.rank(indices)
    dims = node.shape(indices)
    grid = [
        tf.reshape(tf.range(dims[i]), [-1 if i == j else 1 for j in range(rank)])
        for i in range(rank)
    ]
    wrapped = tf.cast(_wrapped(node, indices, node.shape(like)[axis]), tf.int64)
    grid[axis] = wrapped
    return tf.stack([tf.broadcast_to(part, dims) for part in grid], axis=-1)


@op("GatherElements", 11, 13)
def gather_elements(node: Node, x: Value, indices: Value) -> Value:
    """One element per index along ``axis``."""
    axis = node.axis(node.take("axis", 0), node.rank(x))
    return node.tf.gather_nd(x, _positions(node, x, indices, axis))


@op("ScatterElements", 11, 13, 16, 18)
def scatter_elements(node: Node, x: Value, indices: Value, updates: Value) -> Value:
    """One element replaced per index along ``axis``."""
    axis = node.axis(node.take("axis", 0), node.rank(x))
    scatter = _scatter(node)
    return scatter(x, _positions(node, x, indices, axis), updates)


def _scatter(node: Node) -> Value:
    tf = node.tf
    return {
        "none": tf.tensor_scatter_nd_update,
        "add": tf.tensor_scatter_nd_add,
        "max": tf.tensor_scatter_nd_max,
        "min": tf.tensor_scatter_nd_min,
    }[node.expect("reduction", "none", "add", "max", "min")]


@op("GatherND", 11, 12, 13)
def gather_nd(node: Node, x: Value, indices: Value) -> Value:
    """Slices by coordinates."""
    batch = node.take("batch_dims", 0)
    length = node.sizes(indices)[-1]
    if length is None:
        raise node.refuse("coordinates of unknown length")
    dims = node.shape(x)[batch : batch + length]
    return node.tf.gather_nd(x, _wrapped(node, indices, dims), batch_dims=batch)


@op("ScatterND", 11, 13, 16, 18)
def scatter_nd(node: Node, x: Value, indices: Value, updates: Value) -> Value:
    """Slices replaced by coordinates."""
    length = node.sizes(indices)[-1]
    if length is None:
        raise node.refuse("coordinates of unknown length")
    return _scatter(node)(x, _wrapped(node, indices, node.shape(x)[:length]), updates)


@op("OneHot", 9, 11)
def one_hot(node: Node, indices: Value, depth: Value, values: Value) -> Value:
    """``values[1]`` at each index along a new ``axis``, else ``values[0]``."""
    tf, rank = node.tf, node.rank(indices)
    axis = node.axis(node.take("axis", -1), rank + 1)
    count = tf.cast(tf.reshape(depth, []), tf.int64)
    whole = tf.cast(indices, tf.int64)
    whole = tf.where(whole < 0, whole + count, whole)
    positions = tf.reshape(tf.range(count), [-1 if i == axis else 1 for i in range(rank + 1)])
    return tf.where(tf.equal(tf.expand_dims(whole, axis), positions), values[1], values[0])


@op("NonZero", 9, 13)
def non_zero(node: Node, x: Value) -> Value:
    """The coordinates of elements that are not zero, ``[rank, found]``."""
    return node.tf.transpose(node.tf.where(node.tf.cast(x, node.tf.bool)))


@op("TopK", 11, 24)
def top_k(node: Node, x: Value, k: Value) -> tuple[Value, Value]:
    """The largest or smallest along ``axis``, sorted; of equal ones the first."""
    tf, rank = node.tf, node.rank(x)
    axis = node.axis(node.take("axis", -1), rank)
    largest = node.expect("largest", 1, 0)
    node.expect("sorted", 1, 0)
    if not largest and not tf.as_dtype(x.dtype).is_floating:
        raise node.refuse("largest = 0 on integers")
    order = [i for i in range(rank) if i != axis] + [axis]
    back = [order.index(i) for i in range(rank)]
    moved = tf.transpose(x, order)
    count = tf.cast(tf.reshape(k, []), tf.int32)
    values, places = tf.math.top_k(moved if largest else -moved, count)
    values = values if largest else -values
    return tf.transpose(values, back), tf.cast(tf.transpose(places, back), tf.int64)


@op("ArgMax", 1, 11, 12, 13)
def arg_max(node: Node, x: Value) -> Value:
    """Where the largest element is along ``axis``."""
    return _arg(node, x, node.tf.argmax)


@op("ArgMin", 1, 11, 12, 13)
def arg_min(node: Node, x: Value) -> Value:
    """Where the smallest element is along ``axis``."""
    return _arg(node, x, node.tf.argmin)


def _arg(node: Node, x: Value, pick: Value) -> Value:
    tf = node.tf
    axis = node.axis(node.take("axis", 0), node.rank(x))
    if node.expect("select_last_index", 0, 1):
        last = node.shape(x)[axis] - 1
        found = last - pick(tf.reverse(x, [axis]), axis, output_type=tf.int64)
    else:
        found = pick(x, axis, output_type=tf.int64)
    return tf.expand_dims(found, axis) if node.expect("keepdims", 1, 0) else found


@op("CumSum", 11, 14)
def cum_sum(node: Node, x: Value, axis: Value) -> Value:
    """Running sums along ``axis``."""
    along = node.axis(node.integers(axis, "axis")[0], node.rank(x))
    exclusive, reverse = (bool(node.expect(n, 0, 1)) for n in ("exclusive", "reverse"))
    return node.tf.cumsum(x, along, exclusive=exclusive, reverse=reverse)
