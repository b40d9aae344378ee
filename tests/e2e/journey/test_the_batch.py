"""A whole file is answered without the endpoint, with the very probabilities that the API gives."""

from __future__ import annotations

import json

from tests.e2e.journey.test_from_sources_to_predictions import samples


def test_a_file_gets_the_answers_that_the_api_gives(bare_platform, tmp_path):
    instances = [each.get("instance", each) for each in samples(bare_platform)[:20]]
    file = tmp_path / "questions.jsonl"
    file.write_text("".join(f"{json.dumps(each)}\n" for each in instances))

    bare_platform.command("batch", str(file))

    answers = [json.loads(line) for line in (tmp_path / "questions.jsonl.out").open()]
    asked = bare_platform.predict(*instances).json()["predictions"]
    assert [each["probability"] for each in answers] == [each["probability"] for each in asked]
