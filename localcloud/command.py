"""Reads the command line and says what happened."""

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from localcloud import decisions, logs, spot
from localcloud.environment import client_environment, unset_variables
from localcloud.lifecycle import LocalCloudError, current, down, up
from localcloud.memory import resident_bytes
from localcloud.state_folder import Running, StateFolder

DEFAULT_PORT = 4566
DEFAULT_STATE = ".localcloud"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _port(text: str) -> int | None:
    if text == "auto":
        return None
    if not text.isdigit() or not 1 <= int(text) <= 65535:  # noqa: PLR2004  TCP's ports
        raise argparse.ArgumentTypeError(f"{text!r} is neither a port (1-65535) nor 'auto'")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m localcloud", description=__doc__)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--state", type=Path, default=Path(DEFAULT_STATE), help="folder of all that is written"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[..., int], text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text, parents=[shared])
        command.set_defaults(run=run)
        return command

    start = add("up", _up, "start it; nothing happens if it runs")
    start.add_argument("--port", type=_port, default=DEFAULT_PORT, help="a port, or 'auto'")
    add("down", _down, "stop it and every process it started; what it stored stays")
    add("status", _status, "say whether it runs, where, and with how much memory")
    environment = add("env", _env, 'print what a client\'s shell needs: eval "$(... env)"')
    environment.add_argument("--json", action="store_true", help="print a JSON object instead")
    log = add("logs", _logs, "print a log group of CloudWatch Logs, or the daemon's own log")
    log.add_argument("group", nargs="?", help="a log group's name; none: the daemon's log")
    log.add_argument("--follow", action="store_true", help="go on until interrupted")
    spot = add("interrupt-spot", _interrupt_spot, "take the machine of a spot training job away")
    spot.add_argument("job", help="the training job's name")
    add("permissions", _permissions, "print what each role was allowed and used, as JSON")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run one command; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        run: Callable[[StateFolder, argparse.Namespace], int] = options.run
        return run(StateFolder(options.state), options)
    except LocalCloudError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _up(folder: StateFolder, options: argparse.Namespace) -> int:
    port = options.port
    running = current(folder)
    if running is not None and port == DEFAULT_PORT:
        port = None  # the default is no wish when it runs elsewhere already
    started = up(folder, port, _say)
    url = f"https://localhost:{started.running.port}"
    if started.was_running:
        _say(f"already running at {url}, state in {folder.root}")
        return 0
    _say(f"started in {started.seconds:.1f} s: {url}, state in {folder.root}")
    _say('use it with: eval "$(python -m localcloud env)"')
    return 0


def _down(folder: StateFolder, options: argparse.Namespace) -> int:  # noqa: ARG001
    _say("stopped; what it stored stays" if down(folder) else f"nothing runs in {folder.root}")
    return 0


def _status(folder: StateFolder, options: argparse.Namespace) -> int:  # noqa: ARG001
    running = current(folder)
    if running is None:
        _say(f"not running (state folder {folder.root})")
        return 3
    processes = resident_bytes(running.pid)
    total = sum(processes.values()) >> 20
    _say(f"running at https://localhost:{running.port}, state in {folder.root}")
    _say(f"{len(processes)} processes, {total} MB resident")
    return 0


def _needed(folder: StateFolder) -> Running:
    running = current(folder)
    if running is None:
        raise LocalCloudError(f"nothing runs in {folder.root}: start it with 'up'")
    return running


def _env(folder: StateFolder, options: argparse.Namespace) -> int:
    variables = client_environment(folder, _needed(folder).port)
    if options.json:
        _say(json.dumps(variables, indent=2))
        return 0
    for name in unset_variables():
        _say(f"unset {name}")
    for name, value in variables.items():
        _say(f"export {name}={shlex.quote(value)}")
    return 0


def _logs(folder: StateFolder, options: argparse.Namespace) -> int:
    if options.group:
        variables = client_environment(folder, _needed(folder).port)
        lines = logs.group_lines(variables, options.group, follow=options.follow)
    else:
        lines = logs.file_lines(folder.log, follow=options.follow)
    for line in lines:
        _say(line)
    return 0


def _interrupt_spot(folder: StateFolder, options: argparse.Namespace) -> int:
    _needed(folder)
    spot.interrupt(folder.root, options.job)
    _say(f"{options.job}: its spot capacity is reclaimed")
    return 0


def _permissions(folder: StateFolder, options: argparse.Namespace) -> int:  # noqa: ARG001
    _say(json.dumps(decisions.least_privilege(decisions.read(folder.decisions)), indent=2))
    return 0
