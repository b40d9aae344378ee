"""EMR Serverless: `sparkSubmitParameters`, the variables of a job, and idle applications."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from localcloud.docker.build import Request, build
from localcloud.docker.dockerfile import DockerError
from localcloud.emr_serverless.applications import Applications
from localcloud.emr_serverless.documents import Documents
from localcloud.emr_serverless.launcher import image_environment
from localcloud.emr_serverless.spark_submit import SubmitError, parse_submit
from localcloud.images import ImageStore


def test_options_and_settings_are_read_as_spark_submit_does():
    submit = parse_submit(
        "--py-files s3://a/x.zip,s3://a/y.zip --name n --executor-memory 4g "
        "--conf spark.a=b=c --conf 'spark.b=two words' --conf spark.driver.memory=9g",
        {"spark.a": "default", "spark.c": "kept"},
    )

    assert submit.py_files == ("s3://a/x.zip", "s3://a/y.zip")
    assert submit.local_settings == {
        "spark.a": "b=c",
        "spark.b": "two words",
        "spark.c": "kept",
        "spark.app.name": "n",
        "spark.executor.memory": "4g",
    }


def test_variables_of_driver_and_executors_are_the_process_s_and_the_driver_s_win():
    submit = parse_submit(
        "--conf spark.executorEnv.A=1 --conf spark.executorEnv.B=2 "
        "--conf spark.emr-serverless.driverEnv.A=3",
        {},
    )
    assert submit.environment == {"A": "3", "B": "2"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("--jars s3://a/b.jar", "takes no --jars"),
        ("--conf spark.archives=s3://a/b.tar.gz", "takes no --archives"),
        ("--conf wrong", "wrong is not name=value"),
        ("--class Main", "unrecognized arguments: --class Main"),
    ],
)
def test_what_cannot_be_run_is_named(text, message):
    with pytest.raises(SubmitError, match=message):
        parse_submit(text, {})


def test_paths_of_the_image_point_into_its_folder():
    image = {"root": "/images/one", "environment": {"A": "1", "P": "old"}}
    given = {"P": "/opt/venv/bin/python"}
    assert image_environment(image, given) == {
        "A": "1",
        "P": "/images/one/opt/venv/bin/python",
    }
    assert image_environment({"root": "", "environment": {}}, given) == given


def test_an_idle_application_stops_and_one_with_a_job_does_not(tmp_path: Path):
    known, runs = Documents(_folder(tmp_path / "a")), Documents(_folder(tmp_path / "r"))
    idle = {"enabled": True, "idleTimeoutMinutes": 1}
    for name in ("idle", "busy", "fresh"):
        known.add({"id": name, "state": "STARTED", "autoStopConfiguration": idle})
    runs.add({"id": "run", "applicationId": "busy"})
    for name in ("idle", "busy"):
        known._documents[name]["updatedAt"] = time.time() - 61
    applications = Applications(known, runs)

    states = {name: applications.current(name)["state"] for name in ("idle", "busy", "fresh")}

    assert states == {"idle": "STOPPED", "busy": "STARTED", "fresh": "STARTED"}


def test_an_image_of_emr_is_built_with_the_python_at_hand(tmp_path: Path):
    context = _folder(tmp_path / "context")
    dockerfile = context / "Dockerfile"
    dockerfile.write_text(
        "FROM public.ecr.aws/emr-serverless/spark/emr-7.11.0:latest\n"
        "USER root\n"
        "RUN dnf install -y python3.11 python3.11-pip && dnf clean all\n"
        "RUN python3.11 -m venv /opt/venv\n"
        "ENV PYSPARK_PYTHON=/opt/venv/bin/python\n"
        "USER hadoop:hadoop\n"
    )
    said: list[str] = []

    image = build(Request(context, dockerfile), ImageStore(tmp_path / "store"), said.append)

    assert Path(image.env["PYSPARK_PYTHON"]).is_file()
    assert any("this machine's Python serves" in line for line in said)
    dockerfile.write_text(dockerfile.read_text() + "RUN dnf install -y gcc\n")
    with pytest.raises(DockerError, match="RUN dnf: this stand-in"):
        build(Request(context, dockerfile), ImageStore(tmp_path / "store"), said.append)


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
