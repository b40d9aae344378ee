"""The data pipeline's intent: who starts it, what the job may touch, what the catalog says."""

from __future__ import annotations

import json

import pytest

from pipeline_code.use_case import load_use_case
from stacks.config.environments import LOCAL
from tests.infrastructure.definitions import statements_of, text_of

USE_CASE = load_use_case(LOCAL.use_case)
BLOCK = "DataPipeline"


def job_of(synthesis):
    ((_, node),) = synthesis.resources(BLOCK, "AWS::Glue::Job").items()
    return node["Properties"]


def test_an_object_under_landing_starts_the_workflow(local):
    (rule,) = (
        node
        for node in local.resources(BLOCK, "AWS::Events::Rule").values()
        if node["Properties"].get("EventPattern", {}).get("source") == ["aws.s3"]
    )
    pattern = rule["Properties"]["EventPattern"]
    assert pattern["source"] == ["aws.s3"]
    assert pattern["detail-type"] == ["Object Created"]
    assert pattern["detail"]["object"] == {"key": [{"prefix": "landing/"}]}
    assert "RawLake" in text_of(pattern["detail"]["bucket"]["name"][0])
    (target,) = rule["Properties"]["Targets"]
    assert "DeadLetterConfig" in target
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == 86400


def test_the_catalog_has_a_table_for_each_source_with_its_columns(local):
    tables = {
        node["Properties"]["TableInput"]["Name"]: node["Properties"]["TableInput"]
        for node in local.resources(BLOCK, "AWS::Glue::Table").values()
    }
    assert set(tables) >= {*USE_CASE.sources, *USE_CASE.analytics, "quarantine", "labels"}
    for name, table in USE_CASE.analytics.items():
        storage = tables[name]["StorageDescriptor"]
        assert [c["Name"] for c in storage["Columns"]] == [c.name for c in table.columns]
        assert [key["Name"] for key in tables[name]["PartitionKeys"]] == ["dataset"]
        assert text_of(storage["Location"]).endswith(f"/analytics/{name}/")
    for name, source in USE_CASE.sources.items():
        storage = tables[name]["StorageDescriptor"]
        assert [c["Name"] for c in storage["Columns"]] == [n for n, _, _ in source.glue_columns]
        assert text_of(storage["Location"]).endswith(f"/landing/{name}/")


def test_queries_are_limited_and_their_results_encrypted_where_the_work_group_says(local):
    (group,) = local.resources(BLOCK, "AWS::Athena::WorkGroup").values()
    rules = group["Properties"]["WorkGroupConfiguration"]
    assert rules["EnforceWorkGroupConfiguration"] is True
    assert rules["BytesScannedCutoffPerQuery"] == LOCAL.data_pipeline.query_megabytes * 1024**2
    results = rules["ResultConfiguration"]
    assert results["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
    assert text_of(results["OutputLocation"]).endswith("/athena/")
    named = [n["Properties"] for n in local.resources(BLOCK, "AWS::Athena::NamedQuery").values()]
    assert {each["Name"] for each in named} >= {"dataset_rows", "source_freshness"}
    assert all(each["Description"] and each["WorkGroup"] for each in named)


def test_the_job_is_the_spark_of_glue_5_1_with_its_code_and_security(local):
    job = job_of(local)
    assert job["GlueVersion"] == "5.1"
    assert job["Command"]["Name"] == "glueetl"
    assert job["MaxRetries"] == 0
    assert job["SecurityConfiguration"]
    arguments = job["DefaultArguments"]
    assert text_of(arguments["--extra-py-files"]).endswith(".zip")
    assert text_of(job["Command"]["ScriptLocation"]).endswith(".py")
    assert arguments["--use_case"] == LOCAL.use_case
    assert {"--raw_lake_bucket", "--model_input_bucket", "--code_version"} <= set(arguments)


def test_the_job_s_code_imports_as_packages(local):
    arguments = job_of(local)["DefaultArguments"]
    folder = local.folder / f"asset.{arguments['--code_version']}"
    assert (folder / "pipeline_code" / "data_pipeline" / "contract.py").is_file()
    assert (folder / "use_cases" / LOCAL.use_case / "sources.yaml").is_file()
    assert {path.name for path in folder.iterdir()} == {"pipeline_code", "use_cases"}
    assert not list(folder.rglob("__pycache__"))


def test_the_job_cannot_delete_what_landed_or_was_published(local):
    ((role, _),) = [
        (name, node)
        for name, node in local.resources(BLOCK, "AWS::IAM::Role").items()
        if "glue.amazonaws.com" in json.dumps(node)
    ]
    deletable = [
        resource
        for actions, resources in statements_of(local.templates[BLOCK], role)
        if any("Delete" in action for action in actions)
        for resource in resources
    ]
    assert deletable
    for resource in deletable:
        assert resource.endswith(("/staging/*", "/quarantine/*")), resource


@pytest.mark.parametrize("function", ["collect_batch", "publish_dataset", "reject_batch"])
def test_functions_know_the_sources_and_the_code_version(function, local):
    (node,) = [
        node["Properties"]
        for node in local.resources(BLOCK, "AWS::Lambda::Function").values()
        if node["Properties"]["Handler"]
        == f"lambdas.data_pipeline.{function}.handler.lambda_handler"
    ]
    variables = node["Environment"]["Variables"]
    assert node["Runtime"] == "python3.13"
    assert json.loads(variables["REQUIRED_SOURCES"]) == list(USE_CASE.required_sources)
    assert variables["CODE_VERSION"] == job_of(local)["DefaultArguments"]["--code_version"]


def test_a_function_s_code_is_its_block_what_it_shares_and_the_contracts(local):
    for node in local.resources(BLOCK, "AWS::Lambda::Function").values():
        key = text_of(node["Properties"]["Code"]["S3Key"])
        folder = local.folder / f"asset.{key.removesuffix('.zip')}"
        assert (folder / "lambdas" / "common" / "__init__.py").is_file()
        assert (folder / "lambdas" / "data_pipeline" / "collect_batch" / "handler.py").is_file()
        others = [p.name for p in (folder / "lambdas" / "inference").iterdir()]
        assert sorted(others) == ["__init__.py", "contract.py"]
        code = sorted(p.name for p in (folder / "pipeline_code" / "data_pipeline").iterdir())
        assert code == ["__init__.py", "contract.py"]


def test_nobody_may_change_the_ledger(local):
    changing = {"dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"}
    for block, name, node in local.every("AWS::IAM::Policy"):
        for statement in node["Properties"]["PolicyDocument"]["Statement"]:
            if "TablesLedger" in json.dumps(statement["Resource"]):
                actions = statement["Action"]
                actions = {actions} if isinstance(actions, str) else set(actions)
                assert not actions & changing, (block, name)
