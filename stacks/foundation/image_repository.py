"""Where the model images lie: never overwritten, pulled by the environments they are for."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct


class ImageRepository(ecr.Repository):
    """The repository of a pipeline's environment; images are referred to by digest alone."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        removal_policy: RemovalPolicy,
        scan: bool,
        pulled_by: Sequence[str],
    ) -> None:
        """Make it; ``pulled_by`` are the further accounts whose environments run its images."""
        super().__init__(
            scope,
            construct_id,
            encryption=ecr.RepositoryEncryption.KMS,
            encryption_key=key,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            image_scan_on_push=scan,
            removal_policy=removal_policy,
            empty_on_delete=removal_policy == RemovalPolicy.DESTROY,
        )
        for account in pulled_by:
            self.grant_pull(iam.AccountPrincipal(account))
