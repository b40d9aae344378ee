"""EMR Serverless: applications, and job runs that really run on PySpark in local mode."""
