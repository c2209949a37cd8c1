"""Scoring in Spark's Python workers: one pass over Arrow batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql.types import StructType

from sealane.bundle.manifest import MANIFEST_NAME
from sealane.core import ErrorCode, SealaneError
from sealane.spark.columns import plan_columns
from sealane.spark.location import Location
from sealane.spark.options import PYTHON_ENGINES
from sealane.spark.results import result_fields
from sealane.spark.shipping import ship
from sealane.spark.source import BundleSource
from sealane.spark.sparks import is_connect, is_local
from sealane.spark.worker import ScoreTask

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from sealane.bundle import VerifiedBundle
    from sealane.spark.options import ScoreOptions

_UNCARRIED = ("interval", "interval year", "interval month", "interval year to month")
"""Types that Arrow does not carry to Python and back."""


def score(df: DataFrame, options: ScoreOptions) -> DataFrame:
    """The DataFrame with its scores, by the Python engine.

    Raises:
        SealaneError: A code of the bundle family, INPUT_* for columns that do not fit, or
            ENGINE_UNAVAILABLE.
    """
    spark = df.sparkSession
    _check_carried(df.schema)
    location = Location.parse(options.bundle)
    with location.verified(spark) as bundle:
        engine = _engine(bundle, options.engine.engine)
        exact = str(spark.conf.get("spark.sql.caseSensitive", "false")).lower() == "true"
        plan = plan_columns(df.schema, bundle.signature, options, ignore_case=not exact)
        source = _source(spark, location, bundle, engine, follows=df.isStreaming)
    schema = StructType([*df.schema.fields, *result_fields(plan)])
    task: Any = ScoreTask(source, plan)
    # mapInArrow looks columns up by name, and stumbles over dots and names that are there twice.
    named = df.toDF(*(f"c{index}" for index in range(len(df.columns))))
    return named.mapInArrow(task, schema)  # pyright: ignore[reportUnknownMemberType]


def _engine(bundle: VerifiedBundle, asked: str) -> str:
    """The engine that runs the bundle.

    Raises:
        SealaneError: VARIANT_NOT_FOUND when none does.
    """
    if asked:
        bundle.variant(PYTHON_ENGINES[asked])
        return asked
    for engine, kind in PYTHON_ENGINES.items():
        if bundle.manifest.variant(kind) is not None:
            return engine
    bundle.variant(PYTHON_ENGINES["onnx"])
    raise AssertionError


def _source(
    spark: SparkSession,
    location: Location,
    bundle: VerifiedBundle,
    engine: str,
    *,
    follows: bool,
) -> BundleSource:
    """How workers get the bundle: a path they share with the driver, or what Spark ships.

    Raises:
        SealaneError: ENGINE_UNAVAILABLE for a stream of Spark Connect, which ships no files.
    """
    connect = is_connect(spark)
    by_path = not connect and is_local(spark)
    shared = location.path is not None if location.has_scheme else by_path
    if follows and connect and not shared:
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            f"{location.text}: Spark Connect ships no files to the workers of a stream: give a "
            "URI that they can read (file:…), or use engine='jvm'",
            {"engine": "python"},
        )
    follows = follows and shared
    ships = not shared or (follows and not connect)
    return BundleSource(
        bundle.manifest.content_id,
        bundle.digests[MANIFEST_NAME],
        bundle.signature,
        engine,
        str(bundle.path) if shared else None,
        ship(spark, bundle) if ships else None,
        str(location.path) if follows else None,
    )


def _check_carried(schema: StructType) -> None:
    for field in schema.fields:
        if field.dataType.simpleString() in _UNCARRIED:
            raise SealaneError(
                ErrorCode.INPUT_LAYOUT,
                f"column '{field.name}' of {field.dataType.simpleString()} can not go through "
                "Python: cast it to string or drop it before scoring, or use engine='jvm'",
                {"column": field.name},
            )
