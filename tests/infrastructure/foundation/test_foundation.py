"""What must survive: logical ids are pinned, ends are explicit, everything is encrypted."""

from __future__ import annotations

import pytest

PINNED = {
    "AWS::KMS::Key": {
        "Key961B73FD",
        "ModelRegistrySigningKey6051382E",
    },
    "AWS::S3::Bucket": {
        "BucketsAnalytics809A725E",
        "BucketsArtefacts8FA1FB42",
        "BucketsConfig83E9E70D",
        "BucketsLogsF3E46FAF",
        "BucketsModelInputA7B076B9",
        "BucketsModels32F0CFE2",
        "BucketsRawLakeCBA4F706",
    },
    "AWS::DynamoDB::Table": {
        "TablesAnalytics8C9AB49E",
        "TablesAttemptsCCE7EDCF",
        "TablesDecisions5C131F28",
        "TablesLedgerF9806C8B",
        "TablesMetadata0DDCEF2C",
        "TablesModelRepository3F7C561E",
        "TablesPredictions2A11ED16",
        "TablesServingEvidenceE5967FFE",
    },
}
DATA_BUCKETS = ("RawLake", "ModelInput", "Analytics", "Models", "Config", "Artefacts")


@pytest.mark.parametrize("kind", sorted(PINNED))
def test_logical_ids_are_pinned(kind, synthesise):
    """A changed id is a new, empty resource; if it must change, migrate the data first."""
    for environment in ("local", "dev", "staging", "prod"):
        assert set(synthesise(environment).resources("Foundation", kind)) == PINNED[kind]


@pytest.mark.parametrize(
    ("environment", "policy"),
    [("local", "Delete"), ("dev", "Delete"), ("staging", "Retain"), ("prod", "Retain")],
)
def test_what_becomes_of_state_is_explicit(environment, policy, synthesise):
    for kind in PINNED:
        for name, node in synthesise(environment).resources("Foundation", kind).items():
            assert node["DeletionPolicy"] == policy, name
            assert node["UpdateReplacePolicy"] == policy, name


def test_tables_of_prod_cannot_be_deleted_and_can_be_restored(prod):
    for name, node in prod.resources("Foundation", "AWS::DynamoDB::Table").items():
        properties = node["Properties"]
        assert properties["DeletionProtectionEnabled"] is True, name
        assert properties["PointInTimeRecoverySpecification"] == {
            "PointInTimeRecoveryEnabled": True
        }, name
        assert properties["SSESpecification"]["SSEType"] == "KMS", name
        assert properties["BillingMode"] == "PAY_PER_REQUEST", name


def bucket(synthesis, construct_id):
    (found,) = [
        (name, node)
        for name, node in synthesis.resources("Foundation", "AWS::S3::Bucket").items()
        if name.startswith(f"Buckets{construct_id}")
        and name[len(f"Buckets{construct_id}") :].isalnum()
        and len(name) == len(f"Buckets{construct_id}") + 8
    ]
    return found


@pytest.mark.parametrize("construct_id", DATA_BUCKETS)
def test_data_buckets_are_private_versioned_encrypted_and_logged(construct_id, local):
    _, node = bucket(local, construct_id)
    properties = node["Properties"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["LoggingConfiguration"]["LogFilePrefix"] == f"{construct_id}/"


def test_every_bucket_refuses_plain_http(local):
    policies = local.resources("Foundation", "AWS::S3::BucketPolicy").values()
    refusing = {
        policy["Properties"]["Bucket"]["Ref"]
        for policy in policies
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        and statement["Action"] == "s3:*"
        and statement["Principal"] == {"AWS": "*"}
    }
    assert refusing == set(local.resources("Foundation", "AWS::S3::Bucket"))


@pytest.mark.parametrize(
    ("construct_id", "emits"),
    [("RawLake", True), ("Artefacts", True), ("ModelInput", False), ("Models", False)],
)
def test_buckets_emit_events_by_their_own_property(construct_id, emits, local):
    _, node = bucket(local, construct_id)
    configured = node["Properties"].get("NotificationConfiguration", {})
    assert ("EventBridgeConfiguration" in configured) is emits


def test_the_key_rotates(local):
    key = local.resources("Foundation", "AWS::KMS::Key")["Key961B73FD"]
    assert key["Properties"]["EnableKeyRotation"] is True


def test_models_are_signed_with_a_key_that_can_do_nothing_else(local):
    keys = local.resources("Foundation", "AWS::KMS::Key")
    properties = keys["ModelRegistrySigningKey6051382E"]["Properties"]
    assert (properties["KeySpec"], properties["KeyUsage"]) == ("ECC_NIST_P256", "SIGN_VERIFY")


def test_predictions_expire(local):
    (table,) = [
        node["Properties"]
        for name, node in local.resources("Foundation", "AWS::DynamoDB::Table").items()
        if name.startswith("TablesPredictions")
    ]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_the_template_has_not_changed_by_accident(synthesise, snapshot, normalised):
    assert normalised(synthesise("prod").templates["Foundation"]) == snapshot
