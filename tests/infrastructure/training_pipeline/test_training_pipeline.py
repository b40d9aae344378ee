"""The training pipeline's intent: what jobs may touch, and when a model goes on."""

from __future__ import annotations

import json

from stacks.config.environments import ENVIRONMENTS, LOCAL, PROD
from tests.infrastructure.definitions import definition_of, statements_of, states_of

BLOCK = "TrainingPipeline"


def states(synthesis) -> dict[str, dict]:
    ((_, machine),) = synthesis.resources(BLOCK, "AWS::StepFunctions::StateMachine").items()
    return dict(states_of(definition_of(machine)))


def job_role(synthesis) -> str:
    ((role, _),) = [
        (name, node)
        for name, node in synthesis.resources(BLOCK, "AWS::IAM::Role").items()
        if "sagemaker.amazonaws.com" in json.dumps(node)
    ]
    return role


def rule(synthesis, described: str) -> dict:
    (found,) = [
        node["Properties"]
        for node in synthesis.resources(BLOCK, "AWS::Events::Rule").values()
        if node["Properties"]["Description"] == described
    ]
    return found


def test_a_published_dataset_of_the_use_case_starts_a_training(local):
    found = rule(local, "A dataset version was published")
    pattern = found["EventPattern"]
    assert pattern["source"] == ["fourblocks.data_pipeline"]
    assert pattern["detail-type"] == ["DatasetPublished"]
    assert pattern["detail"] == {"use_case": [LOCAL.use_case], "trainable": [True]}
    (target,) = found["Targets"]
    assert target["InputTransformer"]["InputPathsMap"] == {
        "detail-dataset_id": "$.detail.dataset_id"
    }


def test_a_training_that_waited_or_a_new_configuration_starts_one_too(local):
    found = rule(local, "A training is due")
    assert found["EventPattern"]["source"] == ["fourblocks.training_pipeline"]
    assert found["EventPattern"]["detail-type"] == ["TrainingDue"]
    assert found["EventPattern"]["detail"] == {"use_case": [LOCAL.use_case]}


def test_a_document_of_this_use_case_in_the_config_store_is_checked(local):
    found = rule(local, "A training configuration arrived")
    assert found["EventPattern"]["detail"]["object"] == {
        "key": [{"wildcard": f"training/{LOCAL.use_case}/*.yaml"}]
    }
    assert "ConfigStoreCheck" in json.dumps(found["Targets"])


def test_production_trains_by_the_calendar_too(local, prod):
    assert rule(prod, "It is time to train")["ScheduleExpression"] == PROD.training.schedule
    assert LOCAL.training.schedule is None


def test_members_train_side_by_side_each_with_its_own_plan(prod):
    every = states(prod)["Train members"]
    assert every["ItemsPath"] == "$.plan.members"
    assert every["MaxConcurrency"] == PROD.training.concurrent_jobs
    assert every["ItemSelector"]["member.$"] == "$$.Map.Item.Value"
    assert every["Catch"][-1]["Next"] == "Release training"


def test_jobs_have_no_network_and_the_configured_size(prod):
    member = states(prod)["Train member"]["Parameters"]
    evaluation = states(prod)["Evaluate challenger"]["Parameters"]
    assert member["EnableNetworkIsolation"] is True
    assert evaluation["NetworkConfig"] == {"EnableNetworkIsolation": True}
    stacker = states(prod)["Train stacker"]["Parameters"]
    assert member["ResourceConfig.$"] == "$.member.request.ResourceConfig"
    assert member["StoppingCondition.$"] == "$.member.request.StoppingCondition"
    assert member["EnableManagedSpotTraining.$"] == "$.member.request.EnableManagedSpotTraining"
    assert stacker["ResourceConfig"]["InstanceType"] == PROD.training.instance_type
    limit = PROD.training.job_timeout_seconds
    assert stacker["StoppingCondition"] == {"MaxRuntimeInSeconds": limit}
    assert evaluation["StoppingCondition"] == {"MaxRuntimeInSeconds": limit}


def test_what_jobs_write_is_encrypted_with_the_environment_s_key(prod):
    member = states(prod)["Train member"]["Parameters"]
    evaluation = states(prod)["Evaluate challenger"]["Parameters"]
    assert "Key" in member["OutputDataConfig"]["KmsKeyId"]
    assert "Key" in evaluation["ProcessingOutputConfig"]["KmsKeyId"]


def test_jobs_read_datasets_and_models_and_write_only_trainings_and_evaluations(prod):
    written, read = [], []
    for actions, resources in statements_of(prod.templates[BLOCK], job_role(prod)):
        written += resources if "s3:PutObject" in actions else []
        read += resources if "s3:GetObject" in actions else []
        assert not any("Delete" in action for action in actions)
    assert {arn.rsplit("/", 2)[1] for arn in written} == {"trainings", "evaluations"}
    assert {arn.rsplit("/", 2)[1] for arn in read} == {
        "datasets",
        "models",
        "pretrained",
        "training",
        "trainings",
    }


def test_members_of_any_mode_are_made_by_what_their_plan_says(prod):
    choice = states(prod)["How is the member made?"]
    rules = {rule["StringEquals"]: rule["Next"] for rule in choice["Choices"]}
    assert rules == {
        "train": "Train member",
        "tune": "Tune member",
        "tune_on": "Tune member on",
    }
    assert choice["Default"] == "Take known member"
    tuned = states(prod)["Tune member on"]["Parameters"]
    assert tuned["WarmStartConfig.$"] == "$.member.tuning.WarmStartConfig"
    assert "WarmStartConfig.$" not in states(prod)["Tune member"]["Parameters"]
    assert tuned["TrainingJobDefinition"]["EnableNetworkIsolation"] is True


def test_a_reproduction_is_compared_and_never_judged(prod):
    choice = states(prod)["Is it a reproduction?"]
    (rule,) = choice["Choices"]
    assert rule["Next"] == "Compare with original"
    assert states(prod)["Compare with original"]["Next"] == "Version compared"
    assert choice["Default"] == "Evaluate challenger"


def test_the_next_training_may_begin_before_anybody_is_asked(prod):
    found = states(prod)
    assert found["Register model"]["Next"] == "End training"
    assert found["End training"]["Next"] == "Is the model approved?"


def test_only_an_approved_model_is_deployed(prod):
    choice = states(prod)["Is the model approved?"]
    rules = [(rule["Variable"], rule["StringEquals"], rule["Next"]) for rule in choice["Choices"]]
    assert rules == [
        ("$.model.state", "approved", "Deploy model"),
        ("$.model.state", "candidate", "Ask for approval"),
    ]
    assert choice["Default"] == "Champion stays"


def test_a_candidate_waits_for_a_person_and_nobodys_answer_is_recorded_too(prod):
    found = states(prod)
    ask = found["Ask for approval"]
    assert ask["Resource"].endswith("lambda:invoke.waitForTaskToken")
    assert ask["Parameters"]["Payload"]["task_token.$"] == "$$.Task.Token"
    assert ask["TimeoutSeconds"] == PROD.training.approval_hours * 3600
    assert [(c["ErrorEquals"], c["Next"]) for c in ask["Catch"]] == [
        (["States.Timeout"], "Nobody answered"),
        (["States.ALL"], "Release training"),
    ]
    assert ask["Next"] == found["Nobody answered"]["Next"] == "Record approval"
    assert found["Record approval"]["Next"] == "Is the model approved?"


def test_a_person_decides_in_production_and_nowhere_else():
    approvals = {name: config.training.approval for name, config in ENVIRONMENTS.items()}
    assert approvals == {
        "local": "automatic",
        "dev": "automatic",
        "staging": "automatic",
        "prod": "human",
    }


def test_the_function_that_takes_decisions_answers_one_workflow_only(prod):
    (role,) = [
        name for name in prod.resources(BLOCK, "AWS::IAM::Role") if "ApprovalApiDecision" in name
    ]
    told = [
        resources
        for actions, resources in statements_of(prod.templates[BLOCK], role)
        if "states:SendTaskSuccess" in actions
    ]
    ((machine, _),) = prod.resources(BLOCK, "AWS::StepFunctions::StateMachine").items()
    assert told == [[f"<{machine}>"]]


def test_an_approved_model_that_was_never_deployed_is_deployed_by_the_next_run(prod):
    choice = states(prod)["Is there something to train?"]
    assert [rule["Next"] for rule in choice["Choices"]] == [
        "Is data to be prepared?",
        "Take registered model",
    ]
    assert choice["Default"] == "Nothing to train"
    assert states(prod)["Take registered model"]["Next"] == "Deploy model"


def test_a_failed_deployment_keeps_the_registered_model(prod):
    assert states(prod)["Deploy model"]["Catch"][-1]["Next"] == "Training failed"


def test_functions_name_the_image_by_digest_and_the_ensemble_as_json(local):
    for node in local.resources(BLOCK, "AWS::Lambda::Function").values():
        variables = node["Properties"]["Environment"]["Variables"]
        assert json.dumps(variables["TRAINING_CONFIG_URI"]).endswith('.json"}')
        assert variables["JOB_NAME_PREFIX"] == "fourblocks-local"
        assert variables["TRAINING_THREADS"] == str(LOCAL.training.threads)


def test_the_image_holds_what_the_dockerfile_copies_and_no_more(local):
    manifest = json.loads(next(local.folder.glob("*TrainingPipeline*.assets.json")).read_text())
    ((digest, image),) = manifest["dockerImages"].items()
    folder = local.folder / image["source"]["directory"]
    assert image["source"]["directory"] == f"asset.{digest}"
    assert image["source"]["dockerFile"] == "pipeline_code/Dockerfile"
    assert {path.name for path in folder.iterdir()} == {
        "pipeline_code",
        "use_cases",
        "requirements",
        "constraints.txt",
    }
    assert [path.name for path in (folder / "requirements").iterdir()] == ["container.txt"]
