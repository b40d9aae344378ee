"""Set-up knows what is installed, what is half-made and what the disk can hold."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def install(tmp_path):
    """The set-up program, at work in a folder of its own."""
    for name in ("constraints.txt", "package-lock.json", "pyproject.toml", "requirements.txt"):
        (tmp_path / name).write_text(name)
    spec = importlib.util.spec_from_file_location("install", ROOT / "toolchain" / "install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ROOT = tmp_path
    module.VENV = tmp_path / ".venv"
    module.CACHE = tmp_path / ".cache"
    module.LOG = module.CACHE / "install.log"
    module.STAMP = module.VENV / "installed.sha256"
    module.BEGUN = module.VENV / "installing"
    module.CACHE.mkdir()
    return module


@pytest.fixture
def tools(install):
    return install.Tools(node=None, java=None)


def _installed(install, digest):
    for tool in (install.VENV / "bin" / "python", install.ROOT / "node_modules" / ".bin" / "cdk"):
        tool.parent.mkdir(parents=True)
        tool.touch()
    install.STAMP.write_text(digest)


def test_a_finished_set_up_of_the_same_requirements_is_known(install, tools):
    _installed(install, install.wanted_digest(tools))

    assert install.is_installed(install.wanted_digest(tools))


@pytest.mark.parametrize("name", ["requirements.txt", "constraints.txt", "package-lock.json"])
def test_a_change_of_any_requirement_asks_for_a_new_set_up(install, tools, name):
    _installed(install, install.wanted_digest(tools))
    (install.ROOT / name).write_text("something else")

    assert not install.is_installed(install.wanted_digest(tools))


def test_a_machine_that_gained_a_tool_asks_for_a_new_set_up(install, tools):
    _installed(install, install.wanted_digest(tools))

    assert not install.is_installed(install.wanted_digest(install.Tools("/usr/bin/node", None)))


def test_an_environment_whose_installation_was_cut_short_is_made_anew(install):
    stale = install.VENV / "lib" / "half-written"
    stale.mkdir(parents=True)
    (install.VENV / "bin").mkdir()
    (install.VENV / "bin" / "pip").touch()
    install.BEGUN.touch()

    install.make_venv()

    assert not stale.exists()
    assert (install.VENV / "bin" / "python").exists()
    assert install.BEGUN.exists()


def test_without_disk_space_set_up_does_not_begin(install):
    install.NEEDED_BYTES = 10**18

    with pytest.raises(install.InstallError, match="not enough disk space"):
        install.check_disk()


def test_a_step_that_fails_tells_its_last_lines_and_where_the_log_is(install):
    program = "print('what went wrong'); raise SystemExit(7)"

    with pytest.raises(
        install.InstallError, match=r"exit 7(.|\n)*what went wrong(.|\n)*install\.log"
    ):
        install.run("packages", [sys.executable, "-c", program])


def test_the_version_of_a_tool_is_read_wherever_it_writes_it(install):
    said = [sys.executable, "-c", "import sys; sys.stderr.write('openjdk version \"17.0.9\"')"]

    assert install.major_version(said) == 17


def test_a_tool_that_does_not_run_has_no_version(install):
    assert install.major_version([sys.executable, "-c", "raise SystemExit(1)"]) is None


def test_make_alone_lists_the_commands():
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, text=True, capture_output=True, check=True
    ).stdout

    for target in (
        "demo",
        "test",
        "check",
        "synth",
        "up",
        "down",
        "clean",
        "prove",
        "bench",
        "help",
    ):
        assert f"make {target} " in listed
