"""Glue's job arguments, and what failures of Spark programs say."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

import localcloud.glue
from localcloud.glue.arguments import listed, script_arguments, spark_settings
from localcloud.spark_jobs.failure import failure_reason
from localcloud.spark_jobs.program import named_buckets

LIBRARY = Path(localcloud.glue.__file__).with_name("script_library") / "awsglue"


def test_a_script_gets_its_own_arguments_and_not_glues():
    line = script_arguments(
        {"--target": "s3://b/x", "--flag": "", "--enable-metrics": "true", "--conf": "a=b"},
        "job",
        "jr_1",
    )
    assert line == [
        *("--JOB_NAME", "job", "--JOB_RUN_ID", "jr_1"),
        *("--target", "s3://b/x", "--flag"),
    ]


def test_spark_settings_are_read_from_glues_one_argument():
    given = {"--conf": "spark.a=1 --conf spark.b=x=y"}
    assert spark_settings(given) == {"spark.a": "1", "spark.b": "x=y"}
    assert spark_settings({}) == {}


def test_buckets_and_lists_are_found_in_arguments():
    given = {"--a": "s3://one/x,s3a://two.example/y", "--b": "none"}
    assert named_buckets(given.values()) == {"one", "two.example"}
    assert listed({"--extra-py-files": "s3://a/x.zip, s3://a/y.zip"}, "--extra-py-files") == [
        "s3://a/x.zip",
        "s3://a/y.zip",
    ]


def test_a_failure_is_the_last_exception_with_its_root_cause():
    lines = [
        "INFO starting",
        "Traceback (most recent call last):",
        '  File "x.py", line 1, in <module>',
        "py4j.protocol.Py4JJavaError: An error occurred while calling o1.csv.",
        ": org.apache.spark.SparkException: Job aborted.",
        "\tat java.lang.Thread.run(Thread.java:840)",
        "Caused by: java.io.IOException: first",
        "Caused by: AccessControlException: s3:PutObject on s3://b/k",
    ]
    assert failure_reason(lines, 1).splitlines() == [
        "py4j.protocol.Py4JJavaError: An error occurred while calling o1.csv.",
        ": org.apache.spark.SparkException: Job aborted.",
        "Caused by: AccessControlException: s3:PutObject on s3://b/k",
    ]
    assert failure_reason(["Killed"], 137) == "Command failed with exit code 137. Killed"


@pytest.fixture
def resolve():
    return runpy.run_path(str(LIBRARY / "utils.py"))


def test_scripts_resolve_their_options_as_on_glue(resolve):
    line = ["script.py", "--JOB_NAME", "j", "--source", "s3://b", "--other", "1"]
    assert resolve["getResolvedOptions"](line, ["source"]) == {"source": "s3://b", "JOB_NAME": "j"}
    with pytest.raises(resolve["GlueArgumentError"], match="target"):
        resolve["getResolvedOptions"](line, ["target"])
