"""Names of jobs: valid for SageMaker, and different wherever jobs differ."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from lambdas.training_pipeline.plan_training.job_names import job_name

VALID = re.compile(r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$")
NAMES = st.text("abcxyz_-09", min_size=1, max_size=80).filter(lambda name: name.strip("_-"))
TRAINING = "t-0123456789abcdef"


@given(NAMES, NAMES, st.text(max_size=20))
def test_names_are_valid_and_traceable(prefix, member, execution):
    name = job_name(prefix, member, TRAINING, execution)
    assert VALID.match(name)
    assert "-01234567-" in name


@given(NAMES, NAMES, NAMES)
def test_long_names_that_differ_stay_different(prefix, one, other):
    long_one, long_other = one + "x" * 60, other + "x" * 60
    names = {job_name(prefix, part, TRAINING, "e") for part in (long_one, long_other)}
    assert len(names) == len({long_one, long_other})


def test_attempts_have_names_of_their_own():
    assert job_name("p", "m", TRAINING, "e1") != job_name("p", "m", TRAINING, "e2")
    assert job_name("p", "m", TRAINING, "e1") == job_name("p", "m", TRAINING, "e1")
