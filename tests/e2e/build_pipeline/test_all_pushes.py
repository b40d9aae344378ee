"""Five pushes of the whole project, with all its tests: one passes, four stop where they break.

An hour of work: collected with ``FOURBLOCKS_PUSHES=all`` alone, see conftest.py.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.build_pipeline.conftest import Repository
from tests.e2e.journey.conftest import thin

pytestmark = pytest.mark.timeout(7200)
ROOT = Path(__file__).parents[3]
FEATURES = "use_cases/flight_delays/features.py"
MEMBERS = "use_cases/flight_delays/members.yaml"
FEATURE = (
    (FEATURES, '        "day_of_week",\n', '        "day_of_week",\n        "is_weekend",\n'),
    (
        FEATURES,
        '        "day_of_week": departure.day_of_week,\n',
        '        "day_of_week": departure.day_of_week,\n'
        '        "is_weekend": departure.day_of_week // 5,\n',
    ),
    (MEMBERS, "      - day_of_week\n", "      - day_of_week\n      - is_weekend\n"),
    ("tests/unit/use_cases/test_flight_features.py", "== 82", "== 83"),
)
UNIT = (("tests/unit/use_cases/test_flight_features.py", "== 83", "== 84"),)
LEAK = (
    (
        "use_cases/flight_delays/before_cutoff.py",
        "CANCELLATION_KNOWN_MINUTES = 360",
        "CANCELLATION_KNOWN_MINUTES = -600",
    ),
)
WORSE = ((MEMBERS, "learning_rate: 0.1", "learning_rate: 0.000001"),)
BROKEN = (
    (
        "lambdas/inference/serve_predictions/handler.py",
        "def lambda_handler(",
        'if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:\n'
        '    raise RuntimeError("works on my machine")\n\n\ndef lambda_handler(',
    ),
)


@pytest.fixture(scope="module")
def whole(bare_platform, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The deployed project as a clone, with a dataset, a model that serves, and one release."""
    sources = tmp_path_factory.mktemp("sources")
    bare_platform.module("use_cases.flight_delays.fetch", str(sources))
    thin(sources)
    bare_platform.command("ingest", str(sources))
    folder = tmp_path_factory.mktemp("whole") / "clone"
    left_out = shutil.ignore_patterns("build", ".cache", ".localcloud", "node_modules", "cdk.out")
    shutil.copytree(bare_platform.project, folder, ignore=left_out)
    repository = Repository(folder, bare_platform)
    repository._git("init", "--quiet", "--initial-branch=main")
    repository.push("feat: the first release")
    repository.platform.command("pipeline", "status", "--follow")
    return repository


def change(repository: Repository, edits) -> None:
    for name, old, new in edits:
        text = (repository.folder / name).read_text()
        assert old in text, (name, old)
        repository.write(name, text.replace(old, new))


def serving(platform) -> dict:
    """Ask the API; give the version that answered and the commit of its record."""
    body = json.loads(platform.command("predict", "--sample", "3", "--json"))
    table = platform.outputs("Foundation")["ModelTableName"]
    key = {
        "pk": {"S": "MODEL#flight_delays"},
        "sk": {"S": f"V#{int(body['model_version']):08d}"},
    }
    record = platform.client("dynamodb").get_item(TableName=table, Key=key)["Item"]
    return {"version": int(body["model_version"]), "commit": record["code_commit"]["S"]}


def test_a_new_feature_is_served_with_its_commit(whole):
    before = serving(whole.platform)
    change(whole, FEATURE)

    commit = whole.push("feat: weekends")
    whole.platform.command("pipeline", "status", "--follow")

    after = serving(whole.platform)
    assert after["version"] > before["version"]
    assert after["commit"] == commit


@pytest.mark.parametrize(
    ("edits", "action", "words"),
    [
        pytest.param(UNIT, "Test", "test_there_are_82_features", id="unit test"),
        pytest.param(LEAK, "Test", "test_what_is_not_known_at_the_cutoff", id="label leak"),
        pytest.param(WORSE, "Local / Train", "rejected", id="worse model"),
        pytest.param(BROKEN, "Local / Verify", "answered 5", id="broken deployment"),
    ],
)
def test_a_broken_change_stops_where_it_breaks_and_the_model_serves_on(whole, edits, action, words):
    before = serving(whole.platform)
    change(whole, edits)

    commit = whole.push("feat: broken")
    whole.platform.refused("pipeline", "status", "--follow")
    said = whole.platform.command("pipeline", "status", commit[:12])
    whole.undo()
    whole.settled()

    assert f"✘ {action}" in said
    assert words in said
    assert serving(whole.platform) == before
