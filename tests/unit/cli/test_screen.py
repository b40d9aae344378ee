"""A log gets one line a change; a step says how it ended."""

from __future__ import annotations

import pytest

from cli.screen import Row, duration, one_step, watching


def _written(paper):
    return paper.file.getvalue().splitlines()


def test_a_log_gets_a_line_when_a_row_changes_and_none_when_it_does_not(paper):
    with watching(paper) as watch:
        watch.show(lambda: [Row("Collect", "running", 0.0)])
        watch.show(lambda: [Row("Collect", "running", 0.5)])
        watch.show(lambda: [Row("Collect", "done", 1.2), Row("Transform", "running", 0.0)])

    assert _written(paper) == ["  ▶ Collect", "  ✔ Collect 1.2 s", "  ▶ Transform"]


def test_a_step_that_ends_well_is_done(paper):
    with one_step("deploy", paper) as step:
        step.say("half-way")

    assert _written(paper)[-1].startswith("  ✔ deploy")


def test_a_step_that_raises_is_failed_and_the_error_goes_on(paper):
    with pytest.raises(ValueError, match="broken"), one_step("deploy", paper):
        raise ValueError("broken")

    assert _written(paper)[-1].startswith("  ✘ deploy")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, ""), (1.26, "1.3 s"), (59.9, "59.9 s"), (61, "1 min 01 s")]
)
def test_a_duration_reads_as_a_person_would_say_it(seconds, text):
    assert duration(seconds) == text
