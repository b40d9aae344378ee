"""The one way to make a log group: kept for as long as the environment says, then gone."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.config.model import LogRetentionDays


class RetainedLogGroup(logs.LogGroup):
    """A log group with a limit; the ledger, not a log, is the record that must survive."""

    def __init__(self, scope: Construct, construct_id: str, *, days: LogRetentionDays) -> None:
        super().__init__(
            scope,
            construct_id,
            retention=_RETENTION[days],
            removal_policy=RemovalPolicy.DESTROY,
        )


_RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    5: logs.RetentionDays.FIVE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    731: logs.RetentionDays.TWO_YEARS,
    1827: logs.RetentionDays.FIVE_YEARS,
}
