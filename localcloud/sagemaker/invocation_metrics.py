"""What SageMaker tells CloudWatch of each invocation, in its namespace and units."""

from __future__ import annotations

from ministack.services.cloudwatch import record_metric

NAMESPACE = "AWS/SageMaker"
CLIENT_ERRORS = range(400, 500)
SUCCESS = range(200, 300)


def record_invocation(
    endpoint: str, variant: str, status: int, seconds: float, instances: int
) -> None:
    """Record one invocation under the account and region of the request being served."""
    dimensions = {"EndpointName": endpoint, "VariantName": variant}
    client_error = status in CLIENT_ERRORS
    server_error = not client_error and status not in SUCCESS
    for name, value, unit in (
        ("Invocations", 1.0, "Count"),
        ("Invocation4XXErrors", float(client_error), "Count"),
        ("Invocation5XXErrors", float(server_error), "Count"),
        ("InvocationsPerInstance", 1.0 / max(instances, 1), "None"),
        ("ModelLatency", seconds * 1e6, "Microseconds"),
    ):
        record_metric(NAMESPACE, name, value, unit, dimensions)
