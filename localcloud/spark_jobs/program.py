"""What a launcher does around a job's program: fetch its files, run it, give its exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from localcloud.jobs import leash
from localcloud.spark_jobs.java import JavaMissingError

CONNECTIONS = 32
FAILED_TO_LAUNCH = 125
S3_URI = re.compile(r"s3[an]?://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])")
Specification = dict[str, Any]


def launch(file: str, run: Callable[[Specification, Any], int]) -> int:
    """Run the job that a specification, a JSON file, describes; say why it cannot start."""
    specification = json.loads(Path(file).read_text("utf-8"))
    s3 = boto3.client("s3", config=Config(max_pool_connections=CONNECTIONS))
    try:
        return run(specification, s3)
    except (BotoCoreError, ClientError, JavaMissingError) as error:
        sys.stderr.write(f"LAUNCH ERROR | {error}\n")
        return FAILED_TO_LAUNCH


def run_program(
    folder: Path,
    script: Path,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    python: str = sys.executable,
) -> int:
    """Run a Python program to its end."""
    command = [
        *(sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), str(folder)),
        *(python, str(script), *arguments),
    ]
    return subprocess.run(command, env=dict(environment), check=False).returncode  # noqa: S603


def fetch(s3: Any, uri: str, folder: Path) -> Path:
    """Download one object of S3 into a folder, under its own name."""
    parts = urlsplit(uri, allow_fragments=False)
    target = folder / Path(parts.path).name
    try:
        body = s3.get_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"))["Body"]
    except ClientError as error:
        sys.stderr.write(f"LAUNCH ERROR | cannot read {uri}\n")
        raise error from None
    target.write_bytes(body.read())
    return target


def named_buckets(texts: Iterable[str]) -> set[str]:
    """Find the buckets that texts mention."""
    return {bucket for text in texts for bucket in S3_URI.findall(text)}
