"""Foundation: all that must survive a change, a mistake or the removal of any block.

It owns the environment's keys, the buckets and the tables, and nothing that runs. The block stacks
refer to what is here and own nothing that would hurt to lose.
"""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from constructs import Construct

from stacks.common.budget import MonthlyBudget
from stacks.common.environment_stack import EnvironmentStack
from stacks.common.outputs import publish
from stacks.config.environments import promoted_from
from stacks.config.model import EnvironmentConfig
from stacks.foundation.buckets import Buckets
from stacks.foundation.encryption import EnvironmentKey
from stacks.foundation.image_repository import ImageRepository
from stacks.foundation.model_registry import ModelRegistry
from stacks.foundation.people import People
from stacks.foundation.prediction_queue import PredictionQueue
from stacks.foundation.tables import Tables


class FoundationStack(EnvironmentStack):
    """Everything stateful."""

    def __init__(self, scope: Construct, construct_id: str, *, config: EnvironmentConfig) -> None:
        super().__init__(scope, construct_id, config=config)
        settings = config.foundation
        removal = RemovalPolicy[settings.removal.upper()]
        self.key = EnvironmentKey(self, "Key", removal_policy=removal)
        self.buckets = Buckets(
            self, "Buckets", key=self.key, removal_policy=removal, settings=settings
        )
        self.tables = Tables(self, "Tables", key=self.key, removal_policy=removal)
        self.registry = ModelRegistry(
            self,
            "ModelRegistry",
            group_name=config.model_package_group,
            removal_policy=removal,
        )
        self.images = self._images(config, removal)
        self.people = People(self, "People", removal_policy=removal)
        if config.budget is not None:
            budget = MonthlyBudget(self, "Budget", key=self.key, settings=config.budget)
            publish(self, BudgetTopicArn=budget.topic.topic_arn)
        self.prediction_queue = PredictionQueue(
            self, "PredictionQueue", key=self.key, removal_policy=removal
        )
        publish(
            self,
            UserPoolId=self.people.pool.user_pool_id,
            UserPoolClientId=self.people.client.user_pool_client_id,
            IdentityPoolId=self.people.identities.ref,
            UseCase=config.use_case,
            RawLakeBucketName=self.buckets.raw_lake.bucket_name,
            ModelInputBucketName=self.buckets.model_input.bucket_name,
            AnalyticsBucketName=self.buckets.analytics.bucket_name,
            ModelBucketName=self.buckets.models.bucket_name,
            ConfigBucketName=self.buckets.config.bucket_name,
            ArtefactBucketName=self.buckets.artefacts.bucket_name,
            MetadataTableName=self.tables.metadata.table_name,
            AnalyticsTableName=self.tables.analytics.table_name,
            ModelTableName=self.tables.models.table_name,
            LedgerTableName=self.tables.ledger.table_name,
            PredictionTableName=self.tables.predictions.table_name,
            DecisionTableName=self.tables.decisions.table_name,
            PredictionQueueUrl=self.prediction_queue.queue.queue_url,
            UndeliveredPredictionQueueUrl=self.prediction_queue.undelivered.queue_url,
            SigningKeyArn=self.registry.signing_key.key_arn,
            ModelPackageGroup=config.model_package_group,
        )

    def _images(self, config: EnvironmentConfig, removal: RemovalPolicy) -> ImageRepository | None:
        """Make the repository that a pipeline of this environment pushes to."""
        if config.build is None:
            return None
        accounts = {each.account for each in promoted_from(config)} - {config.account, None}
        return ImageRepository(
            self,
            "Images",
            key=self.key,
            removal_policy=removal,
            scan=config.build.scan_image,
            pulled_by=sorted(each for each in accounts if each),
        )
