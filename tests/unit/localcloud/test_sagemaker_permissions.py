"""What a caller must be allowed for each SageMaker operation."""

from localcloud.registry import Call, Caller
from localcloud.sagemaker.permissions import permissions

ARN = "arn:aws:sagemaker:us-east-1:000000000000"
ROLE = "arn:aws:iam::000000000000:role/job"


def needed(operation, **parameters):
    caller = Caller("AKIA", "arn:aws:iam::000000000000:root")
    call = Call("sagemaker", operation, parameters, "us-east-1", "000000000000", caller)
    return [(each.action, each.resource, dict(each.context)) for each in permissions(call)]


def test_a_job_is_created_on_its_own_arn_with_a_role_that_is_passed():
    assert needed("CreateTrainingJob", TrainingJobName="one", RoleArn=ROLE) == [
        ("sagemaker:CreateTrainingJob", f"{ARN}:training-job/one", {}),
        ("iam:PassRole", ROLE, {"iam:PassedToService": "sagemaker.amazonaws.com"}),
    ]


def test_tags_on_creation_need_their_own_permission_and_are_in_the_context():
    context = {"aws:RequestTag/team": "ml", "aws:TagKeys": ["team"]}

    assert needed("CreateModel", ModelName="one", Tags=[{"Key": "team", "Value": "ml"}]) == [
        ("sagemaker:CreateModel", f"{ARN}:model/one", context),
        ("sagemaker:AddTags", f"{ARN}:model/one", context),
    ]


def test_an_endpoint_and_its_configuration_are_both_checked():
    asked = needed("UpdateEndpoint", EndpointName="one", EndpointConfigName="two")

    assert [resource for _, resource, _ in asked] == [
        f"{ARN}:endpoint/one",
        f"{ARN}:endpoint-config/two",
    ]


def test_a_list_is_checked_on_everything_and_tags_on_their_resource():
    assert needed("ListModels", NameContains="x") == [("sagemaker:ListModels", "*", {})]
    assert needed("ListTags", ResourceArn=f"{ARN}:model/one") == [
        ("sagemaker:ListTags", f"{ARN}:model/one", {})
    ]
