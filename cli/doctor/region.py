"""Checks of the region: that it is open, and has the services, the AWS images and our own image."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping

from botocore.exceptions import ClientError

from cli.doctor.findings import Account, Finding, Plan, fault, well
from cli.project import tool_environment

SERVICES: Mapping[str, str] = {
    "AWS::Athena::": "athena",
    "AWS::CodeBuild::": "codebuild",
    "AWS::CodePipeline::": "codepipeline",
    "AWS::Cognito::": "cognito-idp",
    "AWS::EMRServerless::": "emr-serverless",
    "AWS::Glue::": "glue",
    "AWS::KinesisFirehose::": "firehose",
    "AWS::SageMaker::": "sagemaker",
    "AWS::StepFunctions::": "stepfunctions",
}
"""Services that not every region has, as botocore calls them, by what their types begin with."""
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
CLOSED = "DISABLED"


def opened(plan: Plan) -> list[Finding]:
    """Look whether the account has opened the region."""
    account = plan.account
    answer = account.client("account").get_region_opt_status(RegionName=account.region)
    if answer["RegionOptStatus"] == CLOSED:
        remedy = f"Run: aws account enable-region --region-name {account.region}"
        return [fault("region", f"the account has not opened {account.region}", remedy)]
    return well("region", f"{account.region} is open")


def services(plan: Plan) -> list[Finding]:
    """Look whether the region has the services that the templates use."""
    account = plan.account
    used = {
        service
        for prefix, service in SERVICES.items()
        for _, _, node in plan.assembly.resources
        if node["Type"].startswith(prefix)
    }
    missing = sorted(service for service in used if not _offered(account, service))
    return [
        fault(
            "services",
            f"{account.region} has no {service}",
            "Choose another region in environments.py",
        )
        for service in missing
    ] or well("services", f"{account.region} has all {len(used)} that are used")


def _offered(account: Account, service: str) -> bool:
    partition = account.session.get_partition_for_region(account.region)
    return account.region in account.session.get_available_regions(service, partition)


def region_tables(plan: Plan) -> list[Finding]:
    """Look whether tables of the templates by region know this one; AWS's images are in one."""
    region = plan.account.region
    found = [
        fault(
            "AWS's images",
            f"{block}'s table {name} of AWS's image accounts has no {region}",
            f"Choose one of {', '.join(table)}, or add it to stacks/config/algorithm_images.py",
        )
        for block, template in plan.assembly.templates.items()
        for name, table in template.get("Mappings", {}).items()
        if all(REGION.fullmatch(key) for key in table) and region not in table
    ]
    return found or well("AWS's images", f"known in {region}")


def image(plan: Plan) -> list[Finding]:
    """Look whether the region's registry has the model image, or this machine can build it."""
    account = plan.account
    repository = f"cdk-hnb659fds-container-assets-{account.number}-{account.region}"
    missing = [tag for tag in plan.assembly.images if not _in_registry(account, repository, tag)]
    if not missing:
        return well("model image", f"{len(plan.assembly.images)} in the registry")
    if shutil.which("docker", path=tool_environment()["PATH"]):
        return well("model image", "not in the registry yet; Docker builds it at deployment")
    what = f"image {missing[0][:12]} is not in {repository}, and this machine has no Docker"
    remedy = "Install Docker, or let the build pipeline deploy: its image stage builds and pushes"
    return [fault("model image", what, remedy)]


def _in_registry(account: Account, repository: str, tag: str) -> bool:
    try:
        account.client("ecr").describe_images(
            repositoryName=repository, imageIds=[{"imageTag": tag}]
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in {
            "ImageNotFoundException",
            "RepositoryNotFoundException",
        }:
            return False
        raise
    return True
