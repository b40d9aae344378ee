"""What keeps the embedded AWS from starting is named with its value and the remedy."""

import os
import socket

import pytest

from localcloud.lifecycle import LocalCloudError, check_disk, listen, up
from localcloud.state_folder import Running, StateFolder


@pytest.fixture
def folder(tmp_path):
    made = StateFolder(tmp_path / "state")
    made.create()
    return made


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_named_with_the_remedy(taken):
    with pytest.raises(LocalCloudError, match=rf"port {taken} .* is taken .* --port auto"):
        listen(taken, None)


def test_any_port_prefers_the_last_one(taken):
    with listen(None, None) as free:
        wanted = free.getsockname()[1]
    with listen(None, wanted) as again:
        assert again.getsockname() == ("127.0.0.1", wanted)


def test_any_port_is_another_one_if_the_last_is_taken(taken):
    with listen(None, taken) as found:
        assert found.getsockname()[1] != taken


def test_a_full_disk_is_named_with_what_is_free_and_needed(tmp_path):
    folder = StateFolder(tmp_path / "not" / "yet" / "there")

    with pytest.raises(LocalCloudError) as refused:
        check_disk(folder, 1 << 60)

    message = str(refused.value)
    assert message.startswith(f"{tmp_path} has ")
    assert "MB free and 1099511627776 MB are needed" in message
    assert "--state" in message


def test_a_disk_with_enough_space_is_accepted(tmp_path):
    check_disk(StateFolder(tmp_path), 1)


def test_a_folder_in_which_another_command_works_is_left_alone(folder):
    lock = folder.open_lock()
    with pytest.raises(LocalCloudError, match="another 'up' or 'down' is working"):
        up(folder, None, str)
    os.close(lock)


def test_a_running_one_is_not_moved_to_another_port(folder):
    lock = folder.open_lock()
    folder.record(Running(pid=1, port=4567))

    with pytest.raises(LocalCloudError, match="already runs on port 4567: 'down' first"):
        up(folder, 4568, str)
    assert up(folder, 4567, str).was_running
    os.close(lock)
