"""`s3://` for Spark: the WebHDFS protocol on loopback, backed by S3 under one role."""
