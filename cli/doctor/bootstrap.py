"""Checks of what `cdk bootstrap` made: that it is there, new enough, and may be used."""

from __future__ import annotations

from botocore.exceptions import ClientError

from cli.doctor.findings import Account, Finding, Plan, fault, well

PARAMETER = "/cdk-bootstrap/hnb659fds/version"
SESSION = "fourblocks-doctor"


def bootstrap(plan: Plan) -> list[Finding]:
    """Look whether the account and region are bootstrapped, and whether its roles can be taken."""
    account = plan.account
    again = f"Run: cdk bootstrap aws://{account.number}/{account.region}"
    version = _version(account)
    if version is None:
        where = f"{account.number}/{account.region}"
        missing = fault("bootstrap", f"{where} is not bootstrapped", again)
        return [missing, *_left_bucket(account)]
    if version < plan.assembly.bootstrap_version:
        needed = plan.assembly.bootstrap_version
        what = f"its version is {version}, the stacks need {needed}"
        return [fault("bootstrap", what, again)]
    return _role(account) or well("bootstrap", f"version {version}")


def _version(account: Account) -> int | None:
    try:
        answer = account.client("ssm").get_parameter(Name=PARAMETER)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ParameterNotFound":
            return None
        raise
    return int(answer["Parameter"]["Value"])


def _left_bucket(account: Account) -> list[Finding]:
    """Look for the bucket of an earlier bootstrap: it is kept, and in the next one's way."""
    bucket = f"cdk-hnb659fds-assets-{account.number}-{account.region}"
    try:
        account.client("s3").head_bucket(Bucket=bucket)
        whose = "is left from an earlier bootstrap"
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 404:  # noqa: PLR2004 - not found
            return []
        whose = "exists and belongs to somebody else"
    remedy = f"Delete it (aws s3 rb --force s3://{bucket}), or bootstrap under another --qualifier"
    return [fault("bootstrap", f"the bucket {bucket} {whose}", remedy)]


def _role(account: Account) -> list[Finding]:
    name = f"cdk-hnb659fds-deploy-role-{account.number}-{account.region}"
    try:
        account.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{account.number}:role/{name}", RoleSessionName=SESSION
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        remedy = f"Let the caller do sts:AssumeRole on {name}, or choose another --profile"
        return [fault("bootstrap", f"the caller may not take the role {name}", remedy)]
    return []
