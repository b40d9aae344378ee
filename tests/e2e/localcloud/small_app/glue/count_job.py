"""A Spark job: writes `rows` numbers and says how many there are."""

import sys

from pyspark.sql import SparkSession

arguments = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=False))
spark = SparkSession.builder.getOrCreate()
rows = spark.range(int(arguments["--rows"]))
rows.coalesce(1).write.mode("overwrite").csv(f"s3://{arguments['--bucket']}/counts/")
written = spark.read.csv(f"s3://{arguments['--bucket']}/counts/").count()
sys.stdout.write(f"rows written: {written}\n")
