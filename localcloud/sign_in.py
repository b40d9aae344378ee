"""Cognito's role-based access: who signs in to a user pool gets the role of the group.

ministack puts no roles into ID tokens and gives everybody the identity pool's default role. Here,
as on AWS, an ID token names the roles of the user's groups and the preferred one, and an identity
pool with role mappings by token gives credentials of that role, if the role trusts the pool.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.iam_evaluator import EvalContext, evaluate_trust_policy
from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import cognito, iam, sts

Fields = Mapping[str, Any]
Answer = tuple[int, dict[str, str], bytes]
_PRINCIPAL = "cognito-identity.amazonaws.com"
_OK = 200


class _NotAuthorizedError(Exception):
    """Cognito refuses credentials; its words are the message."""


def install() -> None:
    """Put the groups' roles into ID tokens, and the token's role into credentials."""
    cognito._signed_jwt = _with_roles(cognito._signed_jwt)  # noqa: SLF001
    cognito._get_credentials_for_identity = _of_the_role(  # noqa: SLF001
        cognito._get_credentials_for_identity  # noqa: SLF001
    )


def _with_roles(sign: Callable[..., str]) -> Callable[..., str]:
    def signed_jwt(claims: dict[str, Any], pool_id: str = "", use: str = "") -> str:
        if use == "id" and claims.get("cognito:groups"):
            pool = cognito._get_pool_unscoped(pool_id) or {}  # noqa: SLF001
            known = pool.get("_groups", {})
            groups = [known[name] for name in claims["cognito:groups"] if name in known]
            claims = {**claims, **role_claims(groups)}
        return sign(claims, pool_id, use)

    return signed_jwt


def role_claims(groups: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the claims about the roles of a user's groups.

    The role of the group with the lowest precedence is preferred; two roles that share it leave
    none preferred.
    """
    with_role = [group for group in groups if group.get("RoleArn")]
    if not with_role:
        return {}
    roles = sorted({group["RoleArn"] for group in with_role})
    first = min(_precedence(group) for group in with_role)
    preferred = {group["RoleArn"] for group in with_role if _precedence(group) == first}
    named = {"cognito:preferred_role": preferred.pop()} if len(preferred) == 1 else {}
    return {"cognito:roles": roles, **named}


def _precedence(group: Fields) -> float:
    given = group.get("Precedence")
    return float("inf") if given is None else float(given)


def _of_the_role(give: Callable[[Fields], Answer]) -> Callable[[Fields], Answer]:
    def get_credentials_for_identity(data: Fields) -> Answer:
        answer = give(data)
        if answer[0] != _OK:
            return answer
        document = json.loads(answer[2])
        key = document["Credentials"]["AccessKeyId"]
        session = sts._sessions[key]  # noqa: SLF001
        try:
            role = _role(session, data.get("CustomRoleArn"))
        except _NotAuthorizedError as error:
            del sts._sessions[key]  # noqa: SLF001
            refused: Answer = error_response_json("NotAuthorizedException", str(error), 400)
            return refused
        if role:
            name = role.rsplit("/", 1)[-1]
            account = role.split(":")[4]
            session["Arn"] = (
                f"arn:aws:sts::{account}:assumed-role/{name}/CognitoIdentityCredentials"
            )
        return answer

    return get_credentials_for_identity


def _role(session: Fields, wanted: str | None) -> str | None:
    """Find the role that the sign-in gives; none where the pool has no mapping for it."""
    pool = cognito._identity_pools.get(session["_identity_pool_id"])  # noqa: SLF001
    mapped = _mapped(pool or {}, session["_logins"])
    if pool is None or mapped is None:
        return None
    mapping, claims = mapped
    role = _chosen(mapping, claims, wanted) or pool.get("_roles", {}).get("authenticated")
    if role is None or not _trusts(role, session):
        message = (
            "Invalid identity pool configuration. Check assigned IAM roles for this pool."
            if role
            else f"Access to Identity '{session['_identity_id']}' is forbidden."
        )
        raise _NotAuthorizedError(message)
    return role


def _mapped(pool: Fields, logins: Fields) -> tuple[Fields, Fields] | None:
    """Find the mapping by token for one of the logins, and the claims of its token."""
    for key, mapping in (pool.get("_role_mappings") or {}).items():
        provider, _, client = str(mapping.get("IdentityProvider") or key).rpartition(":")
        token = logins.get(provider)
        claims = cognito._token_claims(token) if token else {}  # noqa: SLF001
        if claims.get("aud") == client and mapping.get("Type") == "Token":
            return mapping, claims
    return None


def _chosen(mapping: Fields, claims: Fields, wanted: str | None) -> str | None:
    roles = list(claims.get("cognito:roles") or [])
    if wanted is not None:
        if wanted not in roles:
            message = f"User is not authorized to get credentials for role: {wanted}"
            raise _NotAuthorizedError(message)
        return wanted
    preferred = claims.get("cognito:preferred_role") or (roles[0] if len(roles) == 1 else None)
    if preferred is None and mapping.get("AmbiguousRoleResolution") == "Deny":
        raise _NotAuthorizedError("Token is not authorized to assume any role of this pool.")
    return preferred


def _trusts(role_arn: str, session: Fields) -> bool:
    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    role = iam._roles.get_scoped(account, None, name)  # noqa: SLF001
    context = EvalContext(
        principal_arn=_PRINCIPAL,
        principal_type="WebIdentityUser",
        principal_account=get_account_id(),
        action="sts:AssumeRoleWithWebIdentity",
        resource_arn=role_arn,
        region=get_region(),
        service_context={
            f"{_PRINCIPAL}:aud": session["_identity_pool_id"],
            f"{_PRINCIPAL}:amr": session["_cognito_amr"],
            f"{_PRINCIPAL}:sub": session["_identity_id"],
        },
    )
    return role is not None and evaluate_trust_policy(
        role["AssumeRolePolicyDocument"], _PRINCIPAL, context
    )
