"""The people of an environment: a user pool, its groups, and credentials for whoever signs in.

Signing in gives a token; the identity pool exchanges it for credentials of the role of the group.
So people sign their requests as machines do, and one language, IAM's, says who may do what. What a
group may call stands in the API's document; the stack that owns the API attaches it.
"""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.findings import acknowledge

GROUPS = ("approver", "operator", "viewer")
"""The most powerful first: who is in several gets the credentials of the first."""
_TOKEN_HOURS = 1


class People(Construct):
    """Who may sign in, and as what; nobody may sign up."""

    def __init__(
        self, scope: Construct, construct_id: str, *, removal_policy: RemovalPolicy
    ) -> None:
        super().__init__(scope, construct_id)
        self.pool = cognito.UserPool(
            self,
            "Pool",
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(username=True),
            sign_in_case_sensitive=False,
            account_recovery=cognito.AccountRecovery.NONE,
            mfa=cognito.Mfa.OPTIONAL,
            mfa_second_factor=cognito.MfaSecondFactor(sms=False, otp=True),
            password_policy=cognito.PasswordPolicy(
                min_length=14,
                require_digits=True,
                require_lowercase=True,
                require_uppercase=True,
                require_symbols=True,
                temp_password_validity=Duration.days(3),
            ),
            deletion_protection=removal_policy is RemovalPolicy.RETAIN,
            removal_policy=removal_policy,
        )
        self.client = self._client()
        self.identities = cognito.CfnIdentityPool(
            self,
            "Identities",
            allow_unauthenticated_identities=False,
            cognito_identity_providers=[
                cognito.CfnIdentityPool.CognitoIdentityProviderProperty(
                    client_id=self.client.user_pool_client_id,
                    provider_name=self.pool.user_pool_provider_name,
                    server_side_token_check=True,
                )
            ],
        )
        self.roles: Mapping[str, iam.Role] = {
            group: self._group(group, precedence) for precedence, group in enumerate(GROUPS)
        }
        self._hand_out_roles()
        self._acknowledge()

    def _client(self) -> cognito.UserPoolClient:
        return self.pool.add_client(
            "Client",
            auth_flows=cognito.AuthFlow(user_srp=True, user_password=True),
            disable_o_auth=True,
            generate_secret=False,
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            id_token_validity=Duration.hours(_TOKEN_HOURS),
            access_token_validity=Duration.hours(_TOKEN_HOURS),
            refresh_token_validity=Duration.hours(12),
        )

    def _group(self, group: str, precedence: int) -> iam.Role:
        pool = self.identities.ref
        role = iam.Role(
            self,
            group.capitalize(),
            description=f"What people of the group {group} may do.",
            max_session_duration=Duration.hours(_TOKEN_HOURS),
            assumed_by=iam.WebIdentityPrincipal(
                "cognito-identity.amazonaws.com",
                {
                    "StringEquals": {"cognito-identity.amazonaws.com:aud": pool},
                    "ForAnyValue:StringLike": {
                        "cognito-identity.amazonaws.com:amr": "authenticated"
                    },
                },
            ),
        )
        cognito.CfnUserPoolGroup(
            self,
            f"{group.capitalize()}Group",
            user_pool_id=self.pool.user_pool_id,
            group_name=group,
            precedence=precedence,
            role_arn=role.role_arn,
        )
        return role

    def _hand_out_roles(self) -> None:
        """Give the role that the token names; who is in no group gets none."""
        provider = f"{self.pool.user_pool_provider_name}:{self.client.user_pool_client_id}"
        cognito.CfnIdentityPoolRoleAttachment(
            self,
            "Roles",
            identity_pool_id=self.identities.ref,
            role_mappings={
                "people": cognito.CfnIdentityPoolRoleAttachment.RoleMappingProperty(
                    type="Token",
                    ambiguous_role_resolution="Deny",
                    identity_provider=provider,
                )
            },
        )

    def _acknowledge(self) -> None:
        acknowledge(
            self.pool,
            {
                "AwsSolutions-COG2": (
                    "A second factor is everybody's choice here; an identity provider of the "
                    "company, which demands one, is connected per environment."
                ),
                "AwsSolutions-COG8": (
                    "The Plus plan is paid per person; what it adds, threat protection, is argued "
                    "for below."
                ),
                "AwsSolutions-COG3": (
                    "Threat protection needs the Plus plan; nobody can sign up, and credentials "
                    "last for an hour."
                ),
            },
        )
