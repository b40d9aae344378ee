"""Program that ties itself to its parent's life and then becomes the command it was given.

Run as `python -I -S leash.py PARENT FOLDER COMMAND...`. Without it a killed daemon would leave its
jobs running.
"""

import contextlib
import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
NOT_FOUND = 127


def main(arguments: list[str]) -> int:
    """Arrange to be killed with the parent, change to the folder, become the command."""
    parent, folder, *command = arguments
    with contextlib.suppress(AttributeError, OSError):  # only Linux has it
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        return 1
    os.chdir(folder)
    try:
        os.execvp(command[0], command)  # noqa: S606 - the command is the point
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return NOT_FOUND


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
