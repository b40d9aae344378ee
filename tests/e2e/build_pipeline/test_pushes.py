"""A push does what its change asks for, and one that is broken stops where it breaks."""

from __future__ import annotations


def test_documentation_is_checked_and_nothing_is_deployed(repository):
    stack = "Fourblocks-local-Inference"
    cloudformation = repository.platform.client("cloudformation")
    before = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    repository.write("docs/page.md", "new words")

    commit = repository.push("docs: new words")
    said = repository.platform.command("pipeline", "status", "--follow")

    assert commit[:12] in said
    assert repository.run()["status"] == "Succeeded"
    stages = repository.stages()
    assert stages.pop("UpdatePipeline") in ("Succeeded", "Skipped")
    assert stages == {
        "Source": "Succeeded",
        "Build": "Succeeded",
        "Test": "Succeeded",
        "Image": "Skipped",
        "Local": "Skipped",
    }
    after = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    assert before.get("LastUpdatedTime") == after.get("LastUpdatedTime")


def test_a_broken_unit_test_stops_the_push_and_is_named(repository):
    repository.write("tests/unit/test_sum.py", "def test_sum():\n    assert 1 + 1 == 3\n")

    repository.push("feat: another sum")
    repository.platform.refused("pipeline", "status", "--follow")
    said = repository.platform.command("pipeline", "status")

    assert repository.run()["status"] == "Failed"
    assert repository.stages()["Test"] == "Failed"
    assert not {"Image", "Local"} & set(repository.stages())
    assert "tests.unit.test_sum.test_sum: assert (1 + 1) == 3" in said
