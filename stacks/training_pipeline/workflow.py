"""The order of the steps: plan, train, evaluate, judge, register, approve, deploy."""

from __future__ import annotations

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.common.task import Task, failure, with_defaults
from stacks.common.workflow import Workflow, WorkflowRole
from stacks.config.model import LogRetentionDays
from stacks.training_pipeline.functions import TrainingFunctions
from stacks.training_pipeline.members import Members
from stacks.training_pipeline.model_deployment import ModelDeploymentStep
from stacks.training_pipeline.processing_jobs import ProcessingJobs
from stacks.training_pipeline.training_jobs import TrainingJobs

_DEFAULTS = (
    '{"dataset_id":"","reproduce_version":0,"requested_by":"operator","reason":"started by hand"}'
)
_WAVES = 4
"""Rounds of training jobs that an execution has time for: three of members, one of the stacker."""
_FUNCTIONS_SECONDS = 3600
"""Room for the steps around the jobs and their retries."""


class TrainingWorkflow(Construct):
    """One execution a training; the same inputs again end at once."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: TrainingFunctions,
        jobs: TrainingJobs,
        processing: ProcessingJobs,
        members: Members,
        deployment: ModelDeploymentStep,
        log_days: LogRetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        self._functions = functions
        self._role = WorkflowRole(self, "Role")
        self._failed = failure(self, "Training failed")
        self._release = functions.release.state(self._role)
        self._release.caught_by(self._failed).next(self._failed)
        deploy = deployment.state(self._role).caught_by(self._failed)
        deploy.next(sfn.Succeed(self, "Model deployed"))
        run = self._train(jobs, processing, members, then=self._judge(processing, deploy))
        start = (
            with_defaults(self, "Apply defaults", defaults=_DEFAULTS)
            .next(functions.plan.state(self._role).caught_by(self._unplanned()))
            .next(self._train_if_new(run, deploy))
        )
        workflow = Workflow(
            self,
            "Workflow",
            start=start,
            role=self._role,
            timeout_seconds=jobs.timeout_seconds * _WAVES
            + jobs.search_seconds
            + processing.timeout_seconds * 2
            + deployment.timeout_seconds
            + functions.approval.wait_seconds
            + _FUNCTIONS_SECONDS,
            log_days=log_days,
        )
        workflow.allow_describe_executions(functions.plan.role)
        self.machine = workflow.machine

    def _unplanned(self) -> sfn.Pass:
        """Name a training that has no id by its execution, so that its failure is recorded too."""
        state = sfn.Pass(
            self,
            "Training not planned",
            parameters={"training_id.$": "States.Format('unplanned-{}', $$.Execution.Name)"},
            result_path="$.plan",
        )
        state.next(self._release)
        return state

    def _train(
        self,
        jobs: TrainingJobs,
        processing: ProcessingJobs,
        members: Members,
        *,
        then: sfn.IChainable,
    ) -> sfn.Choice:
        """Prepare what other containers read, train the members, and join them."""
        role = self._role
        train = members.state(role)
        train.add_catch(self._release, errors=["States.ALL"], result_path="$.failure")
        compare = processing.reproduction_state(role).caught_by(self._release)
        compare.next(sfn.Succeed(self, "Version compared"))
        reproduces = sfn.Condition.boolean_equals("$.plan.reproduces", value=True)
        (
            train.next(self._functions.collection.state(role).caught_by(self._release))
            .next(jobs.stack_state(role).caught_by(self._release))
            .next(
                sfn.Choice(self, "Is it a reproduction?").when(reproduces, compare).otherwise(then)
            )
        )
        prepare = processing.preparation_state(role).caught_by(self._release)
        prepare.next(train)
        prepares = sfn.Condition.boolean_equals("$.plan.prepares", value=True)
        return sfn.Choice(self, "Is data to be prepared?").when(prepares, prepare).otherwise(train)

    def _judge(self, processing: ProcessingJobs, deploy: Task) -> sfn.Chain:
        """Evaluate, judge and register; then the next training may begin."""
        role, functions, release = self._role, self._functions, self._release
        return (
            sfn.Chain.start(processing.evaluation_state(role).caught_by(release))
            .next(functions.verdict.state(role).caught_by(release))
            .next(functions.registration.state(role).caught_by(release))
            .next(functions.end.state(role).caught_by(release))
            .next(self._deploy_if_approved(deploy))
        )

    def _deploy_if_approved(self, deploy: Task) -> sfn.Choice:
        """Ask a person about a candidate; the answer, or its absence, leads here again."""
        unanswered = sfn.Pass(
            self,
            "Nobody answered",
            result=sfn.Result.from_object(
                {
                    "decision": "expired",
                    "approver": "fourblocks.training_pipeline",
                    "reason": "Nobody decided in time.",
                }
            ),
            result_path="$.approval",
        )
        ask = self._functions.approval.state(self._role)
        ask.add_catch(unanswered, errors=["States.Timeout"], result_path="$.failure")
        ask.caught_by(self._release)
        record = self._functions.decision.state(self._role).caught_by(self._release)
        decide = (
            sfn.Choice(self, "Is the model approved?")
            .when(sfn.Condition.string_equals("$.model.state", "approved"), deploy)
            .when(sfn.Condition.string_equals("$.model.state", "candidate"), ask)
            .otherwise(sfn.Succeed(self, "Champion stays"))
        )
        ask.next(record)
        unanswered.next(record)
        record.next(decide)
        return decide

    def _train_if_new(self, run: sfn.IChainable, deploy: Task) -> sfn.Choice:
        """Train what is new; an approved model whose deployment never happened is deployed now."""
        resume = sfn.Pass(
            self,
            "Take registered model",
            parameters={"version.$": "$.plan.registered_version"},
            result_path="$.model",
        )
        resume.next(deploy)
        awaits_deployment = sfn.Condition.and_(
            sfn.Condition.string_equals("$.plan.status", "unchanged"),
            sfn.Condition.is_present("$.plan.registered_state"),
            sfn.Condition.string_equals("$.plan.registered_state", "approved"),
        )
        return (
            sfn.Choice(self, "Is there something to train?")
            .when(sfn.Condition.string_equals("$.plan.status", "ready"), run)
            .when(awaits_deployment, resume)
            .otherwise(sfn.Succeed(self, "Nothing to train"))
        )
