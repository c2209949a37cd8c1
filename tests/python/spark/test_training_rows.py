"""What ranks read: lanes on disk, batches in order, checkpoints; no Spark is needed for it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from sealane.core import SealaneError
from sealane.features import Features, Impute, Lookup, Normalize
from sealane.spark.training.gang import fingerprint_of, run_digest, steps_of
from sealane.spark.training.preparation import Preparation
from sealane.spark.training.run_folder import RunFolder
from sealane.training.distributed.checkpoints import KEPT, Checkpoint, CheckpointFolder, Cursor
from sealane.training.distributed.config import TrainConfig
from sealane.training.distributed.lanes import BLOCK_ROWS, LaneFile, part_path, write_lane
from sealane.training.distributed.reading import RankRows


def config(**changes):
    given = {"name": "m", "path": "m", "target": "y", "validation": 0.0, "batch_size": 64}
    return TrainConfig(**{**given, **changes})


def batches(rows, size, first=0):
    """Rows that tell their number, in batches of a size."""
    for start in range(first, first + rows, size):
        ids = np.arange(start, min(start + size, first + rows))
        yield {"x": np.stack([ids, -ids], 1).astype(np.float32), "b": ids % 2 == 0}, ids


def lay(folder, lanes, rows, size=1000, validation=0.0):
    return [
        write_lane(folder, lane, batches(rows, size, lane * rows), validation, 0)
        for lane in range(lanes)
    ]


@pytest.mark.parametrize("size", [1, 777, 8192, 50_000])
def test_a_lane_holds_the_rows_whatever_the_batches_were(tmp_path, size):
    rows = 2 * BLOCK_ROWS + 5
    lane = write_lane(tmp_path, 3, batches(rows, size), 0.0, 0)
    assert (lane.number, lane.train, lane.validation) == (3, rows, 0)
    again = tmp_path / "again"
    again.mkdir()
    assert write_lane(again, 3, batches(rows, 999), 0.0, 0).digest == lane.digest
    file = LaneFile(part_path(tmp_path, 3, "train"))
    assert file.blocks == [BLOCK_ROWS, BLOCK_ROWS, 5]
    blocks = [file.block(index) for index in range(3)]
    ids = np.concatenate([block["target"] for block in blocks])
    assert np.array_equal(ids, np.arange(rows))
    assert np.array_equal(np.concatenate([b["/x"] for b in blocks])[:, 1], -ids.astype(np.float32))
    assert np.array_equal(np.concatenate([b["/b"] for b in blocks]), ids % 2 == 0)
    assert sorted(path.name for path in tmp_path.glob("lane*")) == [
        "lane-00003.train.arrow",
        "lane-00003.validation.arrow",
    ]


def test_rows_are_held_back_by_chance_and_by_seed(tmp_path):
    lane = write_lane(tmp_path, 0, batches(10_000, 100), 0.25, 1)
    assert lane.train + lane.validation == 10_000
    assert abs(lane.validation - 2500) < 200
    train, held = (
        np.concatenate([file.block(index)["target"] for index in range(len(file.blocks))])
        for file in (LaneFile(part_path(tmp_path, 0, part)) for part in ("train", "validation"))
    )
    assert np.array_equal(np.sort(np.concatenate([train, held])), np.arange(10_000))
    other = write_lane(tmp_path, 0, batches(10_000, 100), 0.25, 2)
    assert other.digest != lane.digest


def test_a_lane_without_rows(tmp_path):
    lane = write_lane(tmp_path, 0, iter(()), 0.1, 0)
    assert (lane.train, lane.validation) == (0, 0)
    with pytest.raises(SealaneError) as caught:
        steps_of([lane], config(ranks=1))
    assert caught.value.code == "INPUT_SHAPE"


def test_a_failure_leaves_no_lane(tmp_path):
    def failing():
        yield next(batches(10, 10))
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        write_lane(tmp_path, 0, failing(), 0.0, 0)
    assert list(tmp_path.iterdir()) == []


def test_an_epoch_has_each_row_once_in_an_order_of_its_own(tmp_path):
    lay(tmp_path, 1, 20_000)
    rows = RankRows(tmp_path, config(ranks=1, shuffle_rows=10_000), 0, 20_000 // 64)
    epochs = [np.concatenate([batch.target for batch in rows.epoch(epoch)]) for epoch in (0, 1, 0)]
    for ids in epochs:
        assert len(ids) == 20_000 // 64 * 64
        assert len(np.unique(ids)) == len(ids)
        assert abs(np.corrcoef(ids[:-1], ids[1:])[0, 1]) < 0.9
    assert not np.array_equal(epochs[0], epochs[1])
    assert np.array_equal(epochs[0], epochs[2])


@pytest.mark.parametrize("start", [1, 100, 155, 311])
def test_an_epoch_can_be_gone_on_with_at_any_step(tmp_path, start):
    lay(tmp_path, 1, 20_000)
    rows = RankRows(tmp_path, config(ranks=1, shuffle_rows=9000), 0, 312)
    whole = [batch.target for batch in rows.epoch(2)]
    rest = [batch.target for batch in rows.epoch(2, start)]
    assert len(whole) == 312
    assert np.array_equal(np.concatenate(whole[start:]), np.concatenate(rest))


def test_a_step_has_the_same_rows_by_however_many_ranks(tmp_path):
    lay(tmp_path, 4, 3000)

    def steps(ranks):
        settings = config(ranks=ranks, batch_size=256 // ranks, lanes=4, shared="s")
        readers = [RankRows(tmp_path, settings, rank, 40).epoch(1) for rank in range(ranks)]
        return [
            np.concatenate([batch.target for batch in step]) for step in zip(*readers, strict=True)
        ]

    one, two, four = steps(1), steps(2), steps(4)
    for each in (two, four):
        assert all(np.array_equal(a, b) for a, b in zip(one, each, strict=True))


def test_steps_are_those_of_the_shortest_lane(tmp_path):
    lanes = lay(tmp_path, 2, 1000)
    short = write_lane(tmp_path, 2, batches(130, 50), 0.0, 0)
    assert steps_of(lanes, config(ranks=2)) == 15
    assert steps_of([*lanes, short], config(ranks=3)) == 2
    with pytest.raises(SealaneError, match="lane 2 of 3 has 130 rows"):
        steps_of([*lanes, short], config(ranks=3, batch_size=131))
    assert fingerprint_of(lanes) != fingerprint_of([*lanes, short])


@pytest.mark.parametrize(
    "change",
    [
        {"ranks": 0}, {"epochs": 0}, {"batch_size": 0}, {"lr": 0.0}, {"lr": float("nan")},
        {"weight_decay": -1.0}, {"seed": -1}, {"validation": 1.0}, {"patience": 0}, {"threads": 0},
        {"lanes": 3, "shared": "s"}, {"batch_size": 3, "lanes": 4, "shared": "s"}, {"lanes": 4},
        {"loss": "hinge"}, {"optimizer": "lion"}, {"precision": "half"}, {"resume": True},
        {"checkpoint_steps": 0}, {"stall_seconds": 0}, {"slot_seconds": -1},
    ],
)  # fmt: skip
def test_settings_that_can_not_train(change):
    with pytest.raises(SealaneError) as caught:
        config(**change)
    assert caught.value.code == "INPUT_DOMAIN"
    assert caught.value.details["setting"] in change


def test_checkpoints_are_whole_or_not_there(tmp_path):
    store = CheckpointFolder(tmp_path / "c")
    assert store.newest() is None
    cursor = Cursor(1, 7, 0.5, [{"loss": 1.0, "validationLoss": None, "seconds": 2.0}], 0)
    kept = Checkpoint("run", cursor, b"state", b"")
    for number in (5, 100, 20):
        store.write(kept, number)
    assert len(list((tmp_path / "c").iterdir())) == KEPT
    newest = store.newest()
    assert newest is not None
    assert newest.name == "step-000000000100.checkpoint"
    assert store.read(newest, "run") == kept
    with pytest.raises(SealaneError, match="of another run"):
        store.read(newest, "other")
    newest.write_bytes(newest.read_bytes()[:-1])
    with pytest.raises(SealaneError, match="cut off") as caught:
        store.read(newest, "run")
    assert caught.value.code == "ARTIFACT_INVALID"


def test_a_run_is_gone_on_with_for_the_same_columns_only(tmp_path):
    settings = config(shared=str(tmp_path), resume=True)
    begun = RunFolder(settings, ["a", "b"])
    lanes = tuple(lay(begun.rows(), 2, 100))
    assert begun.found() is None
    begun.keep(None, lanes)
    assert RunFolder(settings, ["a", "b"]).found() == (None, lanes)
    reseeded = config(shared=str(tmp_path), resume=True, seed=1)
    for other in (RunFolder(settings, ["a"]), RunFolder(reseeded, ["a", "b"])):
        with pytest.raises(SealaneError) as caught:
            other.found()
        assert caught.value.code == "ARTIFACT_INVALID"
    with pytest.raises(SealaneError) as caught:
        RunFolder(config(shared=str(tmp_path)), ["a", "b"])
    assert caught.value.code == "BUNDLE_EXISTS"


def test_a_run_is_told_by_what_makes_its_result():
    digest = run_digest(config(ranks=2, batch_size=32), "f")
    assert run_digest(config(ranks=1, batch_size=64, lanes=2, shared="s"), "f") == digest
    assert run_digest(config(ranks=2, batch_size=32, epochs=9), "f") == digest
    for change in ({"lr": 0.5}, {"seed": 3}, {"optimizer": "sgd"}):
        assert run_digest(config(ranks=2, batch_size=32, **change), "f") != digest
    assert run_digest(config(ranks=2, batch_size=32), "g") != digest


def prepared(table, *, inputs=("x",), features=None, loss="binary"):
    [batch] = pa.table(table).to_batches()
    return Preparation(features, inputs, "y", loss).arrays(batch)


def test_columns_become_arrays():
    columns, target = prepared({"x": pa.array([[1.0, 2.0], [3.0, 4.0]]), "y": [True, False]})
    assert columns["x"].dtype == np.float32
    assert columns["x"].tolist() == [[1, 2], [3, 4]]
    assert target.tolist() == [1, 0]
    columns, target = prepared({"x": [1, 2], "y": [0.25, 1.0]})
    assert (columns["x"].dtype, target.dtype) == (np.int64, np.float32)


@pytest.mark.parametrize(
    ("table", "loss", "code"),
    [
        ({"x": [1.0, 2.0], "y": [1, None]}, "binary", "INPUT_NULL"),
        ({"x": [1.0, None], "y": [1, 0]}, "binary", "INPUT_NULL"),
        ({"x": [[1.0, None], [1.0, 2.0]], "y": [1, 0]}, "binary", "INPUT_NULL"),
        ({"x": [[1.0], [1.0, 2.0]], "y": [1, 0]}, "binary", "INPUT_RAGGED"),
        ({"x": ["a", "b"], "y": [1, 0]}, "binary", "INPUT_DTYPE"),
        ({"x": [1.0, 2.0], "y": ["late", "no"]}, "binary", "INPUT_DTYPE"),
        ({"x": [1.0, 2.0], "y": [1, 2]}, "binary", "INPUT_DOMAIN"),
        ({"x": [1.0, 2.0], "y": [0, -1]}, "categories", "INPUT_DOMAIN"),
        ({"x": [1.0, 2.0], "y": [0.5, float("nan")]}, "squared", "INPUT_DOMAIN"),
    ],
)
def test_columns_that_can_not_be_trained_on(table, loss, code):
    with pytest.raises(SealaneError) as caught:
        prepared(table, loss=loss)
    assert caught.value.code == code


def test_raw_columns_go_through_features():
    table = {"city": ["Oslo", None, "Rome"], "km": [1.0, None, 3.0], "y": [1, 0, 1]}
    features = Features({"city": Lookup(), "km": Impute() | Normalize()})
    assert features.columns == ("city", "km")
    fitted = features.fit({"city": ["Oslo", "Rome", None], "km": [1.0, 3.0, float("nan")]})
    columns, target = prepared(table, inputs=(), features=fitted)
    want = fitted.transform({"city": ["Oslo", None, "Rome"], "km": [1.0, float("nan"), 3.0]})
    assert {name: value.tolist() for name, value in columns.items()} == {
        name: value.tolist() for name, value in want.items()
    }
    assert target.tolist() == [1, 0, 1]
