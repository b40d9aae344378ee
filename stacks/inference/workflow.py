"""The order of the steps: plan, verify the model, create, move, verify the answers, record."""

from __future__ import annotations

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.common.task import Task, failure, with_defaults
from stacks.common.workflow import Workflow, WorkflowRole
from stacks.config.model import InferenceSettings, LogRetentionDays
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
        settings: InferenceSettings,
        log_days: LogRetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        role = WorkflowRole(self, "Role")
        self._steps = EndpointSteps(
            self, "Steps", endpoint=endpoint, settings=settings, workflow_role=role
        )
        self._failed = failure(self, "Deployment failed")
        plan = functions.plan.state(role)
        verify = functions.verification.state(role)
        record = functions.record.state(role)
        artefact = functions.artefact.state(role).caught_by(self._failed)
        verify.caught_by(self._go_back()).next(record.caught_by(self._failed)).next(
            sfn.Succeed(self, "Model deployed")
        )
        start = (
            with_defaults(self, "Apply defaults", defaults=_DEFAULTS)
            .next(plan.caught_by(self._failed))
            .next(artefact)
            .next(
                sfn.Choice(self, "Is there a failed endpoint?")
                .when(_planned("endpoint_failed"), self._delete_endpoint(then=plan))
                .otherwise(self._deploy(then=verify))
            )
        )
        self.machine = Workflow(
            self,
            "Workflow",
            start=start,
            role=role,
            timeout_seconds=settings.deployment_timeout_seconds,
            log_days=log_days,
        ).machine

    def _delete_endpoint(self, *, then: Task) -> Task:
        """Clear the way, and plan anew: the plan waits until the endpoint is gone."""
        delete = self._steps.delete().caught_by(self._failed)
        delete.next(self._steps.pause("Let the endpoint go")).next(then)
        return delete

    def _deploy(self, *, then: Task) -> sfn.Choice:
        return (
            sfn.Choice(self, "Is it serving already?")
            .when(_planned("already_serving"), then)
            .otherwise(self._create_what_is_missing(then=self._await_endpoint(then=then)))
        )

    def _create_what_is_missing(self, *, then: sfn.State) -> sfn.Choice:
        """Models, configs and the endpoint may be there from an earlier attempt."""
        create = self._steps.create().caught_by(self._failed)
        update = self._steps.update().caught_by(self._failed)
        create.next(then)
        update.next(then)
        endpoint = (
            sfn.Choice(self, "Does the endpoint exist?")
            .when(_planned("endpoint_exists"), update)
            .otherwise(create)
        )
        config = self._unless_exists(
            "Does the config exist?",
            "endpoint_config_exists",
            create=self._steps.create_config(),
            then=endpoint,
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
        create.caught_by(self._failed).next(then)
        return sfn.Choice(self, question).when(_planned(flag), then).otherwise(create)

    def _await_endpoint(self, *, then: sfn.State) -> sfn.Wait:
        """Look until the endpoint serves the new config, or SageMaker has given up."""
        pause = self._steps.pause("Wait for endpoint")
        serves_new_config = sfn.Condition.string_equals_json_path(
            "$.endpoint.config", "$.plan.endpoint_config_name"
        )
        gave_up = sfn.Fail(
            self,
            "Endpoint not in service",
            error="EndpointNotInServiceError",
            cause="SageMaker could not start the new model; what served before still does, if any.",
        )
        pause.next(self._steps.describe().caught_by(self._failed)).next(
            sfn.Choice(self, "Is the endpoint in service?")
            .when(sfn.Condition.and_(_in_service(), serves_new_config), then)
            .when(sfn.Condition.or_(_in_service(), *_hopeless()), gave_up)
            .otherwise(pause)
        )
        return pause

    def _go_back(self) -> sfn.Choice:
        """Return to what served before when the new model's answers are wrong."""
        restore = self._steps.restore().caught_by(self._failed)
        restore.next(self._failed)
        replaced_another = sfn.Condition.and_(
            sfn.Condition.boolean_equals("$.plan.already_serving", value=False),
            sfn.Condition.is_present("$.plan.previous_endpoint_config_name"),
        )
        return (
            sfn.Choice(self, "Did another model serve before?")
            .when(replaced_another, restore)
            .otherwise(self._failed)
        )


def _planned(flag: str) -> sfn.Condition:
    return sfn.Condition.boolean_equals(f"$.plan.{flag}", value=True)


def _in_service() -> sfn.Condition:
    return sfn.Condition.string_equals("$.endpoint.status", "InService")


def _hopeless() -> list[sfn.Condition]:
    statuses = ("Failed", "OutOfService", "UpdateRollbackFailed", "Deleting")
    return [sfn.Condition.string_equals("$.endpoint.status", status) for status in statuses]
