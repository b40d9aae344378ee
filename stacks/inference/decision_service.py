"""The function that decides while the caller waits."""

from __future__ import annotations

from constructs import Construct

from lambdas.inference.contract import DECISION_DOCUMENTS_PREFIX, DECISION_ROWS_PREFIX, Setting
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_items
from stacks.common.yaml_layer import YamlLayer
from stacks.config.model import FunctionPlatform
from stacks.foundation.step_props import StepProps
from stacks.inference.solver_layer import SolverLayer


class DecisionService(BlockFunction):
    """Reads logged predictions, decides with HiGHS, keeps what it decided."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        use_case: str,
        props: StepProps,
        platform: FunctionPlatform,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            block="inference",
            name="decide",
            settings={
                Setting.USE_CASE: use_case,
                Setting.PREDICTION_TABLE: props.tables.predictions.table_name,
                Setting.DECISION_TABLE: props.tables.decisions.table_name,
                Setting.ANALYTICS_BUCKET: props.buckets.analytics.bucket_name,
            },
            log_days=props.log_days,
            timeout_seconds=28,
            # A whole processor comes with 1,769 MB: solving is all that it does.
            memory_mb=1769,
        )
        self.function.add_layers(
            YamlLayer(self, "Yaml"), SolverLayer(self, "Solver", platform=platform)
        )
        grant_items(props.tables.predictions, self.role, "BatchGetItem")
        grant_items(props.tables.decisions, self.role, "GetItem", "PutItem")
        props.buckets.analytics.allow_read(self.role, DECISION_DOCUMENTS_PREFIX)
        for prefix in (DECISION_DOCUMENTS_PREFIX, DECISION_ROWS_PREFIX):
            props.buckets.analytics.allow_write(self.role, prefix)
