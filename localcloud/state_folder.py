"""The state folder: everything that the embedded AWS writes, and who is running in it."""

import fcntl
import json
import os
import secrets
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

_FILE_MODE = 0o600


@dataclass(frozen=True)
class Running:
    """What a running embedded AWS says about itself."""

    pid: int  #: of the guard, whose end ends everything
    port: int


@dataclass(frozen=True)
class Operator:
    """The operator's root key of this state folder; no job or function ever gets it."""

    access_key_id: str
    secret_access_key: str


class StateFolder:
    """Paths and records of one embedded AWS."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.log = self.root / "daemon.log"
        self.decisions = self.root / "decisions.jsonl"
        self.images = self.root / "images"
        self.temporary = self.root / "tmp"
        self.docker = self.root / "bin" / "docker"
        self.certificate = self.root / "tls" / "certificate.pem"
        self.private_key = self.root / "tls" / "key.pem"
        self.trust = self.root / "tls" / "trust.pem"
        self._lock = self.root / "lock"
        self._running = self.root / "running.json"
        self._operator = self.root / "operator.json"

    def create(self) -> None:
        """Make the folders; a second time is fine."""
        for folder in (self.root, self.temporary, self.images, self.docker.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self.certificate.parent.mkdir(mode=0o700, exist_ok=True)
        (self.root / ".gitignore").write_text("*\n")

    def open_lock(self) -> int | None:
        """Take the folder for one embedded AWS; None if another process has it.

        The lock belongs to the open file, so it is free the moment its last holder is dead,
        however it died.
        """
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, _FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def is_held(self) -> bool:
        """Return whether an embedded AWS runs in this folder."""
        if not self._lock.exists():
            return False
        descriptor = self.open_lock()
        if descriptor is not None:
            os.close(descriptor)
        return descriptor is None

    def running(self) -> Running | None:
        """Return the record of the embedded AWS that runs, or died, here."""
        if not self._running.exists():
            return None
        return Running(**json.loads(self._running.read_text()))

    def record(self, running: Running) -> None:
        """Write down what runs."""
        partial = self._running.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(running)))
        partial.replace(self._running)

    def forget_running(self) -> None:
        """Say that what ran here ended well: its state is complete."""
        self._running.unlink(missing_ok=True)

    def last_port(self) -> int | None:
        """Return the port of the last run; stored resources contain it."""
        path = self.root / "port"
        return int(path.read_text()) if path.exists() else None

    def keep_port(self, port: int) -> None:
        """Remember the port for the next run."""
        (self.root / "port").write_text(str(port))

    def operator(self) -> Operator:
        """Return the operator's key, made on the first call."""
        if not self._operator.exists():
            key = Operator(f"AKIA{secrets.token_hex(8).upper()}", secrets.token_hex(20))
            self._operator.touch(mode=_FILE_MODE)
            self._operator.write_text(json.dumps(asdict(key)))
        return Operator(**json.loads(self._operator.read_text()))

    def clear_services(self) -> None:
        """Delete what the services stored; certificate, key and images stay."""
        for name in ("services", "s3", "tmp", "jobs"):
            shutil.rmtree(self.root / name, ignore_errors=True)
        self.create()
