"""How bundles reach workers: paths, versions, archives, sessions that are shared."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from corpus.run import GOOD
from pyspark.sql import functions as f
from python.spark import echo
from python.spark.conftest import ROOT

import sealane.spark
from sealane.bundle import read_bundle
from sealane.core import ErrorCode, SealaneError
from sealane.runtime import open_session
from sealane.spark import python_engine
from sealane.spark.archive import archive_name, pack, unpack
from sealane.spark.location import Location
from sealane.spark.sessions import SessionCache, SessionKey
from sealane.spark.source import BundleSource, opened
from sealane.spark.versions import newest


@pytest.fixture
def frame(spark):
    return spark.range(0, 20, 1, 2).select(f.array_repeat(f.col("id").cast("float"), 4).alias("x"))


def scores(df, bundle, **options):
    rows = sealane.spark.score(df, bundle, engine="python", **options).collect()
    assert all(row.score_error is None for row in rows)
    return np.array([row.score for row in rows], np.float32)


def expected(bundle):
    x = np.repeat(np.arange(20, dtype=np.float32)[:, None], 4, axis=1)
    with open_session(bundle) as session:
        return np.concatenate([session.run({"x": part})["y"] for part in (x[:10], x[10:])])


def test_the_newest_version_of_a_folder_is_taken(frame, tmp_path):
    versions = {"a": "1.9.0", "b": "1.10.0", "c": "1.10.0-rc.1", "z": "1.2.3"}
    for seed, (folder, version) in enumerate(versions.items()):
        echo.mlp(tmp_path / "m" / folder, 4, 2, seed=seed, version=version)
    (tmp_path / "m" / "d").mkdir()
    (tmp_path / "m" / "e").mkdir()
    (tmp_path / "m" / "e" / "sealane.json").write_text("{")
    (tmp_path / "m" / "notes.txt").write_text("x")
    assert newest(tmp_path / "m") == tmp_path / "m" / "b"
    assert np.array_equal(scores(frame, tmp_path / "m"), expected(tmp_path / "m" / "b"))


@pytest.mark.parametrize("folder", ["absent", "empty"])
def test_nothing_is_there(frame, tmp_path, folder):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SealaneError) as caught:
        sealane.spark.score(frame, tmp_path / folder, engine="python")
    assert caught.value.code == "BUNDLE_NOT_FOUND"


def test_locations_are_paths_or_uris(tmp_path):
    assert Location.parse("models/m").path == Path.cwd() / "models/m"
    assert not Location.parse(str(tmp_path)).has_scheme
    for uri in (f"file:{tmp_path}", f"file://{tmp_path}"):
        assert Location.parse(uri).path == tmp_path
        assert Location.parse(uri).has_scheme
    assert Location.parse("s3a://models/m").path is None
    assert Location.parse(Path("a:b")).path == Path.cwd() / "a:b"
    assert Location.parse("./a:b").path == Path.cwd() / "a:b"


def test_a_file_uri(frame, tmp_path):
    bundle = echo.mlp(tmp_path / "m", 4, 2)
    assert np.array_equal(scores(frame, f"file:{bundle}"), expected(bundle))


def test_any_file_system_of_hadoop(spark, frame, tmp_path):
    hadoop = spark._jsc.hadoopConfiguration()
    hadoop.set("fs.viewfs.mounttable.models.link./all", f"file://{tmp_path}/all")
    for folder, seed in (("one", 1), ("two", 2)):
        echo.mlp(tmp_path / "all" / folder, 4, 2, seed=seed, version=f"{seed}.0.0")
    uri = "viewfs://models/all"
    assert np.array_equal(scores(frame, f"{uri}/one"), expected(tmp_path / "all" / "one"))
    assert np.array_equal(scores(frame, uri), expected(tmp_path / "all" / "two"))
    assert Location.parse(uri).kinds(spark) == {"onnx"}
    for absent in (f"{uri}/three", "viewfs://elsewhere/m", "nosuchscheme://m"):
        with pytest.raises(SealaneError) as caught:
            sealane.spark.score(frame, absent, engine="python")
        assert caught.value.code == "BUNDLE_NOT_FOUND", absent


def test_a_bundle_that_was_tampered_with_is_refused_before_a_job(frame, tmp_path):
    bundle = echo.mlp(tmp_path / "m", 4, 2)
    model = bundle / "1" / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"\0")
    with pytest.raises(SealaneError) as caught:
        sealane.spark.score(frame, bundle, engine="python")
    assert caught.value.code == "FILES_DIFFER"


def test_a_bundle_that_changes_afterwards_is_refused_by_workers(frame, tmp_path):
    bundle = echo.mlp(tmp_path / "m", 4, 2, seed=11)
    scored = sealane.spark.score(frame, bundle, engine="python")
    shutil.rmtree(bundle)
    echo.mlp(tmp_path / "m", 4, 2, seed=12)
    with pytest.raises(Exception, match="CONTENT_ID_MISMATCH: "):
        scored.collect()


def test_what_spark_ships(frame, tmp_path, monkeypatch):
    monkeypatch.setattr(python_engine, "is_local", lambda _: False)
    bundle = echo.mlp(tmp_path / "m", 4, 2, seed=21)
    want = expected(bundle)
    first = sealane.spark.score(frame, bundle, engine="python")
    second = sealane.spark.score(frame, bundle, engine="python", into="again")
    shutil.rmtree(bundle)
    assert np.array_equal(np.array([row.score for row in first.collect()], np.float32), want)
    assert np.array_equal(np.array([row.again for row in second.collect()], np.float32), want)


CLUSTER = """
import sys
import numpy as np
from pyspark.sql import SparkSession, functions as f
import sealane.spark
spark = (
    SparkSession.builder.master("local-cluster[1,1,512]")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.executor.memory", "512m")
    .getOrCreate()
)
df = spark.range(0, 20, 1, 2).select(f.array_repeat(f.col("id").cast("float"), 4).alias("x"))
scored = sealane.spark.score(df, sys.argv[1], engine="python")
rows = scored.collect()
print("SCORES", np.array([row.score for row in rows], np.float32).tobytes().hex())
"""


def test_a_cluster_gets_the_bundle_from_the_driver(tmp_path):
    import os

    import pyspark

    bundle = echo.mlp(tmp_path / "m", 4, 2, seed=31)
    script = tmp_path / "job.py"
    script.write_text(CLUSTER)
    environment = os.environ | {
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT / "python"),
        "SPARK_WORKER_DIR": str(tmp_path / "work"),
    }
    done = subprocess.run(
        [sys.executable, str(script), str(bundle)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("SCORES ")]
    assert lines, done.stderr[-3000:]
    assert bytes.fromhex(lines[0].split()[1]) == expected(bundle).tobytes()


def test_an_archive_gives_back_the_bundle(tmp_path):
    with read_bundle(GOOD / "external") as bundle:
        archive = tmp_path / archive_name(bundle)
        pack(bundle, archive)
        assert zipfile.ZipFile(archive).infolist()[0].compress_type == zipfile.ZIP_STORED
        (tmp_path / "out").mkdir()
        unpack(archive, tmp_path / "out")
        with read_bundle(tmp_path / "out") as same:
            assert same.digests == bundle.digests


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "a\\..\\evil"])
def test_archives_do_not_write_elsewhere(tmp_path, name):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(zipfile.ZipInfo(name), b"x")
    (tmp_path / "out").mkdir()
    with pytest.raises(SealaneError) as caught:
        unpack(archive, tmp_path / "out")
    assert caught.value.code == "PATH_UNSAFE"
    assert list((tmp_path / "out").iterdir()) == []


def test_an_archive_that_is_none(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(SealaneError) as caught:
        unpack(tmp_path / "a.zip", tmp_path)
    assert caught.value.code == "BUNDLE_NOT_FOUND"


class CountedSession:
    def __init__(self, log, name):
        self.log, self.name = log, name

    def close(self):
        self.log.append(self.name)


def key(name):
    return SessionKey(name, "m", "onnx", 1)


def test_sessions_are_shared_and_the_oldest_is_closed():
    closed, cache = [], SessionCache(2)
    for name in ("a", "b", "a", "c", "a", "d"):
        with cache.lease(key(name), lambda name=name: CountedSession(closed, name)):
            pass
    assert closed == ["b", "c"]
    assert key("a") in cache
    assert len(cache) == 2


def test_a_session_in_use_is_closed_when_its_last_user_is_done():
    closed, cache = [], SessionCache(1)
    with cache.lease(key("a"), lambda: CountedSession(closed, "a")):
        with cache.lease(key("b"), lambda: CountedSession(closed, "b")):
            with cache.lease(key("c"), lambda: CountedSession(closed, "c")):
                assert closed == []
            assert closed == []
        assert closed == ["b"]
    assert closed == ["b", "a"]


def test_threads_share_one_session():
    opened_by, cache, gate = [], SessionCache(), threading.Barrier(4)

    def opening():
        opened_by.append(threading.get_ident())
        return CountedSession([], "a")

    def work():
        gate.wait(10)
        with cache.lease(key("a"), opening):
            pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(10)
    assert len(opened_by) == 1


def test_a_session_that_can_not_be_opened_is_tried_again():
    cache = SessionCache()

    def failing():
        raise SealaneError(ErrorCode.ENGINE_LOAD_FAILED, "no")

    for _ in range(2):
        with pytest.raises(SealaneError), cache.lease(key("a"), failing):
            pass
    assert key("a") not in cache


def source_of(bundle, **changes):
    with read_bundle(bundle) as read:
        given = {
            "content_id": read.manifest.content_id,
            "manifest": read.digests["sealane.json"],
            "signature": read.signature,
            "engine": "onnx",
            "folder": str(bundle),
            "shipped": None,
        }
    return BundleSource(**{**given, **changes})


def test_sessions_of_tasks_use_the_cores_of_a_task_and_do_not_spin(tmp_path):
    source = source_of(echo.mlp(tmp_path / "m", 4, 2))
    assert pickle.loads(pickle.dumps(source)) == source
    with opened(source, 2) as session, opened(source, 2) as again:
        assert session is again
        assert session.options["intraOpThreads"] == 2
        assert session.options["spinning"] is False


def test_golden_cases_are_replayed_when_a_worker_opens(tmp_path):
    bundle = echo.mlp(tmp_path / "m", 4, 2, seed=41)
    wrong = echo.mlp(tmp_path / "w", 4, 2, seed=42)
    golden = next((wrong / "golden").iterdir()).name
    shutil.copy(wrong / "golden" / golden, bundle / "golden" / golden)
    relist(bundle)
    with pytest.raises(SealaneError) as caught, opened(source_of(bundle), 1):
        pass
    assert caught.value.code == "PARITY_FAILED"


def test_a_newer_bundle_takes_over_and_a_bad_one_does_not(tmp_path):
    place = tmp_path / "m"
    old = echo.mlp(place / "1", 4, 2, seed=1, version="1.0.0")
    source = source_of(old, location=str(place))

    def used():
        with opened(source, 1) as session:
            return session.run({"x": np.ones((1, 4), np.float32)})["y"].tobytes()

    first = used()
    new = echo.mlp(place / "2", 4, 2, seed=2, version="2.0.0")
    second = used()
    assert second != first
    model = new / "1" / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"\0")
    (new / "sealane.json").touch()
    assert used() == second
    shutil.rmtree(new)
    echo.mlp(place / "3", 4, 3, seed=3, version="3.0.0")
    assert used() == first
    shutil.rmtree(place)
    assert used() == first


def test_processes_that_saw_nothing_before_agree_on_the_bundle(tmp_path):
    """Each folder of versions is new to this process, as all are to a worker that just began."""
    x = np.ones((1, 4), np.float32)

    def versions(name):
        place = tmp_path / name
        bundles = {
            "old": echo.mlp(place / "1", 4, 2, seed=51, version="1.0.0"),
            "new": echo.mlp(place / "2", 4, 2, seed=52, version="1.1.0"),
            "other": echo.mlp(place / "3", 4, 3, seed=53, version="2.0.0"),
        }
        broken = echo.mlp(place / "4", 4, 2, seed=54, version="3.0.0")
        (broken / "1" / "model.onnx").write_bytes(b"no model")
        return place, bundles

    def score(bundle, place):
        with opened(source_of(bundle, location=str(place)), 1) as session:
            return session.run({"x": x})["y"].tolist()

    def direct(bundle):
        with open_session(bundle) as session:
            return session.run({"x": x})["y"].tolist()

    for name, began in (("one", "old"), ("two", "new"), ("three", "old")):
        place, bundles = versions(name)
        assert score(bundles[began], place) == direct(bundles["new"])
        # A stream of another signature looks at the same folder.
        assert score(bundles["other"], place) == direct(bundles["other"])
        assert score(bundles[began], place) == direct(bundles["new"])


def relist(bundle):
    """Writes the file list and the content id anew."""
    from corpus.run import _STEPS

    _STEPS["relist"](bundle)
    json.loads((bundle / "sealane.json").read_text())
