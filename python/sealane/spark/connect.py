"""Scoring in the executors' JVM, asked for by a relation of our own (Spark Connect)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from sealane.spark.options import ScoreOptions

TYPE_URL = "type.googleapis.com/sealane.spark.Score"
PLUGIN_CONF = "spark.connect.extensions.relation.classes"
_PACKAGE = "io.sealane."


def server_has_sealane(spark: SparkSession) -> bool:
    """Whether the server has Sealane's relation plugin."""
    return _PACKAGE in str(spark.conf.get(PLUGIN_CONF, ""))


def score(df: DataFrame, options: ScoreOptions) -> DataFrame:
    """The DataFrame with its scores, by the server's executors.

    Raises:
        SealaneError: Whatever the server says; ENGINE_UNAVAILABLE without the plugin.
    """
    from pyspark.errors import PySparkException
    from pyspark.sql.connect.dataframe import DataFrame as ConnectDataFrame

    from sealane.spark.gateway import from_java

    if not server_has_sealane(df.sparkSession):
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            "the Spark Connect server does not have Sealane's plugin: start it with Sealane's jar "
            f"and {PLUGIN_CONF}, or use engine='python'",
            {"engine": "jvm"},
        )
    frame: Any = ConnectDataFrame
    source: Any = df
    scored = frame(_score_relation()(source._plan, options.to_json()), source._session)
    try:
        _ = scored.schema
    except PySparkException as error:
        known = from_java(error)
        if known is None:
            raise
        raise known from error
    return scored


@cache
def score_message() -> Any:
    """The protobuf message ``sealane.spark.Score``: bytes child = 1, string options = 2."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(
        name="sealane/spark/score.proto", package="sealane.spark", syntax="proto3"
    )
    message = file.message_type.add(name="Score")
    field: Any = descriptor_pb2.FieldDescriptorProto
    optional = field.LABEL_OPTIONAL
    message.field.add(name="child", number=1, type=field.TYPE_BYTES, label=optional)
    message.field.add(name="options", number=2, type=field.TYPE_STRING, label=optional)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("sealane.spark.Score"))


@cache
def _score_relation() -> Any:
    """The class of the plan, made when Spark Connect is there."""
    from pyspark.sql.connect.plan import LogicalPlan

    base: Any = LogicalPlan

    class ScoreRelation(base):
        """Scores the rows of its child."""

        def __init__(self, child: Any, options: str) -> None:
            super().__init__(child)  # pyright: ignore[reportUnknownMemberType]
            self._options = options

        def plan(self, session: Any) -> Any:
            """The relation as the server takes it."""
            child = self._child.plan(session).SerializeToString()
            message = score_message()(child=child, options=self._options)
            relation = self._create_proto_relation()
            relation.extension.type_url = TYPE_URL
            relation.extension.value = message.SerializeToString()
            return relation

    return ScoreRelation
