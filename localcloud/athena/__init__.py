"""Athena's queries, run on DuckDB over the embedded catalog and the embedded S3."""
