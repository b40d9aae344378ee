"""Container images without Docker: a folder as root file system, its configuration, its digest.

`localcloud.docker` builds and pushes them; who runs jobs resolves an image's URI to its folder.
An image is not a sandbox: its processes run on this machine as the user who started the daemon,
with the Python interpreter at hand, and absolute paths in its environment point into its folder.
"""

import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

from localcloud.environment import STATE_VARIABLE
from localcloud.registry import ServiceError
from localcloud.state_folder import StateFolder

_REFERENCE = re.compile(
    r"(?:(?P<registry>[^/]+[.:][^/]*|localhost)/)?(?P<name>[^:@]+)"
    r"(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?$"
)
# What every Linux image has and this machine offers in the same place.
_HOST_FOLDERS = frozenset(
    {"bin", "sbin", "usr", "lib", "lib64", "etc", "dev", "proc", "sys", "tmp"}
)
_ABSOLUTE = re.compile(r"(?<![\w.$}/-])/([\w.-]+)")


@dataclass(frozen=True)
class Image:
    """A built image."""

    rootfs: Path
    digest: str  #: sha256 of what it was built from: the same content has the same digest
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)  #: of the image alone, paths made real
    workdir: Path = Path("/")  #: a folder below rootfs


def inside(rootfs: Path, text: str) -> str:
    """Return text with the image's absolute paths pointing into its folder."""

    def moved(match: re.Match[str]) -> str:
        return match.group(0) if match.group(1) in _HOST_FOLDERS else f"{rootfs}{match.group(0)}"

    return _ABSOLUTE.sub(moved, text)


@dataclass(frozen=True)
class Reference:
    """An image's name: repository and tag or digest; the registry is always ours."""

    repository: str
    version: str

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Read `[registry/]repository[:tag][@digest]`."""
        match = _REFERENCE.match(text)
        if match is None:
            raise ServiceError("ValidationException", f"{text!r} is not the name of an image")
        return cls(match["name"], match["digest"] or match["tag"] or "latest")

    def __str__(self) -> str:
        separator = "@" if self.version.startswith("sha256:") else ":"
        return f"{self.repository}{separator}{self.version}"


class ImageStore:
    """The images of one embedded AWS: built ones by digest, names that point to them."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def folder(self, digest: str) -> Path:
        """Return the folder of an image; it is complete once it holds `image.json`."""
        return self._root / "built" / digest.removeprefix("sha256:")

    def save(self, image: Image) -> None:
        """Mark an image as complete."""
        record = asdict(image) | {"rootfs": str(image.rootfs), "workdir": str(image.workdir)}
        path = self.folder(image.digest) / "image.json"
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(record, indent=1))
        partial.replace(path)

    def load(self, digest: str) -> Image | None:
        """Return a built image."""
        path = self.folder(digest) / "image.json"
        if not path.exists():
            return None
        record = json.loads(path.read_text())
        return Image(
            rootfs=Path(record["rootfs"]),
            digest=record["digest"],
            entrypoint=tuple(record["entrypoint"]),
            cmd=tuple(record["cmd"]),
            env=record["env"],
            workdir=Path(record["workdir"]),
        )

    def name(self, reference: Reference, digest: str, *, pushed: bool) -> None:
        """Point a name to an image, as `docker tag` or `docker push` does."""
        path = self._pointer(reference, pushed=pushed)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(digest)

    def find(self, reference: Reference, *, pushed: bool) -> Image | None:
        """Return the image that a name points to."""
        path = self._pointer(reference, pushed=pushed)
        return self.load(path.read_text()) if path.exists() else None

    def _pointer(self, reference: Reference, *, pushed: bool) -> Path:
        kind = "pushed" if pushed else "local"
        return self._root / kind / reference.repository / reference.version


def resolve(image_uri: str) -> Image:
    """Return the pushed image that a job names."""
    folder = StateFolder(Path(os.environ[STATE_VARIABLE]))
    reference = Reference.parse(image_uri)
    image = ImageStore(folder.images).find(reference, pushed=True)
    if image is None:
        raise ServiceError(
            "ValidationException",
            f"Requested image {image_uri} not found: the embedded AWS runs images that were built "
            "and pushed through its docker stand-in (CDK_DOCKER)",
        )
    return image
