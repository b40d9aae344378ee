"""What a build of the embedded AWS finds of the machine: its programs, none of a developer's."""

from __future__ import annotations

import os

from localcloud.codebuild.build_environment import programs_of_machine


def test_a_build_finds_the_machines_programs_and_none_of_this_interpreters(tmp_path):
    own = tmp_path / "venv" / "bin"
    own.mkdir(parents=True)
    (tmp_path / "alias").symlink_to(tmp_path / "venv")
    folders = [own, tmp_path / "alias" / "bin", tmp_path / "node_modules" / ".bin", "/usr/bin"]

    found = programs_of_machine(os.pathsep.join(map(str, folders)), own)

    assert found == ["/usr/bin"]
