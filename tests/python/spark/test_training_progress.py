"""What ranks tell the driver while they train."""

from __future__ import annotations

import socket
import time

from sealane.spark.training.telling import Progress, listening


def heard_within(heard, count):
    deadline = time.monotonic() + 20
    while len(heard) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    return heard


def test_ranks_are_heard():
    heard = []
    with listening("127.0.0.1", "127.0.0.1", heard.append) as door:
        for rank in (0, 1):
            with door.opened(rank) as tell:
                tell({"step": 3})
        heard_within(heard, 2)
    assert sorted(each["rank"] for each in heard) == [0, 1]
    assert all(each["step"] == 3 for each in heard)


def test_who_has_no_token_is_not_heard():
    heard = []
    with listening("127.0.0.1", "127.0.0.1", heard.append) as door:
        for words in (b"", b"guess\n{}\n", b"\xff" * 500):
            with socket.create_connection((door.host, door.port)) as connection:
                connection.sendall(words)
        with door.opened(1) as tell:
            tell({"step": 1})
        heard_within(heard, 1)
    assert [each["rank"] for each in heard] == [1]


def test_a_driver_that_can_not_be_reached_costs_nothing(capsys):
    with listening("127.0.0.1", "127.0.0.1", lambda _: None) as door:
        pass
    with door.opened(0) as tell:
        tell({"step": 1})
    assert "no progress" in capsys.readouterr().err


def test_an_address_that_can_not_be_listened_on(capsys):
    with listening("driver", "203.0.113.7", lambda _: None) as door:
        assert door is None
    assert "no progress will be told: 203.0.113.7" in capsys.readouterr().err


def test_lines_for_people(capsys):
    progress = Progress()
    progress.hear({"rank": 1, "in": 1, "step": 5, "steps": 10, "samplesPerSecond": 2000})
    progress.hear({"rank": 0, "in": 1, "step": 5, "steps": 10, "samplesPerSecond": 1000})
    told = {"loss": 0.25, "validationLoss": 0.5, "seconds": 1.0}
    for rank in (1, 0):
        progress.hear({"rank": rank, "epoch": 1, "of": 2, **told})
    progress.hear({"rank": 0, "epoch": 2, "of": 2, **told, "validationLoss": None})
    progress.hear({"rank": 0, "epoch": 3, "of": 3, **told, "validationAuc": 0.75})
    rates = "samples/s: rank 0 1,000, rank 1 2,000"
    assert capsys.readouterr().err.splitlines() == [
        f"epoch 1, step 5 of 10; {rates}",
        f"epoch 1 of 2: loss 0.2500, validation 0.5000; {rates}",
        f"epoch 2 of 2: loss 0.2500; {rates}",
        f"epoch 3 of 3: loss 0.2500, validation 0.5000, AUC 0.7500; {rates}",
    ]
