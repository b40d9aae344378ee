"""AWS Glue jobs that really run, on PySpark in local mode; the catalog stays ministack's."""
