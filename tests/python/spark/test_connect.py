"""Scoring on Spark Connect: by the server's JVM, and by its Python workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pyspark
import pytest
from python.spark import echo
from python.spark.conftest import ROOT

from sealane.core import SealaneError
from sealane.runtime import open_session
from sealane.spark import connect
from sealane.spark.sparks import check_connect_version

LINE = int(pyspark.__version__.partition(".")[0])

SCRIPT = """
import json, sys, warnings
warnings.simplefilter("ignore")
from pyspark.sql import SparkSession, functions as f
import sealane.spark
from sealane.core import SealaneError

bundle, source, has_plugin = sys.argv[1], sys.argv[2], sys.argv[3] == "plugin"
conf = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "2",
}
if has_plugin:
    conf |= sealane.spark.jar_conf()
spark = SparkSession.builder.remote("local[2]").config(map=conf).getOrCreate()
df = spark.range(0, 20, 1, 2).select("id", f.array_repeat(f.col("id").cast("float"), 4).alias("x"))
df = df.withColumn("x", f.when(f.col("id") != 7, f.col("x")))
out = {}

def run(name, call):
    try:
        rows = call().orderBy("id").collect()
        found = [row.score_error.code if row.score is None else list(row.score) for row in rows]
        out[name] = found
    except SealaneError as error:
        out[name] = {"code": error.code, "message": error.message}

for engine in ("python", "jvm", "auto"):
    run(engine, lambda: sealane.spark.score(df, bundle, engine=engine))
run("twice", lambda: sealane.spark.score(df.where("id < 5"), bundle, engine="python"))
run("file", lambda: sealane.spark.score(df, "file:" + bundle, engine="python"))
run("remote", lambda: sealane.spark.score(df, "hdfs://nowhere/m", engine="python"))
for engine in ("python", "jvm"):
    run(f"missing {engine}", lambda: sealane.spark.score(df.drop("x"), bundle, engine=engine))
stream = spark.readStream.schema("id bigint").parquet(source)
rows = stream.select("id", f.array_repeat(f.col("id").cast("float"), 4).alias("x"))
run("shipped stream", lambda: sealane.spark.score(rows, bundle, engine="python"))
scored = sealane.spark.score(rows, "file:" + bundle, engine="python")
query = scored.writeStream.format("memory").queryName("q").start()
query.processAllAvailable()
query.stop()
run("stream", lambda: spark.table("q"))
print("FOUND", json.dumps(out))
spark.stop()
"""


def run(tmp_path, *arguments):
    script = tmp_path / "job.py"
    script.write_text(SCRIPT)
    environment = os.environ | {
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT / "python"),
    }
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=400,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    assert lines, (done.stdout + done.stderr)[-4000:]
    return json.loads(lines[0].removeprefix("FOUND "))


@pytest.mark.skipif(LINE < 4, reason="Spark 3.5's Connect is not supported")
@pytest.mark.parametrize("server", ["plugin", "plain"])
def test_a_server_scores(tmp_path, spark, server):
    bundle = echo.mlp(tmp_path / "m", 4, 2, seed=51)
    spark.range(5).write.parquet(str(tmp_path / "in"))
    found = run(tmp_path, str(bundle), str(tmp_path / "in"), server)
    x = np.repeat(np.arange(20, dtype=np.float32)[:, None], 4, axis=1)
    x = np.delete(x, 7, axis=0)
    with open_session(bundle) as session:
        parts = (x[:9], x[9:])
        want = np.concatenate([session.run({"x": part})["y"] for part in parts]).tolist()
    want.insert(7, "INPUT_NULL")
    assert found["python"] == found["auto"] == found["file"] == want
    assert found["twice"] == found["stream"] == want[:5]
    assert found["remote"]["code"] == "ENGINE_UNAVAILABLE"
    assert found["shipped stream"]["code"] == "ENGINE_UNAVAILABLE"
    assert found["missing python"]["code"] == "INPUT_MISSING"
    if server == "plugin":
        assert found["jvm"] == want
        assert found["missing jvm"]["code"] == "INPUT_MISSING"
        assert not found["missing jvm"]["message"].startswith("INPUT_MISSING")
    else:
        assert found["jvm"]["code"] == "ENGINE_UNAVAILABLE"
        assert connect.PLUGIN_CONF in found["jvm"]["message"]


@pytest.mark.skipif(LINE < 4, reason="Spark 3.5's Connect is not supported")
def test_the_message_is_what_the_server_reads():
    made = connect.score_message()(child=b"\x08\x01", options='{"into": "ä"}')
    want = b"\x0a\x02\x08\x01\x12\x0e" + '{"into": "ä"}'.encode()
    assert made.SerializeToString() == want


def test_connect_before_spark_4_is_refused():
    class Old:
        version = "3.5.9"

    class New:
        version = "4.0.1"

    check_connect_version(New())
    with pytest.raises(SealaneError) as caught:
        check_connect_version(Old())
    assert caught.value.code == "ENGINE_UNAVAILABLE"
    assert "3.5.9" in caught.value.message
