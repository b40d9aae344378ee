"""SageMaker Feature Store: feature groups, online records, offline files."""
