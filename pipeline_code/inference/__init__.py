"""The serving container: pre, inference, post, behind the SageMaker contract."""
