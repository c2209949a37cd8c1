"""GRU, LSTM and RNN as loops over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sealane.export.tensorflow_ops.node import Node, Value, op

if TYPE_CHECKING:
    from collections.abc import Callable

State = tuple[Value, ...]


def _directions(node: Node) -> list[bool]:
    """Per direction whether it runs backwards."""
    return {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[
        node.expect("direction", "forward", "reverse", "bidirectional")
    ]


def _common(node: Node, lengths: Value, activations: tuple[str, ...]) -> list[bool]:
    """Takes the attributes that all three share.

    Raises:
        SealaneError: EXPORT_UNSUPPORTED for lengths per sample, clipping, other activations or
            batch-first layout.
    """
    directions = _directions(node)
    node.take("hidden_size")
    node.expect("layout", 0)
    if node.take("clip") is not None:
        raise node.refuse("clip")
    if lengths is not None:
        raise node.refuse("sequence_lens")
    names: list[bytes] = node.take("activations") or []
    given = [name.decode().capitalize() for name in names]
    if given and given != list(activations) * len(directions):
        raise node.refuse(f"activations {given}")
    for name in ("activation_alpha", "activation_beta"):
        if node.take(name):
            raise node.refuse(name)
    return directions


def _scan(
    node: Node, x: Value, start: State, step: Callable[[Value, State], State], *, backwards: bool
) -> tuple[Value, State]:
    """Runs a cell over ``[time, batch, …]``; gives ``[time, batch, hidden]`` and the last state."""
    tf = node.tf
    count = tf.shape(x)[0]
    written = tf.TensorArray(x.dtype, size=count, element_shape=start[0].shape)

    def body(i: Any, outputs: Any, *state: Value) -> tuple[Any, ...]:
        place = count - 1 - i if backwards else i
        after = step(tf.gather(x, place), state)
        return (i + 1, outputs.write(place, after[0]), *after)

    def goes_on(i: Any, *_: Any) -> Any:
        return i < count

    _, outputs, *last = tf.while_loop(goes_on, body, (tf.constant(0), written, *start))
    return outputs.stack(), tuple(last)


def _start(node: Node, x: Value, given: Value, direction: int, hidden: int) -> Value:
    if given is not None:
        return node.tf.convert_to_tensor(given)[direction]
    return node.tf.zeros(node.tf.stack([node.tf.shape(x)[1], hidden]), x.dtype)


def _run(
    node: Node,
    x: Value,
    states: tuple[Value, ...],
    directions: list[bool],
    cell: Callable[[int], Callable[[Value, State], State]],
    hidden: int,
) -> tuple[Value, ...]:
    """All directions: ``Y`` ``[time, directions, batch, hidden]`` and the last states."""
    tf = node.tf
    sequences: list[Value] = []
    finals: list[State] = []
    for direction, backwards in enumerate(directions):
        start = tuple(_start(node, x, state, direction, hidden) for state in states)
        start = tuple(tf.ensure_shape(state, [x.shape[1], hidden]) for state in start)
        outputs, last = _scan(node, x, start, cell(direction), backwards=backwards)
        sequences.append(outputs)
        finals.append(last)
    ends = [tf.stack([final[i] for final in finals]) for i in range(len(states))]
    return (tf.stack(sequences, axis=1), *ends)


def _hidden(node: Node, recurrence: Value) -> int:
    hidden = node.sizes(recurrence)[2]
    if hidden is None:
        raise node.refuse("a hidden size that is unknown")
    return hidden


def _biases(
    node: Node, bias: Value, direction: int, gates: int, hidden: int
) -> tuple[Value, Value]:
    tf = node.tf
    if bias is None:
        return 0.0, 0.0
    return tuple(tf.split(tf.convert_to_tensor(bias)[direction], [gates * hidden] * 2))


@op("LSTM", 7, 14, 22)
def lstm(
    node: Node, x: Value, weight: Value, recurrence: Value, bias: Value = None,
    lengths: Value = None, h: Value = None, c: Value = None, peepholes: Value = None,
) -> tuple[Value, ...]:  # fmt: skip
    """Gates in the order input, output, forget, cell."""
    tf = node.tf
    directions = _common(node, lengths, ("Sigmoid", "Tanh", "Tanh"))
    node.expect("input_forget", 0)
    if peepholes is not None:
        raise node.refuse("peepholes")
    hidden = _hidden(node, recurrence)
    x = tf.convert_to_tensor(x)

    def cell(direction: int) -> Callable[[Value, State], State]:
        w, r = (tf.convert_to_tensor(value)[direction] for value in (weight, recurrence))
        first, second = _biases(node, bias, direction, 4, hidden)

        def step(at: Value, state: State) -> State:
            gates = tf.matmul(at, w, transpose_b=True) + tf.matmul(state[0], r, transpose_b=True)
            i, o, f, g = tf.split(gates + first + second, 4, axis=1)
            after = tf.sigmoid(f) * state[1] + tf.sigmoid(i) * tf.tanh(g)
            return tf.sigmoid(o) * tf.tanh(after), after

        return step

    return _run(node, x, (h, c), directions, cell, hidden)


@op("GRU", 7, 14, 22)
def gru(
    node: Node, x: Value, weight: Value, recurrence: Value, bias: Value = None,
    lengths: Value = None, h: Value = None,
) -> tuple[Value, ...]:  # fmt: skip
    """Gates in the order update, reset, hidden."""
    tf = node.tf
    directions = _common(node, lengths, ("Sigmoid", "Tanh"))
    reset_after = bool(node.expect("linear_before_reset", 0, 1))
    hidden = _hidden(node, recurrence)
    x = tf.convert_to_tensor(x)

    def cell(direction: int) -> Callable[[Value, State], State]:
        w, r = (tf.convert_to_tensor(value)[direction] for value in (weight, recurrence))
        first, second = _biases(node, bias, direction, 3, hidden)
        second = tf.zeros([3 * hidden], x.dtype) + second
        both, own = r[: 2 * hidden], r[2 * hidden :]

        def step(at: Value, state: State) -> State:
            (before,) = state
            inputs = tf.matmul(at, w, transpose_b=True) + first
            gates = tf.matmul(before, both, transpose_b=True) + second[: 2 * hidden]
            z, reset = tf.split(tf.sigmoid(inputs[:, : 2 * hidden] + gates), 2, axis=1)
            if reset_after:
                inner = tf.matmul(before, own, transpose_b=True) + second[2 * hidden :]
                inner = reset * inner
            else:
                inner = tf.matmul(reset * before, own, transpose_b=True) + second[2 * hidden :]
            made = tf.tanh(inputs[:, 2 * hidden :] + inner)
            return ((1.0 - z) * made + z * before,)

        return step

    return _run(node, x, (h,), directions, cell, hidden)


@op("RNN", 7, 14, 22)
def rnn(
    node: Node, x: Value, weight: Value, recurrence: Value, bias: Value = None,
    lengths: Value = None, h: Value = None,
) -> tuple[Value, ...]:  # fmt: skip
    """The plain cell with tanh."""
    tf = node.tf
    directions = _common(node, lengths, ("Tanh",))
    hidden = _hidden(node, recurrence)
    x = tf.convert_to_tensor(x)

    def cell(direction: int) -> Callable[[Value, State], State]:
        w, r = (tf.convert_to_tensor(value)[direction] for value in (weight, recurrence))
        first, second = _biases(node, bias, direction, 1, hidden)

        def step(at: Value, state: State) -> State:
            sums = tf.matmul(at, w, transpose_b=True) + tf.matmul(state[0], r, transpose_b=True)
            return (tf.tanh(sums + first + second),)

        return step

    return _run(node, x, (h,), directions, cell, hidden)
