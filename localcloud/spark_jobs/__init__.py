"""Spark programs that really run, whichever service starts them: Glue or EMR Serverless."""
