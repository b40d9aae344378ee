"""Role sessions for the processes and tasks that run inside the embedded AWS.

A job, a container or a workflow task never holds the operator's keys: it gets the temporary
credentials of the role that it was given, and only if the role trusts the service that assumes it.
"""

import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ministack.core.iam_evaluator import EvalContext, evaluate_trust_policy
from ministack.services import iam, sts

from localcloud.registry import ServiceError

_HIDDEN = ("AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_SECURITY_TOKEN")
_SESSION_SECONDS = 12 * 3600


@dataclass(frozen=True)
class RoleSession:
    """Temporary credentials of an assumed role."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    arn: str

    def environment(self) -> dict[str, str]:
        """Return the three variables that every AWS SDK reads."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }


def assume_role(
    role_arn: str, service: str, session_name: str, source_arn: str | None = None
) -> RoleSession:
    """Assume `role_arn` for a service principal such as `sagemaker.amazonaws.com`.

    `source_arn` is the resource on whose behalf the service acts (`aws:SourceArn`).
    """
    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    role = iam._roles.get_scoped(account, None, name)  # noqa: SLF001  ministack has no public reader
    context = EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region="",
        service_context={"aws:sourceaccount": account, "aws:sourcearn": source_arn},
    )
    if role is None or not _trusts(role["AssumeRolePolicyDocument"], service, context):
        message = f"Could not assume role {role_arn}: its trust policy does not admit {service}"
        raise ServiceError("ValidationException", message)
    session = RoleSession(
        access_key_id=f"ASIA{secrets.token_hex(8).upper()}",
        secret_access_key=secrets.token_hex(20),
        session_token=secrets.token_hex(64),
        arn=f"arn:aws:sts::{account}:assumed-role/{name}/{session_name[:64]}",
    )
    sts.register_session(
        session.access_key_id,
        {
            "Arn": session.arn,
            "UserId": f"{role['RoleId']}:{session_name[:64]}",
            "SecretAccessKey": session.secret_access_key,
            "SessionToken": session.session_token,
            "AccountId": account,
            "Expiration": time.time() + _SESSION_SECONDS,
        },
    )
    return session


def _trusts(document: str, service: str, context: EvalContext) -> bool:
    """Evaluate a trust policy for a service; ministack's evaluator knows no service principals."""
    policy = json.loads(document)
    statements = policy["Statement"]
    statements = [statements] if isinstance(statements, dict) else statements
    naming = [{**each, "Principal": "*"} for each in statements if _names(each, service)]
    return bool(evaluate_trust_policy({**policy, "Statement": naming}, service, context))


def _names(statement: Mapping[str, Any], service: str) -> bool:
    principal = statement.get("Principal", {})
    if principal == "*":
        return True
    services = principal.get("Service", [])
    return service in ([services] if isinstance(services, str) else services)


def role_environment(role_arn: str, service: str, session_name: str) -> dict[str, str]:
    """Return a child process's whole environment: ours without our keys, with the role's session.

    Everything else that a client of the embedded AWS needs (endpoint, region, certificates) is in
    the daemon's own environment already.
    """
    environment = {key: value for key, value in os.environ.items() if key not in _HIDDEN}
    return environment | assume_role(role_arn, service, session_name).environment()
