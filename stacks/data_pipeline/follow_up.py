"""What follows a run: the catalog, look-ups and past predictions learn of it.

A published dataset stays published whatever happens here: a step that fails ends the execution as
failed, with its error, and what it left undone is done behind the next run.
"""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.common.task import failure
from stacks.data_pipeline.catalog import Catalog
from stacks.data_pipeline.outcome_join import OutcomeJoinStep
from stacks.data_pipeline.run_catalog import RunCatalogStep
from stacks.foundation.step_props import StepProps


class FollowUp(Construct):
    """The steps behind publication and behind rejection."""

    def __init__(
        self, scope: Construct, construct_id: str, *, props: StepProps, catalog: Catalog
    ) -> None:
        super().__init__(scope, construct_id)
        self._catalog = RunCatalogStep(self, "RunCatalog", props=props, catalog=catalog)
        self._join = OutcomeJoinStep(self, "OutcomeJoin", props=props)

    def after_publication(self, role: iam.Role) -> sfn.IChainable:
        """Register the run, then join outcomes page by page."""
        behind = failure(self, "Published, but the follow-up failed")
        join = self._join.state(role).caught_by(behind)
        all_joined = sfn.Condition.string_equals("$.outcomes.cursor", "")
        join.next(
            sfn.Choice(self, "Are all outcomes joined?")
            .when(all_joined, sfn.Succeed(self, "Dataset published"))
            .otherwise(join)
        )
        first = sfn.Pass(
            self,
            "Begin to join outcomes",
            result=sfn.Result.from_object({"cursor": ""}),
            result_path="$.outcomes",
        )
        catalog = self._catalog.state(role, "Catalog run").caught_by(behind)
        return catalog.next(first).next(join)

    def after_rejection(self, role: iam.Role, failed: sfn.Fail) -> sfn.IChainable:
        """Register what the run left in quarantine."""
        return self._catalog.state(role, "Catalog quarantine").caught_by(failed).next(failed)
