"""The function behind the API: checks a request, asks the endpoint, remembers the answer."""

from __future__ import annotations

from collections.abc import Mapping

from constructs import Construct

from stacks.common.function import BlockFunction
from stacks.common.grants import grant_items
from stacks.config.model import LogRetentionDays
from stacks.foundation.tables import Tables
from stacks.inference.endpoint import ModelEndpoint


class PredictionService(BlockFunction):
    """Answers within the 29 seconds that API Gateway waits."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Mapping[str, str],
        tables: Tables,
        endpoint: ModelEndpoint,
        log_days: LogRetentionDays,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            block="inference",
            name="serve_predictions",
            settings=settings,
            log_days=log_days,
            timeout_seconds=28,
            memory_mb=512,
        )
        grant_items(tables.predictions, self.grantee, "GetItem", "PutItem", "BatchWriteItem")
        endpoint.grant_invoke(self.grantee)
