"""Program that runs one EMR Serverless job in its own process, as the job's execution role.

Run as `python -m localcloud.emr_serverless.launcher SPECIFICATION`, a JSON file. It fetches the
entry point and the Python files, serves `s3://` to Spark through the WebHDFS bridge, runs the entry
point with the Python of the application's image, and takes over its exit code.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localcloud.emr_serverless.spark_submit import parse_submit
from localcloud.images import inside
from localcloud.spark_jobs.program import Specification, fetch, launch, named_buckets, run_program
from localcloud.spark_jobs.session import SparkRequest, spark_environment

PYTHON_VARIABLE = "PYSPARK_PYTHON"


def main(file: str) -> int:
    """Run the job that a specification describes."""
    return launch(file, _run)


def _run(specification: Specification, s3: Any) -> int:
    folder = Path(specification["folder"])
    driver = specification["driver"]
    words = driver.get("entryPointArguments", [])
    submit = parse_submit(driver.get("sparkSubmitParameters", ""), specification["defaults"])
    script = fetch(s3, driver["entryPoint"], folder)
    libraries = [fetch(s3, uri, folder) for uri in submit.py_files]
    for uri in submit.files:
        fetch(s3, uri, folder)
    given = image_environment(specification["image"], submit.environment)
    python = given.get(PYTHON_VARIABLE, sys.executable)
    request = SparkRequest(
        name=specification["name"],
        cores=specification["cores"],
        memory=specification["memory"],
        settings=submit.local_settings,
        buckets=[*specification["buckets"], *named_buckets([driver["entryPoint"], *words])],
        python=python,
    )
    environment = {**os.environ, **given, "TZ": "UTC"}
    environment["PYTHONPATH"] = os.pathsep.join(str(path) for path in libraries)
    environment |= spark_environment(request, s3, folder)
    return run_program(folder, script, words, environment, python)


def image_environment(image: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Give what a job's processes see; paths of the image point into its folder."""
    root = image["root"]
    moved = {name: inside(Path(root), value) if root else value for name, value in given.items()}
    return {**image["environment"], **moved}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
