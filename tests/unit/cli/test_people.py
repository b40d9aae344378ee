"""Users of the API: made, put into groups, listed, removed; passwords that the pool takes."""

from __future__ import annotations

import json
import time

import pytest

from cli.errors import CredentialsError, NotThereError, RefusedError
from cli.people import KINDS, add_user, list_users, remove_user, sign_in, temporary_password
from cli.traces import line, show_trace


@pytest.fixture
def people(target):
    cognito = target.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="people")["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="c", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    for group in ("viewer", "operator", "approver"):
        cognito.create_group(UserPoolId=pool, GroupName=group)
    identities = target.client("cognito-identity").create_identity_pool(
        IdentityPoolName="people", AllowUnauthenticatedIdentities=False
    )["IdentityPoolId"]
    target.deployed["Foundation"] = {
        "UserPoolId": pool,
        "UserPoolClientId": client,
        "IdentityPoolId": identities,
    }
    return target


def test_a_user_is_made_with_a_password_and_groups_and_listed(people, capsys):
    add_user(people, "ann", ["viewer", "approver"])
    add_user(people, "ann", ["operator"])
    list_users(people)
    said = capsys.readouterr().out
    assert "temporary password of ann: " in said
    assert "ann is there already" in said
    assert "viewer, operator, approver" in said


def test_an_unknown_group_or_user_is_named(people):
    with pytest.raises(RefusedError, match="no group admin"):
        add_user(people, "bob", ["admin"])
    with pytest.raises(NotThereError, match="no user bob"):
        remove_user(people, "bob")


def test_a_removed_user_is_gone(people, capsys):
    add_user(people, "ann", ["viewer"])
    remove_user(people, "ann")
    with pytest.raises(NotThereError):
        remove_user(people, "ann")


def test_the_first_sign_in_chooses_a_password_and_prints_what_a_shell_needs(people, capsys):
    add_user(people, "ann", ["viewer"])
    password = capsys.readouterr().out.split("temporary password of ann: ")[1].split()[0]
    asked = []

    def ask(text):
        asked.append(text)
        return password if len(asked) == 1 else "Another-pass-1"

    sign_in(people, "ann", ask)
    assert asked == ["password of ann", "new password"]
    printed = capsys.readouterr().out
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        assert f"export {name}='" in printed


def test_a_wrong_password_is_a_matter_of_credentials(people, capsys):
    add_user(people, "ann", ["viewer"])
    with pytest.raises(CredentialsError):
        sign_in(people, "ann", lambda _text: "wrong")


def test_each_password_is_its_own_and_has_all_kinds_of_characters():
    drawn = {temporary_password() for _ in range(50)}
    assert len(drawn) == 50
    assert all(set(password) & set(kind) for password in drawn for kind in KINDS)


def test_a_request_is_followed_through_all_functions_in_order(target, capsys):
    logs, now = target.client("logs"), int(time.time() * 1000)
    for number, function in enumerate(("second", "first")):
        group = f"Fourblocks-test-Inference-{function}"
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="s")
        said = {"function": function, "message": "done", "correlation_id": "c-1", "status": 200}
        events = [
            {"timestamp": now - number * 5000, "message": json.dumps(said)},
            {"timestamp": now + 1, "message": json.dumps({**said, "correlation_id": "c-2"})},
        ]
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)

    show_trace(target, "c-1")

    lines = capsys.readouterr().out.splitlines()
    assert ["first: done status=200" in lines[0], "second: done status=200" in lines[1]] == [
        True
    ] * 2
    assert len(lines) == 2
    with pytest.raises(NotThereError, match="c-3"):
        show_trace(target, "c-3")


def test_a_line_that_is_no_document_is_shown_as_it_is():
    assert line({"timestamp": 0, "message": "START\n"}).strip() == "START"
