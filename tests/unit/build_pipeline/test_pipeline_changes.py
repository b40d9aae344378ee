"""A push is what it changes: nothing, a deployment, a training, the pipeline itself."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from pipeline_code.build_pipeline.changes_job import changes, commit_of
from pipeline_code.build_pipeline.contract import DEPLOYED, PIPELINE, TRAINED, record_key
from pipeline_code.build_pipeline.fingerprints import NEVER, fingerprints
from pipeline_code.build_pipeline.records import ReleaseRecords

TREE = {
    "README.md": "words",
    "docs/page.md": "words",
    "tests/unit/test_a.py": "assert True",
    "Makefile": "all:",
    "toolchain/commit.txt": "$Format:%H$",
    "pipeline_code/build_pipeline/test.yml": "version: 0.2",
    "requirements/dev.txt": "pytest",
    "requirements/container.txt": "lightgbm==4.7.0",
    "constraints.txt": "lightgbm==4.7.0",
    "stacks/stage.py": "stage = 1",
    "lambdas/common/clock.py": "now = 1",
    "app.py": "main()",
    "use_cases/example/features.py": "features = 1",
    "pipeline_code/training_pipeline/train_job.py": "train = 1",
    "something_new/file.txt": "unknown",
}


class FakeS3:
    """Objects of one bucket."""

    def __init__(self):
        self.objects = {}

    def get_object(self, **given):
        if given["Key"] not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[given["Key"]])}

    def put_object(self, **given):
        self.objects[given["Key"]] = given["Body"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def records() -> ReleaseRecords:
    return ReleaseRecords(FakeS3(), "bucket")


def remember(records, environment, about, fingerprint):
    record = {"commit": "c", "fingerprint": fingerprint, "execution_id": "", "image_uri": ""}
    records.write(environment, about, {**record, "assets": []})


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("README.md", set()),
        ("docs/page.md", set()),
        ("tests/unit/test_a.py", set()),
        ("Makefile", set()),
        ("toolchain/commit.txt", set()),
        ("requirements/dev.txt", set()),
        ("pipeline_code/build_pipeline/test.yml", set()),
        ("stacks/stage.py", {"platform"}),
        ("lambdas/common/clock.py", {"platform"}),
        ("app.py", {"platform"}),
        ("something_new/file.txt", {"platform"}),
        ("use_cases/example/features.py", {"platform", "model"}),
        ("pipeline_code/training_pipeline/train_job.py", {"platform", "model"}),
        ("requirements/container.txt", {"platform", "model"}),
        ("constraints.txt", {"platform", "model"}),
    ],
)
def test_a_file_changes_what_it_is_part_of(root, path, parts):
    before = fingerprints(root)
    (root / path).write_text("changed")
    after = fingerprints(root)

    assert {part for part in before if before[part] != after[part]} == parts


def test_what_a_build_leaves_beside_its_source_is_no_change(root):
    before = fingerprints(root)
    for name in (".venv/lib/a.py", "build/x", "cdk.out/y", "stacks/__pycache__/stage.pyc"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("made")

    assert fingerprints(root) == before


def test_specifications_write_only_where_nothing_counts_as_source():
    folder = Path(__file__).parents[3] / "pipeline_code" / "build_pipeline"
    written = [
        target
        for path in folder.glob("*.yml")
        for target in re.findall(r"(?<![<|])> ?(\S+)$", path.read_text(), re.MULTILINE)
    ]
    assert written
    assert [target for target in written if not target.startswith(NEVER)] == []


def test_without_a_record_everything_is_to_be_done(root, records):
    found = dict(changes(fingerprints(root), "template", ["dev", "prod"], records))

    assert found == {
        "DEPLOYS_DEV": True,
        "TRAINS_DEV": True,
        "DEPLOYS_PROD": True,
        "TRAINS_PROD": True,
        "DEPLOYS": True,
        "UPDATES_PIPELINE": True,
    }


def test_what_an_environment_has_already_is_not_done_again(root, records):
    now = fingerprints(root)
    remember(records, "dev", DEPLOYED, now["platform"])
    remember(records, "dev", TRAINED, now["model"])
    remember(records, "dev", PIPELINE, "template")
    remember(records, "prod", DEPLOYED, now["platform"])
    remember(records, "prod", TRAINED, "an older one")

    found = dict(changes(now, "template", ["dev", "prod"], records))

    assert found == {
        "DEPLOYS_DEV": False,
        "TRAINS_DEV": False,
        "DEPLOYS_PROD": True,
        "TRAINS_PROD": True,
        "DEPLOYS": True,
        "UPDATES_PIPELINE": False,
    }


def test_a_record_is_the_same_bytes_for_the_same_content(records):
    remember(records, "dev", DEPLOYED, "f")
    first = records._s3.objects[record_key("dev", DEPLOYED)]
    remember(records, "dev", DEPLOYED, "f")

    assert records._s3.objects == {"releases/dev/deployed.json": first}
    assert json.loads(first)["fingerprint"] == "f"


@pytest.mark.parametrize(
    ("version", "written", "commit"),
    [
        ("a" * 40, "$Format:%H$", "a" * 40),
        ("3nL4kqtJlcpXroDTDmJ", "b" * 40, "b" * 40),
        ("", "$Format:%H$", "unknown"),
    ],
)
def test_the_commit_is_the_sources_or_the_archives(root, version, written, commit):
    (root / "toolchain" / "commit.txt").write_text(f"{written}\n")

    assert commit_of(root, {"CODEBUILD_RESOLVED_SOURCE_VERSION": version}) == commit
