"""The one way to make a table: on demand, encrypted, recoverable, and with an explicit end."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct


class DataTable(dynamodb.Table):
    """A table under the environment's key, restorable to any second of the last 35 days.

    A sparse index is named after its partition key and holds the items that have one.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        partition_key: dynamodb.Attribute,
        sort_key: dynamodb.Attribute | None = None,
        expires_at: str | None = None,
        sparse_index: tuple[dynamodb.Attribute, dynamodb.Attribute] | None = None,
        key: kms.IKey,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            partition_key=partition_key,
            sort_key=sort_key,
            time_to_live_attribute=expires_at,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=removal_policy is RemovalPolicy.RETAIN,
            removal_policy=removal_policy,
        )
        self.key = key
        if sparse_index is not None:
            partition, sort = sparse_index
            self.add_global_secondary_index(
                index_name=partition.name,
                partition_key=partition,
                sort_key=sort,
                projection_type=dynamodb.ProjectionType.KEYS_ONLY,
            )
