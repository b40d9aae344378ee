"""The tables: what is known of data, of models, of predictions, and the ledger of every change."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from lambdas.inference.contract import AWAITING_OUTCOME
from stacks.common.table import DataTable


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _number(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.NUMBER)


class Tables(Construct):
    """The environment's tables, and the key that their readers and writers need."""

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.IKey, removal_policy: RemovalPolicy
    ) -> None:
        super().__init__(scope, construct_id)
        self.key = key
        self.metadata = DataTable(
            self,
            "Metadata",
            partition_key=_text("pk"),
            sort_key=_text("sk"),
            key=key,
            removal_policy=removal_policy,
        )
        self.analytics = DataTable(
            self,
            "Analytics",
            partition_key=_text("pk"),
            sort_key=_text("sk"),
            key=key,
            removal_policy=removal_policy,
        )
        self.models = DataTable(
            self,
            "ModelRepository",
            partition_key=_text("pk"),
            sort_key=_text("sk"),
            key=key,
            removal_policy=removal_policy,
        )
        self.ledger = DataTable(
            self,
            "Ledger",
            partition_key=_text("chain"),
            sort_key=_number("sequence"),
            key=key,
            removal_policy=removal_policy,
        )
        self.predictions = DataTable(
            self,
            "Predictions",
            partition_key=_text("prediction_id"),
            expires_at="expires_at",
            sparse_index=(_text(AWAITING_OUTCOME), _text("entity_id")),
            key=key,
            removal_policy=removal_policy,
        )
        self.decisions = DataTable(
            self,
            "Decisions",
            partition_key=_text("decision_id"),
            key=key,
            removal_policy=removal_policy,
        )
        self.attempts = DataTable(
            self,
            "Attempts",
            partition_key=_text("request_key"),
            expires_at="expires_at",
            key=key,
            removal_policy=removal_policy,
        )
        self.evidence = DataTable(
            self,
            "ServingEvidence",
            partition_key=_text("endpoint_name"),
            sort_key=_text("version"),
            expires_at="expires_at",
            key=key,
            removal_policy=removal_policy,
        )
