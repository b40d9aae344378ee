"""The role that GitHub's workflows deploy with: no key, and for one environment of one repository.

GitHub signs a token for each job; AWS exchanges it for an hour's credentials when the token names
this repository and this environment, which GitHub in turn gives to the branches and after the
reviews that the environment asks for.
"""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.build_pipeline.deployment_access import grant_deployment
from stacks.common.environment_stack import EnvironmentStack
from stacks.common.outputs import publish
from stacks.config.model import EnvironmentConfig, GitHubSettings

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"


class GitHubAccessStack(EnvironmentStack):
    """What a person deploys once, so that workflows can deploy the rest."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: EnvironmentConfig,
        settings: GitHubSettings,
    ) -> None:
        super().__init__(scope, construct_id, config=config)
        subject = f"repo:{settings.owner}/{settings.repository}:environment:{config.environment}"
        self.role = iam.Role(
            self,
            "Role",
            description=f"GitHub deploys {config.environment}",
            assumed_by=iam.WebIdentityPrincipal(
                settings.provider_arn or self._provider(),
                {"StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subject}},
            ),
            max_session_duration=Duration.hours(1),
        )
        grant_deployment(self.role, config)
        publish(self, RoleArn=self.role.role_arn)

    def _provider(self) -> str:
        """Make the account know GitHub; an account knows each issuer once."""
        provider = iam.CfnOIDCProvider(
            self, "Provider", url=f"https://{ISSUER}", client_id_list=[AUDIENCE]
        )
        return provider.attr_arn
