"""Jobs whose bundle and tables are in other systems: HDFS, PostgreSQL, Delta."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet
import pytest
from e2e.spark import systems
from e2e.spark.conftest import COLUMNS, INPUTS, MLP
from e2e.spark.submit import Job

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINES = ("jvm", "python")
DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.sql.shuffle.partitions": "2",
}


@pytest.fixture(scope="module")
def hdfs(tmp_path_factory) -> Iterator[systems.Hdfs]:
    with systems.hdfs(tmp_path_factory.mktemp("hdfs") / "cluster") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def postgres() -> Iterator[systems.Postgres]:
    with systems.postgres() as database:
        yield database


@pytest.mark.parametrize("engine", ENGINES)
def test_bundle_and_tables_on_hdfs(rows, hdfs, engine):
    bundle, source = hdfs.put(MLP, "/models/mlp"), hdfs.put(rows.path, "/rows")
    options = ["--bundle", bundle, "--input", source, "--output", f"{hdfs.uri}/{engine}"]
    summary = Job("batch_score.py", [*options, "--inputs", INPUTS, "--engine", engine]).run()
    said = summary.succeeded()
    assert said["rows"] == len(rows.scores)
    assert said["quarantined"] == {"INPUT_NULL": rows.bad}
    assert said["engine"] == f"{engine}:onnx"
    files = hdfs.files(f"/{engine}")
    assert "_SUCCESS" in files
    parts = [hdfs.get(f"/{engine}/{name}") for name in files if name.startswith("part-")]
    tables = [pa.parquet.read_table(io.BytesIO(each)) for each in parts]
    sink = io.BytesIO()
    pa.parquet.write_table(pa.concat_tables(tables), sink)
    rows.check_parquet(sink)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_database_as_source_and_sink(rows, postgres, engine):
    postgres.ask("CREATE TABLE IF NOT EXISTS rows (id bigint, a real, b real, c real, d real)")
    postgres.ask(f"TRUNCATE rows; INSERT INTO rows VALUES {_values(rows.columns)}")
    source = ["--format", "jdbc", "--jdbc-url", postgres.url, "--input-table", "rows"]
    account = ["--option", "user=tester", "--secret", "password=DATABASE_PASSWORD"]
    target = ["--output-table", f"scored_{engine}", "--quarantine-output", f"bad_{engine}"]
    model = ["--bundle", MLP, "--inputs", INPUTS, "--engine", engine]
    job = Job(
        "batch_score.py",
        [*source, *account, *target, *model],
        jars=systems.jars("postgresql"),
        env={"DATABASE_PASSWORD": postgres.password},
    )
    said = job.run().succeeded()
    assert said["quarantined"] == {"INPUT_NULL": rows.bad}
    assert postgres.password not in json.dumps(said)
    good = postgres.ask(f"SELECT id, array_to_json(score) FROM scored_{engine}")
    bad = postgres.ask(f"SELECT id FROM bad_{engine} WHERE score_error_code = 'INPUT_NULL'")
    scores = {int(i): json.loads(score) for i, score in (line.split("|") for line in good)}
    scores |= dict.fromkeys(map(int, bad))
    rows.check(list(scores), list(scores.values()))


def _values(table: pa.Table) -> str:
    return ",".join(
        "({})".format(",".join("NULL" if cell is None else repr(cell) for cell in row.values()))
        for row in table.select(["id", *COLUMNS]).to_pylist()
    )


def test_delta_as_source_and_sink(rows, tmp_path):
    """On Spark 3.5: the newest Delta, 4.4, does not run on Spark 4.3 (NoSuchMethodError).

    Each engine reads it and writes it, the one what the other wrote.
    """
    first, second, third = tmp_path / "first", tmp_path / "second", tmp_path / "third"
    _delta("jvm", ["--input", rows.path, "--output", first, "--output-format", "delta"])
    assert (first / "_delta_log" / "00000000000000000000.json").exists()
    delta = ["--format", "delta", "--input"]
    _delta("python", [*delta, first, "--output", second, "--into", "again"])
    said = _delta("jvm", [*delta, second, "--output", third, "--into", "last"])
    assert said["quarantined"] == {"INPUT_NULL": rows.bad}
    found = pa.parquet.read_table(third)  # its only version, which is all of its files
    for each in ("score", "again", "last"):
        rows.check(found["id"].to_pylist(), found[each].to_pylist())


def _delta(engine: str, tables: list[object]) -> dict[str, object]:
    model = ["--bundle", MLP, "--inputs", INPUTS, "--engine", engine]
    libraries = {"jars": systems.jars("delta"), "conf": DELTA, "spark": "3.5"}
    return Job("batch_score.py", [*tables, *model], **libraries).run().succeeded()
