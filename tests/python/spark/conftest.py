"""One Spark session of this process, on either Spark line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def pytest_configure(config):
    """PySpark 3.5 uses what Python 3.12 does not have any more, and leaves sockets to be found."""
    for warning in (
        "The distutils package is deprecated:DeprecationWarning",
        "distutils Version classes:DeprecationWarning",
        "unclosed <socket:ResourceWarning",
    ):
        config.addinivalue_line("filterwarnings", f"ignore:{warning}")


@pytest.fixture(scope="package")
def spark():
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ["PYSPARK_PYTHON"] = sys.executable
    paths = [str(ROOT / "python"), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    from pyspark.sql import SparkSession

    from sealane.spark import jar_conf

    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.memory", "1g")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.showConsoleProgress", "false")
        .config(map=jar_conf("dl4j"))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def bundles(tmp_path_factory) -> Path:
    """A folder for bundles that tests share."""
    return tmp_path_factory.mktemp("bundles")


@pytest.fixture(scope="package")
def table(spark):
    """Points that the training tests share; other files have a table of their own."""
    from python.spark import crossed

    return crossed.points(spark).cache()
