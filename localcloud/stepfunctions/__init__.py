"""Step Functions: tasks authorised as the state machine's role, jobs that are waited for."""

from localcloud.stepfunctions.engine import install

__all__ = ["install"]
