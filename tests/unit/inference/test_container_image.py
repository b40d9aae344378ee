"""The image: what its Dockerfile admits, installs and starts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from pipeline_code.training_pipeline.contract import TRAIN_AND_SERVE_ENTRYPOINT

REPOSITORY = Path(__file__).parents[3]
DOCKERFILE = (REPOSITORY / "pipeline_code" / "Dockerfile").read_text()


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.*)$", DOCKERFILE, re.MULTILINE)


def test_the_entry_point_is_the_contracts_in_exec_form() -> None:
    assert [json.loads(text) for text in instructions("ENTRYPOINT")] == [TRAIN_AND_SERVE_ENTRYPOINT]


def test_everything_copied_from_the_context_exists_and_keeps_its_relative_place() -> None:
    copied = [text.split() for text in instructions("COPY") if not text.startswith("--from")]

    assert copied
    for source, target in copied:
        assert (REPOSITORY / source).exists()
        assert source == target  # requirements/container.txt names ../constraints.txt


def test_one_argument_names_the_base_of_every_stage() -> None:
    (argument,) = instructions("ARG")

    assert argument.startswith("BASE_IMAGE=public.ecr.aws/docker/library/python:3.13")
    assert [text.split()[0] for text in instructions("FROM")] == ["${BASE_IMAGE}"] * 2


def test_every_package_of_the_image_is_pinned() -> None:
    lines = (REPOSITORY / "requirements" / "container.txt").read_text().splitlines()
    packages = [line for line in lines if line and not line.startswith(("#", "-c"))]

    assert packages
    assert [line for line in packages if "==" not in line] == []


def test_serving_imports_neither_the_training_nor_the_data_frame_libraries() -> None:
    program = (
        "import sys, pipeline_code.inference.serve_job;"
        "print(sorted({'lightgbm', 'sklearn', 'scipy', 'pandas', 'pyarrow', 'boto3'}"
        " & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "[]"
