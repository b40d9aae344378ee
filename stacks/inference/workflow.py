"""The order of the steps: plan, verify, try, move under watch, verify the answers, record, end.

Whatever fails is undone by the last step, and what has died is repaired by another execution.
"""

from __future__ import annotations

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from lambdas.inference.contract import GAVE_UP
from stacks.common.task import Task, failure, with_defaults
from stacks.common.workflow import Workflow, WorkflowRole
from stacks.config.model import InferenceSettings, LogRetentionDays
from stacks.inference.deployment_alarms import DeploymentAlarms
from stacks.inference.deployment_repair import DeploymentRepair
from stacks.inference.endpoint import ModelEndpoint
from stacks.inference.endpoint_steps import EndpointSteps
from stacks.inference.functions import DeploymentFunctions

_DEFAULTS = '{"reason":"started by hand","requested_by":"operator"}'


class DeploymentWorkflow(Construct):
    """Deploys one registered version; a second deployment of what serves changes nothing."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: DeploymentFunctions,
        endpoint: ModelEndpoint,
        alarms: DeploymentAlarms,
        settings: InferenceSettings,
        log_days: LogRetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        self._role = WorkflowRole(self, "Role")
        self._functions = functions
        self._steps = EndpointSteps(
            self,
            "Steps",
            endpoint=endpoint,
            alarms=alarms,
            settings=settings,
            workflow_role=self._role,
        )
        self._undone = self._undo()
        workflow = Workflow(
            self,
            "Workflow",
            start=self._start(),
            role=self._role,
            timeout_seconds=settings.deployment_timeout_seconds,
            log_days=log_days,
        )
        workflow.allow_describe_executions(functions.plan.role)
        self.machine = workflow.machine
        DeploymentRepair(self, "Repair", machine=self.machine)

    def _undo(self) -> Task:
        """Undo what has failed, then fail with what it failed with."""
        failed = failure(self, "Deployment failed")
        undo = self._functions.end.failed(self._role).caught_by(failed)
        undo.next(failed)
        return undo

    def _start(self) -> sfn.IChainable:
        plan = self._functions.plan.state(self._role).caught_by(self._undone)
        artefact = self._functions.artefact.state(self._role).caught_by(self._undone)
        verify = self._finish()
        artefact.next(
            sfn.Choice(self, "Is there a failed endpoint?")
            .when(_planned("endpoint_failed"), self._delete_endpoint(then=plan))
            .otherwise(
                sfn.Choice(self, "Is it serving already?")
                .when(_planned("already_serving"), verify)
                .otherwise(self._create_what_is_missing(then=self._try(then=self._move(verify))))
            )
        )
        plan.next(
            sfn.Choice(self, "Is there anything to do?")
            .when(_planned("nothing_to_do"), sfn.Succeed(self, "Nothing was left undone"))
            .otherwise(artefact)
        )
        return with_defaults(self, "Apply defaults", defaults=_DEFAULTS).next(plan)

    def _delete_endpoint(self, *, then: Task) -> Task:
        """Clear the way, and plan anew: the plan waits until the endpoint is gone."""
        delete = self._steps.delete().caught_by(self._undone)
        delete.next(self._steps.pause("Let the endpoint go")).next(then)
        return delete

    def _finish(self) -> Task:
        """Verify what answers now, record it, and tidy up."""
        verify = self._functions.verification.state(self._role).caught_by(self._undone)
        record = self._functions.record.state(self._role).caught_by(self._undone)
        end = self._functions.end.succeeded(self._role).caught_by(
            failure(self, "Deployed, but not tidied up")
        )
        verify.next(record).next(end).next(sfn.Succeed(self, "Model deployed"))
        return verify

    def _create_what_is_missing(self, *, then: sfn.Choice) -> sfn.Choice:
        """Models and configs may be there from an earlier attempt."""
        config = self._unless_exists(
            "Does the config exist?",
            "endpoint_config_exists",
            create=self._steps.create_config(),
            then=then,
        )
        return self._unless_exists(
            "Does the model exist?",
            "model_exists",
            create=self._steps.create_model(),
            then=config,
        )

    def _unless_exists(
        self, question: str, flag: str, *, create: Task, then: sfn.Choice
    ) -> sfn.Choice:
        create.caught_by(self._undone).next(then)
        return sfn.Choice(self, question).when(_planned(flag), then).otherwise(create)

    def _try(self, *, then: sfn.Choice) -> sfn.Choice:
        """Ask a trial endpoint the golden requests, before there is any traffic."""
        create = self._steps.create_trial().caught_by(self._undone)
        pause = self._steps.pause("Wait for trial endpoint")
        ask = self._functions.verification.trial(self._role).caught_by(self._undone)
        delete = self._steps.delete_trial().caught_by(self._undone)
        ask.next(delete).next(then)
        create.next(pause)
        pause.next(self._steps.describe_trial().caught_by(self._undone)).next(
            sfn.Choice(self, "Is the trial endpoint in service?")
            .when(_in_service(), ask)
            .when(sfn.Condition.or_(*_hopeless()), self._gave_up("Trial endpoint not in service"))
            .otherwise(pause)
        )
        return (
            sfn.Choice(self, "Is it tried first?")
            .when(_planned("tried_first"), create)
            .otherwise(then)
        )

    def _move(self, then: Task) -> sfn.Choice:
        """Begin to watch, and create or move the endpoint."""
        pause = self._await_endpoint(then=then)
        create = self._steps.create().caught_by(self._undone)
        update = self._steps.update().caught_by(self._undone)
        create.next(pause)
        update.next(pause)
        exists = (
            sfn.Choice(self, "Does the endpoint exist?")
            .when(_planned("endpoint_exists"), update)
            .otherwise(create)
        )
        watch = self._functions.judgement.first_look(self._role).caught_by(self._undone)
        watch.next(exists)
        return sfn.Choice(self, "Is it watched?").when(_planned("guarded"), watch).otherwise(exists)

    def _await_endpoint(self, *, then: Task) -> sfn.Wait:
        """Look, and judge, until the endpoint serves the new config, or SageMaker has given up."""
        pause = self._steps.pause("Wait for endpoint")
        judge = self._functions.judgement.state(self._role).caught_by(self._undone)
        judge.next(pause)
        serves_new_config = sfn.Condition.string_equals_json_path(
            "$.endpoint.config", "$.plan.endpoint_config_name"
        )
        gave_up = self._gave_up("Endpoint not in service")
        pause.next(self._steps.describe().caught_by(self._undone)).next(
            sfn.Choice(self, "Is the endpoint in service?")
            .when(sfn.Condition.and_(_in_service(), serves_new_config), then)
            .when(sfn.Condition.or_(_in_service(), *_hopeless()), gave_up)
            .when(_planned("guarded"), judge)
            .otherwise(pause)
        )
        return pause

    def _gave_up(self, state_name: str) -> sfn.Pass:
        """Note that SageMaker gave up; why stands in what it says of the endpoint."""
        cause = "SageMaker did not keep the new version; what served before still does, if any."
        noted = sfn.Pass(
            self,
            state_name,
            result=sfn.Result.from_object({"Error": GAVE_UP, "Cause": cause}),
            result_path="$.failure",
        )
        noted.next(self._undone)
        return noted


def _planned(flag: str) -> sfn.Condition:
    return sfn.Condition.boolean_equals(f"$.plan.{flag}", value=True)


def _in_service() -> sfn.Condition:
    return sfn.Condition.string_equals("$.endpoint.status", "InService")


def _hopeless() -> list[sfn.Condition]:
    statuses = ("Failed", "OutOfService", "UpdateRollbackFailed", "Deleting")
    return [sfn.Condition.string_equals("$.endpoint.status", status) for status in statuses]
