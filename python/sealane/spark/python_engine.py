"""Scoring in Spark's Python workers: one pass over Arrow batches.

From Spark 4.1 on it is a function of the columns that are scored; before, all columns go to Python
and back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions
from pyspark.sql.types import StructType

from sealane.bundle.manifest import MANIFEST_NAME
from sealane.core import ErrorCode, SealaneError
from sealane.spark.arrow import pa
from sealane.spark.columns import plan_columns
from sealane.spark.location import Location
from sealane.spark.options import PYTHON_ENGINES
from sealane.spark.results import result_fields
from sealane.spark.shipping import ship
from sealane.spark.source import BundleSource
from sealane.spark.sparks import is_connect, is_local
from sealane.spark.worker import ScoreColumns, ScoreTask

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from sealane.bundle import VerifiedBundle
    from sealane.spark.options import ScoreOptions
    from sealane.spark.plan import ScorePlan

_UNCARRIED = ("interval", "interval year", "interval month", "interval year to month")
"""Types that Arrow does not carry to Python and back."""

_ARROW_FUNCTIONS = (4, 1)
_arrow_udf: Any = getattr(functions, "arrow_udf", None)


def score(df: DataFrame, options: ScoreOptions) -> DataFrame:
    """The DataFrame with its scores, by the Python engine.

    Raises:
        SealaneError: A code of the bundle family, INPUT_* for columns that do not fit, or
            ENGINE_UNAVAILABLE.
    """
    spark = df.sparkSession
    location = Location.parse(options.bundle)
    with location.verified(spark) as bundle:
        engine = _engine(bundle, options.engine.engine)
        exact = str(spark.conf.get("spark.sql.caseSensitive", "false")).lower() == "true"
        plan = plan_columns(df.schema, bundle.signature, options, ignore_case=not exact)
        source = _source(spark, location, bundle, engine, follows=df.isStreaming)
    if _has_arrow_functions(spark):
        return _by_function(df, source, plan)
    _check_carried(df.schema)
    return _by_map(df, source, plan)


def _has_arrow_functions(spark: SparkSession) -> bool:
    """From Spark 4.1 on; Spark Connect needs them on both sides."""
    server = tuple(int(part) for part in str(spark.version).split(".")[:2])
    return server >= _ARROW_FUNCTIONS and _arrow_udf is not None


def _by_function(df: DataFrame, source: BundleSource, plan: ScorePlan) -> DataFrame:
    """Only what is scored goes to Python, and only scores come back."""
    names = [f"c{index}" for index in range(len(df.columns))]
    added = result_fields(plan)
    task = ScoreColumns(source, plan.narrowed())

    def function(batches: Any) -> Any:
        return task(batches)

    # Spark tells by the hints what kind of function it is.
    taken = pa.Array if len(plan.columns) == 1 else tuple[pa.Array, ...]
    function.__annotations__ = {"batches": Iterator[taken], "return": Iterator[pa.Array]}
    score: Any = _arrow_udf(function, StructType(added))
    # Spark would evaluate it once for a filter on the score and once more for the score.
    scored: Any = score.asNondeterministic()(
        *(functions.col(names[index]) for index in plan.columns)
    )
    # Names with dots, and names that are there twice, can not be looked up.
    made = df.toDF(*names).select(*names, scored.alias("r"))
    results = [functions.col("r").getField(field.name) for field in added]
    return made.select(*names, *results).toDF(*df.columns, *(field.name for field in added))


def _by_map(df: DataFrame, source: BundleSource, plan: ScorePlan) -> DataFrame:
    """All columns go through Python."""
    task: Any = ScoreTask(source, plan)
    schema = StructType([*df.schema.fields, *result_fields(plan)])
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
