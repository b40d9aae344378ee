"""Role sessions for the processes and tasks that run inside the embedded AWS.

A job, a container or a workflow task never holds the operator's keys: it gets the temporary
credentials of the role that it was given, and only if the role trusts the service that assumes it.
"""

import os
import secrets
import time
from dataclasses import dataclass

from ministack.core.iam_evaluator import evaluate_trust_policy
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


def assume_role(role_arn: str, service: str, session_name: str) -> RoleSession:
    """Assume `role_arn` for a service principal such as `sagemaker.amazonaws.com`."""
    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    role = iam._roles.get_scoped(account, None, name)  # noqa: SLF001  ministack has no public reader
    if role is None or not evaluate_trust_policy(role["AssumeRolePolicyDocument"], service):
        message = f"Could not assume role {role_arn}: {service} is not in its trust policy"
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


def role_environment(role_arn: str, service: str, session_name: str) -> dict[str, str]:
    """Return a child process's whole environment: ours without our keys, with the role's session.

    Everything else that a client of the embedded AWS needs (endpoint, region, certificates) is in
    the daemon's own environment already.
    """
    environment = {key: value for key, value in os.environ.items() if key not in _HIDDEN}
    return environment | assume_role(role_arn, service, session_name).environment()
