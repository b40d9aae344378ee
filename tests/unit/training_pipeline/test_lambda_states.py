"""States of model versions, and who is the same person."""

from __future__ import annotations

import pytest

from lambdas.common.model_states import MAY_FOLLOW, StateChangeError, check_change
from lambdas.common.principals import principal_of

STATES = tuple(MAY_FOLLOW)


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_a_state_follows_only_where_the_table_says_so(before, after):
    if before in MAY_FOLLOW[after]:
        check_change(1, before, after)
    else:
        with pytest.raises(StateChangeError, match=f"version 1 is {before}"):
            check_change(1, before, after)


def test_a_rejected_version_stays_rejected_and_nothing_becomes_a_candidate_again():
    assert not [state for state in STATES if "rejected" in MAY_FOLLOW[state]]
    assert MAY_FOLLOW["candidate"] == ()


@pytest.mark.parametrize(
    ("arn", "same_as"),
    [
        ("arn:aws:sts::1:assumed-role/Team/anna", "arn:aws:sts::1:assumed-role/Team/bert"),
        ("arn:aws:iam::1:user/anna", "arn:aws:iam::1:user/anna"),
    ],
)
def test_another_session_of_the_same_role_is_the_same_principal(arn, same_as):
    assert principal_of(arn) == principal_of(same_as)


@pytest.mark.parametrize(
    ("arn", "other"),
    [
        (
            "arn:aws:sts::1:assumed-role/AWSReservedSSO_Dev_1/anna@x",
            "arn:aws:sts::1:assumed-role/AWSReservedSSO_Dev_1/bert@x",
        ),
        ("arn:aws:sts::1:assumed-role/A/x", "arn:aws:sts::1:assumed-role/B/x"),
        ("arn:aws:iam::1:user/anna", "arn:aws:iam::1:user/bert"),
    ],
)
def test_people_whom_credentials_tell_apart_are_apart(arn, other):
    assert principal_of(arn) != principal_of(other)
