"""The jobs on executors that are processes of their own.

`test_faults` has the batch job on Spark 4.3 there, and worse.
"""

from __future__ import annotations

import pytest
from e2e.spark.conftest import INPUTS, MLP
from e2e.spark.submit import CLUSTER, Job


@pytest.mark.parametrize("engine", ["jvm", "python"])
def test_a_path_of_the_driver_reaches_executors_of_the_older_spark(rows, tmp_path, engine):
    options = ["--bundle", MLP, "--input", rows.path, "--output", tmp_path / "out"]
    model = ["--inputs", INPUTS, "--engine", engine]
    said = Job("batch_score.py", [*options, *model], spark="3.5", master=CLUSTER).run().succeeded()
    assert said["rows"] == len(rows.scores)
    assert said["quarantined"] == {"INPUT_NULL": rows.bad}
    assert said["bundle"]["name"] == "mlp"
    assert said["versions"]["spark"].startswith("3.5")
    rows.check_parquet(tmp_path / "out")


@pytest.mark.parametrize("spark", ["4.3", "3.5"])
def test_both_engines_give_the_same(rows, spark):
    options = ["--bundle", MLP, "--input", rows.path, "--inputs", INPUTS, "--sample", "0.9"]
    said = Job("check_parity.py", options, spark=spark, master=CLUSTER).run().succeeded()
    assert said["ok"]
    assert said["codes_differ"] == {}
    assert 1500 < said["compared"] < said["rows"] < 2000
    assert said["outputs"]["scores"]["max_abs"] < 1e-6
