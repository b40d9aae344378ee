"""Feature groups as they are synthesised: one a group of inputs, known names, narrow roles."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline_code.use_case import load_use_case
from stacks.config.environments import LOCAL, PROD
from stacks.data_pipeline.transform import PYTHON_MODULES
from tests.infrastructure.definitions import statements_of, text_of

BLOCK = "DataPipeline"
KIND = "AWS::SageMaker::FeatureGroup"
USE_CASE = load_use_case(LOCAL.use_case)
ROOT = Path(__file__).parents[3]


def groups(synthesis) -> dict[str, dict]:
    """Feature groups by their name."""
    found = synthesis.resources(BLOCK, KIND).values()
    return {node["Properties"]["FeatureGroupName"]: node for node in found}


def name_of(config, group: str) -> str:
    return f"{config.feature_group_prefix}-{group}-v{USE_CASE.inputs_version}"


def test_each_group_of_inputs_has_a_feature_group_of_a_known_name(prod):
    assert set(groups(prod)) == {name_of(PROD, group) for group in USE_CASE.inputs}
    assert all(len(name) <= 64 for name in groups(prod))


def test_a_feature_group_has_the_inputs_of_its_group_with_their_types(prod):
    types = {"string": "String", "datetime": "String", "integer": "Integral"}
    for group, fields in USE_CASE.inputs.items():
        properties = groups(prod)[name_of(PROD, group)]["Properties"]
        assert properties["RecordIdentifierFeatureName"] == "entity_id"
        assert properties["EventTimeFeatureName"] == "event_time"
        made = {
            each["FeatureName"]: each["FeatureType"] for each in properties["FeatureDefinitions"]
        }
        wanted = {name: types.get(field.type, "Fractional") for name, field in fields.items()}
        assert made == {"entity_id": "String", "event_time": "String", **wanted}


def test_records_are_encrypted_and_outlive_the_stack_where_data_does(prod, local):
    for node in groups(prod).values():
        online = node["Properties"]["OnlineStoreConfig"]
        offline = node["Properties"]["OfflineStoreConfig"]["S3StorageConfig"]
        assert online["EnableOnlineStore"] is True
        assert online["SecurityConfig"]["KmsKeyId"] == offline["KmsKeyId"]
        assert node["DeletionPolicy"] == "Retain"
    assert {node["DeletionPolicy"] for node in groups(local).values()} == {"Delete"}


def test_a_feature_group_names_the_table_that_its_rows_are_found_by(prod):
    tables = {
        logical_id: node["Properties"]["TableInput"]
        for logical_id, node in prod.resources(BLOCK, "AWS::Glue::Table").items()
    }
    for name, node in groups(prod).items():
        offline = node["Properties"]["OfflineStoreConfig"]
        wanted = offline["DataCatalogConfig"]["TableName"]
        assert offline["DisableGlueTableCreation"] is True
        (table,) = (each for each in tables.values() if each["Name"] == wanted)
        assert text_of(table["StorageDescriptor"]["Location"]).endswith(f"/features/{name}/")
        assert [key["Name"] for key in table["PartitionKeys"]] == ["year", "month"]
        features = [each["FeatureName"] for each in node["Properties"]["FeatureDefinitions"]]
        columns = [column["Name"] for column in table["StorageDescriptor"]["Columns"]]
        assert columns == [*features, "write_time", "api_invocation_time", "is_deleted"]


def test_feature_store_itself_may_add_files_under_one_prefix_and_read_none(prod):
    (role,) = {node["Properties"]["RoleArn"]["Fn::GetAtt"][0] for node in groups(prod).values()}
    allowed = [
        (action, resource)
        for actions, resources in statements_of(prod.templates[BLOCK], role)
        for action in actions
        for resource in resources
        if action.startswith("s3:")
    ]
    assert {action for action, _ in allowed} == {
        "s3:GetBucketAcl",
        "s3:PutObject",
        "s3:PutObjectAcl",
    }
    assert all(r.endswith("/features/*") for a, r in allowed if a != "s3:GetBucketAcl")


def test_the_job_may_read_and_write_records_of_these_groups_and_of_no_other(prod):
    roles = prod.resources(BLOCK, "AWS::IAM::Role")
    (job,) = (name for name in roles if name.startswith("Transform"))
    written = {
        action: {resource.rsplit("/", 1)[1] for resource in resources}
        for actions, resources in statements_of(prod.templates[BLOCK], job)
        for action in actions
        if action.startswith("sagemaker:")
    }
    names = {name_of(PROD, group) for group in USE_CASE.inputs}
    actions = ("BatchGetRecord", "BatchWriteRecord", "PutRecord")
    assert written == {f"sagemaker:{action}": names for action in actions}


def test_the_job_s_boto3_is_the_one_that_the_project_is_tested_with():
    assert PYTHON_MODULES in re.findall(r"(?m)^boto3==.*$", (ROOT / "requirements.txt").read_text())
