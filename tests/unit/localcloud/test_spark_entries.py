"""How keys of a bucket make a file system's paths."""

import pytest

from localcloud.spark_filesystem.entries import is_below, joined, last_name, moved, parent


def test_parts_are_joined_by_single_slashes():
    assert joined("a/", "/b/c", "", "/") == "a/b/c"
    assert joined("", "/") == ""


def test_a_key_has_a_parent_and_a_last_name():
    assert (parent("a/b/c"), last_name("a/b/c")) == ("a/b", "c")
    assert (parent("a"), last_name("a")) == ("", "a")


@pytest.mark.parametrize(
    ("key", "directory", "below"),
    [("a", "a", True), ("a/b", "a", True), ("ab", "a", False), ("x/y", "", True)],
)
def test_a_key_is_below_its_directories_and_no_namesakes(key, directory, below):
    assert is_below(key, directory) is below


def test_a_renamed_directory_takes_its_keys_along():
    assert moved("tmp/0/part-1", "tmp/0", "out") == "out/part-1"
    assert moved("tmp/0", "tmp/0", "out") == "out"
