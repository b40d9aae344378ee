"""Every way in which SageMaker gives a member its model, on the deployed platform.

A configuration with other algorithms is handed in as a data scientist does; its model is trained,
evaluated, judged, registered, deployed and asked. `TRAINING_MODES=each` changes one line at a time;
otherwise one training has members of all modes, one of them tuned.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from difflib import ndiff
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import Platform
from tests.e2e.journey.test_from_sources_to_predictions import ledger, samples, serving
from tests.e2e.journey.test_the_model_repository import deploy

OPEN_GATES = {
    "min_auc: 0.6": "min_auc: 0.5",
    "min_gain_log_loss: 0.0": "min_gain_log_loss: -1",
    "max_slice_loss_log_loss: 0.02": "max_slice_loss_log_loss: 9",
    "max_latency_ms_p50: 5.0": "max_latency_ms_p50: 1000",
}
"""Whether a mode works is asked here, not whether its model is better."""
ALGORITHM = "algorithm: lightgbm"
MODES = {
    "xgboost": ("weather", "A"),
    "linear-learner": ("schedule", "A"),
    "sklearn": ("network", "B"),
    "pretrained": ("network", "D"),
}
"""By algorithm: the member that gets it, and its mode."""
MARKETPLACE = "arn:aws:sagemaker:us-east-1:123456789012"


def published(platform: Platform) -> str:
    """Read the use case's configuration as it was deployed, its gates wide open."""
    text = (platform.project / "use_cases" / "flight_delays" / "members.yaml").read_text()
    for old, new in OPEN_GATES.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def with_algorithm(text: str, member: str, algorithm: str) -> str:
    """Change one line: a member's algorithm."""
    head, name, rest = text.partition(f"  - name: {member}\n")
    changed = head + name + rest.replace(ALGORITHM, f"algorithm: {algorithm}", 1)
    lines = [line for line in ndiff(text.splitlines(), changed.splitlines()) if line[0] == "+"]
    assert lines == [f"+     algorithm: {algorithm}"]
    return changed


def pretrained(platform: Platform, record: dict[str, Any], member: str) -> str:
    """Name the artefact that a member of a version came from."""
    uri = record["members"]["M"][member]["M"]["artefact_uri"]["S"]
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body = platform.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return f"{{pretrained: {{uri: '{uri}', sha256: {hashlib.sha256(body).hexdigest()}}}}}"


def model_item(platform: Platform, sort_key: str) -> dict[str, Any]:
    outputs = platform.outputs("Foundation")
    key = {"pk": {"S": f"MODEL#{outputs['UseCase']}"}, "sk": {"S": sort_key}}
    table = outputs["ModelTableName"]
    return platform.client("dynamodb").get_item(TableName=table, Key=key)["Item"]


def version_record(platform: Platform, version: int) -> dict[str, Any]:
    return model_item(platform, f"V#{version:08d}")


def last_version(platform: Platform) -> int:
    return int(model_item(platform, "COUNTER")["version"]["N"])


def served(platform: Platform) -> int:
    return int(serving(platform)["version"]["N"])


def document_at(platform: Platform, uri: str) -> dict[str, Any]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return json.loads(platform.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


def trained_and_served(
    platform: Platform, folder: Path, text: str, modes: dict[str, str]
) -> dict[str, Any]:
    """Hand a configuration in; give the version that was registered, deployed and asked."""
    before = last_version(platform)
    path = folder / "modes.yaml"
    path.write_text(text)

    words = platform.command("train", "--config", str(path), "--reason", "another mode")

    assert "verdict: promoted" in words
    version = last_version(platform)
    assert (version, served(platform)) == (before + 1, before + 1)
    record = version_record(platform, version)
    evaluation = document_at(platform, record["evaluation_uri"]["S"])
    assert evaluation["member_modes"] == modes
    assert evaluation["challenger"]["auc"] > 0.65
    card = document_at(platform, record["card_uri"]["S"])
    assert card["intended_use"].startswith("Tells, two hours before")
    assert card["code"]["commit"]
    instance = next(s["instance"] for s in samples(platform) if all(s["instance"].values()))
    answer = platform.predict(instance)
    assert answer.status_code == 200, answer.text
    assert answer.json()["model_version"] == str(version)
    (prediction,) = answer.json()["predictions"]
    assert prediction["members"].keys() == modes.keys()
    return record


@pytest.fixture(scope="module")
def champion(bare_platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Let the version that served serve again afterwards, and its configuration count."""
    version = served(bare_platform)
    yield version
    path = tmp_path_factory.mktemp("before") / "members.yaml"
    original = bare_platform.project / "use_cases" / "flight_delays" / "members.yaml"
    path.write_text(original.read_text())
    bare_platform.command("train", "--config", str(path))
    assert deploy(bare_platform, version)[0] == "SUCCEEDED"
    assert served(bare_platform) == version


if os.environ.get("TRAINING_MODES") == "each":

    @pytest.mark.parametrize("algorithm", MODES)
    def test_one_changed_line_trains_and_serves_a_member_of_another_mode(
        bare_platform: Platform, champion: int, tmp_path: Path, algorithm: str
    ):
        member, mode = MODES[algorithm]
        value = algorithm
        if mode == "D":
            value = pretrained(bare_platform, version_record(bare_platform, champion), member)

        text = with_algorithm(published(bare_platform), member, value)

        modes = {"schedule": "C", "weather": "C", "network": "C", member: mode}
        trained_and_served(bare_platform, tmp_path, text, modes)


def test_members_of_all_modes_train_side_by_side_and_serve_together(
    bare_platform: Platform, champion: int, tmp_path: Path
):
    first = version_record(bare_platform, champion)
    text = with_algorithm(published(bare_platform), "schedule", "linear-learner")
    text = with_algorithm(text, "weather", "xgboost")
    text = with_algorithm(text, "network", pretrained(bare_platform, first, "network"))
    document = yaml.safe_load(text)
    schedule, weather, _ = document["members"]
    weather["search"] = {"xgboost": {"max_depth": {"type": "integer", "min": 2, "max": 5}}}
    weather["parameters"]["xgboost"] = {"num_round": 20}
    document["tuning"] = {"strategy": "Random", "max_jobs": 2, "max_parallel_jobs": 2}
    document["evaluation"] = {"bootstrap_samples": 20, "influence_rows": 0, "black_box": False}
    document["members"] += [
        {**schedule, "name": "timetable", "algorithm": "sklearn"},
        {**schedule, "name": "timetable_trees", "algorithm": "lightgbm"},
    ]

    record = trained_and_served(
        bare_platform,
        tmp_path,
        yaml.safe_dump(document),
        {
            "schedule": "A",
            "weather": "A",
            "network": "D",
            "timetable": "B",
            "timetable_trees": "C",
        },
    )

    members = record["members"]["M"]
    tuned = members["weather"]["M"]
    assert set(tuned["hyperparameters"]["M"]) == {"max_depth"}
    jobs = bare_platform.client("sagemaker").list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=tuned["tuning_job_name"]["S"]
    )["TrainingJobSummaries"]
    assert [job["TrainingJobStatus"] for job in jobs] == ["Completed"] * 2
    assert tuned["training_job_name"]["S"] in {job["TrainingJobName"] for job in jobs}
    given = first["members"]["M"]["network"]["M"]["artefact_uri"]["S"]
    assert members["network"]["M"]["artefact_uri"]["S"] == given


@pytest.mark.parametrize(
    ("algorithm", "words"),
    [
        (
            f"{{marketplace_algorithm: '{MARKETPLACE}:algorithm/forest'}}",
            f"Caller is not subscribed to the marketplace offering {MARKETPLACE}:algorithm/forest",
        ),
        (
            f"{{marketplace_model: '{MARKETPLACE}:model-package/forest'}}",
            f"the model package {MARKETPLACE}:model-package/forest leaves no artefact",
        ),
    ],
    ids=["E", "F"],
)
def test_a_marketplace_product_fails_by_name_and_is_recorded(
    bare_platform: Platform, champion: int, tmp_path: Path, algorithm: str, words: str
):
    before = (last_version(bare_platform), served(bare_platform))
    path = tmp_path / "bought.yaml"
    path.write_text(with_algorithm(published(bare_platform), "schedule", algorithm))

    said = bare_platform.refused("train", "--config", str(path))

    assert words in said
    failures = [
        item["reason"]["S"]
        for item in ledger(bare_platform)
        if item["event_type"]["S"] == "training_failed"
    ]
    assert any(words in reason for reason in failures)
    assert (last_version(bare_platform), served(bare_platform)) == before
