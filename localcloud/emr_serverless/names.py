"""ARNs of EMR Serverless, which begin their resource with a slash."""

from __future__ import annotations

from localcloud.registry import Call


def application_arn(call: Call, application: str) -> str:
    """Name an application, or all with `*`."""
    return f"arn:aws:emr-serverless:{call.region}:{call.account}:/applications/{application}"


def job_run_arn(call: Call, application: str, run: str) -> str:
    """Name a job run of an application."""
    return f"{application_arn(call, application)}/jobruns/{run}"
