"""The order of the steps: collect, transform, publish; what fails is rejected with its reason."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.common.task import failure, with_defaults
from stacks.common.workflow import Workflow, WorkflowRole
from stacks.data_pipeline.batch_collection import BatchCollectionStep
from stacks.data_pipeline.batch_rejection import BatchRejectionStep
from stacks.data_pipeline.catalog import Catalog
from stacks.data_pipeline.dataset_publication import DatasetPublicationStep
from stacks.data_pipeline.engine import TransformEngine
from stacks.data_pipeline.follow_up import FollowUp
from stacks.foundation.step_props import StepProps

_FUNCTIONS_SECONDS = 1800
"""Room for the steps around the job and their retries."""


class DataWorkflow(Construct):
    """One execution an arrival; all but the one that completes a batch end at once."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: StepProps,
        catalog: Catalog,
        transform: TransformEngine,
        settle_seconds: int,
    ) -> None:
        super().__init__(scope, construct_id)
        role = WorkflowRole(self, "Role")
        collection = BatchCollectionStep(self, "BatchCollection", props=props)
        collect = collection.state(role)
        failed = failure(self, "Run failed")
        run = self._run(props, catalog, transform, role, failed)
        settle = sfn.Wait(
            self,
            "Let files settle",
            time=sfn.WaitTime.duration(Duration.seconds(settle_seconds)),
        )
        batch_is_ready = sfn.Condition.string_equals("$.batch.status", "ready")
        start = (
            with_defaults(self, "Apply defaults", defaults='{"force":false}')
            .next(settle)
            .next(collect.caught_by(failed))
            .next(
                sfn.Choice(self, "Is there a new batch?")
                .when(batch_is_ready, run)
                .otherwise(sfn.Succeed(self, "Nothing to do"))
            )
        )
        workflow = Workflow(
            self,
            "Workflow",
            start=start,
            role=role,
            timeout_seconds=transform.timeout_seconds + _FUNCTIONS_SECONDS,
            log_days=props.log_days,
        )
        workflow.allow_describe_executions(collection.role)
        self.machine = workflow.machine

    def _run(
        self,
        props: StepProps,
        catalog: Catalog,
        transform: TransformEngine,
        role: WorkflowRole,
        failed: sfn.Fail,
    ) -> sfn.Chain:
        """Make a dataset version of the claimed batch; whatever fails rejects it."""
        follow_up = FollowUp(self, "FollowUp", props=props, catalog=catalog)
        publish = DatasetPublicationStep(self, "DatasetPublication", props=props).state(role)
        reject = BatchRejectionStep(self, "BatchRejection", props=props).state(role)
        reject.caught_by(failed).next(follow_up.after_rejection(role, failed))
        return (
            transform.step(role)
            .caught_by(reject)
            .next(publish.caught_by(reject))
            .next(follow_up.after_publication(role))
        )
