"""The order of the steps: plan, train, evaluate, judge, register, approve, deploy."""

from __future__ import annotations

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.common.task import Task, failure, with_defaults
from stacks.common.workflow import Workflow, WorkflowRole
from stacks.config.model import LogRetentionDays
from stacks.training_pipeline.evaluation import EvaluationStep
from stacks.training_pipeline.functions import TrainingFunctions
from stacks.training_pipeline.model_deployment import ModelDeploymentStep
from stacks.training_pipeline.training_jobs import TrainingJobs

_DEFAULTS = '{"dataset_id":"","requested_by":"operator","reason":"started by hand"}'
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
        evaluation: EvaluationStep,
        deployment: ModelDeploymentStep,
        log_days: LogRetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        role = WorkflowRole(self, "Role")
        failed = failure(self, "Training failed")
        release = functions.release.state(role)
        release.caught_by(failed).next(failed)
        deploy = deployment.state(role).caught_by(failed)
        deploy.next(sfn.Succeed(self, "Model deployed"))
        train = jobs.members_step(role)
        train.add_catch(release, errors=["States.ALL"], result_path="$.failure")
        run = (
            train.next(jobs.stack_step(role).caught_by(release))
            .next(evaluation.state(role).caught_by(release))
            .next(functions.verdict.state(role).caught_by(release))
            .next(functions.registration.state(role).caught_by(release))
            .next(self._deploy_if_approved(functions, role, deploy, release))
        )
        start = (
            with_defaults(self, "Apply defaults", defaults=_DEFAULTS)
            .next(functions.plan.state(role).caught_by(failed))
            .next(self._train_if_new(run, deploy))
        )
        workflow = Workflow(
            self,
            "Workflow",
            start=start,
            role=role,
            timeout_seconds=jobs.timeout_seconds * _WAVES
            + evaluation.timeout_seconds
            + deployment.timeout_seconds
            + functions.approval.wait_seconds
            + _FUNCTIONS_SECONDS,
            log_days=log_days,
        )
        workflow.allow_describe_executions(functions.plan.role)
        self.machine = workflow.machine

    def _deploy_if_approved(
        self, functions: TrainingFunctions, role: WorkflowRole, deploy: Task, release: Task
    ) -> sfn.Choice:
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
        ask = functions.approval.state(role)
        ask.add_catch(unanswered, errors=["States.Timeout"], result_path="$.failure")
        ask.caught_by(release)
        record = functions.decision.state(role).caught_by(release)
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
