"""How the members get their models, side by side: trained, searched for, or taken as they are."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.training_pipeline.training_jobs import TrainingJobs


class Members(Construct):
    """One branch a member; each ends with what `collect_members` takes."""

    def __init__(
        self, scope: Construct, construct_id: str, *, jobs: TrainingJobs, concurrency: int
    ) -> None:
        super().__init__(scope, construct_id)
        self._jobs = jobs
        self._concurrency = concurrency

    def state(self, workflow_role: iam.Role) -> sfn.Map:
        """Leave all members of `$.plan.members` under `$.members`, each with its artefact."""
        return sfn.Map(
            self,
            "Train members",
            items_path="$.plan.members",
            max_concurrency=self._concurrency,
            item_selector={
                "member.$": "$$.Map.Item.Value",
                "output_uri.$": "$.plan.output_uri",
            },
            result_path="$.members",
        ).item_processor(self._member(workflow_role))

    def _member(self, role: iam.Role) -> sfn.Choice:
        failed = sfn.Fail(
            self, "Member failed", error_path="$.failure.Error", cause_path="$.failure.Cause"
        )
        train = self._jobs.member_state(role).caught_by(failed)
        train.next(self._trained())
        found = self._found()
        searches = {
            action: self._jobs.search_state(role, name, warm=action == "tune_on").caught_by(failed)
            for action, name in _SEARCHES.items()
        }
        choice = sfn.Choice(self, "How is the member made?").when(_action("train"), train)
        for action, search in searches.items():
            search.next(found)
            choice.when(_action(action), search)
        return choice.otherwise(self._known())

    def _trained(self) -> sfn.Pass:
        return self._member_of(
            "Take trained member",
            {
                "artefact_uri.$": "$.trained.artefact_uri",
                "training_job_name.$": "$.trained.training_job_name",
                "tuning_job_name": "",
                "hyperparameters": {},
            },
        )

    def _found(self) -> sfn.Pass:
        return self._member_of(
            "Take best member",
            {
                "artefact_uri.$": (
                    "States.Format('{}/{}/output/model.tar.gz', $.output_uri, "
                    "$.tuned.training_job_name)"
                ),
                "training_job_name.$": "$.tuned.training_job_name",
                "tuning_job_name.$": "$.tuned.tuning_job_name",
                "hyperparameters.$": "$.tuned.hyperparameters",
            },
        )

    def _known(self) -> sfn.Pass:
        return self._member_of(
            "Take known member",
            {
                "artefact_uri.$": "$.member.artefact_uri",
                "training_job_name": "",
                "tuning_job_name": "",
                "hyperparameters": {},
            },
        )

    def _member_of(self, state_name: str, facts: dict[str, object]) -> sfn.Pass:
        named = {"name.$": "$.member.name", "cache_key.$": "$.member.cache_key"}
        return sfn.Pass(self, state_name, parameters={**named, **facts})


_SEARCHES = {"tune": "Tune member", "tune_on": "Tune member on"}


def _action(name: str) -> sfn.Condition:
    return sfn.Condition.string_equals("$.member.action", name)
