"""The Spark session, where a Glue script looks for it."""

from __future__ import annotations

from pyspark import SparkContext
from pyspark.sql import SparkSession, SQLContext


class GlueContext(SQLContext):
    """A Spark context with its session; DynamicFrames are not available."""

    def __init__(self, spark_context: SparkContext) -> None:
        self.spark_session = SparkSession.builder.getOrCreate()
        super().__init__(spark_context, self.spark_session)
