"""The subcommands of docker that the CDK CLI and its asset publisher call."""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import boto3

from localcloud.docker.build import Request, build
from localcloud.docker.dockerfile import DockerError
from localcloud.environment import STATE_VARIABLE
from localcloud.images import Image, ImageStore, Reference
from localcloud.state_folder import StateFolder

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="docker", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[..., int]) -> argparse.ArgumentParser:
        command = commands.add_parser(name, allow_abbrev=False)
        command.set_defaults(run=run)
        return command

    login = add("login", _login)
    login.add_argument("--username")
    login.add_argument("--password-stdin", action="store_true")
    login.add_argument("registry")
    add("inspect", _inspect).add_argument("image")
    making = add("build", _build)
    making.add_argument("--tag", "-t", action="append", required=True)
    making.add_argument("--file", "-f", type=Path)
    making.add_argument("--target")
    making.add_argument("--platform")
    making.add_argument("--build-arg", action="append", default=[])
    making.add_argument("context", type=Path)
    naming = add("tag", _tag)
    naming.add_argument("image")
    naming.add_argument("name")
    pushing = add("push", _push)
    pushing.add_argument("--quiet", "-q", action="store_true")
    pushing.add_argument("image")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run one subcommand; return the exit status."""
    options = _parser().parse_args(arguments)
    store = ImageStore(StateFolder(Path(os.environ[STATE_VARIABLE])).images)
    try:
        run: Callable[[ImageStore, argparse.Namespace], int] = options.run
        return run(store, options)
    except DockerError as error:
        _say(f"docker stand-in of the embedded AWS: {error}")
        return 1


def _login(store: ImageStore, options: argparse.Namespace) -> int:  # noqa: ARG001
    """Take the password and do nothing: `push` uses the caller's AWS credentials."""
    if options.password_stdin:
        sys.stdin.read()
    return 0


def _local(store: ImageStore, name: str) -> Image:
    image = store.find(Reference.parse(name), pushed=False)
    if image is None:
        raise DockerError(f"no such image: {name}")
    return image


def _inspect(store: ImageStore, options: argparse.Namespace) -> int:
    image = _local(store, options.image)
    config = {"Entrypoint": image.entrypoint, "Cmd": image.cmd, "Env": image.env}
    sys.stdout.write(json.dumps([{"Id": image.digest, "Config": config}]) + "\n")
    return 0


def _build(store: ImageStore, options: argparse.Namespace) -> int:
    file = options.file or Path("Dockerfile")
    context = options.context
    request = Request(
        context=context,
        file=file if file.exists() else context / file,
        arguments=dict(each.split("=", 1) for each in options.build_arg),
        target=options.target,
    )
    image = build(request, store, _say)
    for tag in options.tag:
        store.name(Reference.parse(tag), image.digest, pushed=False)
    return 0


def _tag(store: ImageStore, options: argparse.Namespace) -> int:
    image = _local(store, options.image)
    store.name(Reference.parse(options.name), image.digest, pushed=False)
    return 0


def _push(store: ImageStore, options: argparse.Namespace) -> int:
    """Register the image in ECR and let jobs find it by tag and by digest."""
    image, reference = _local(store, options.image), Reference.parse(options.image)
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": _CONFIG, "size": len(image.digest), "digest": image.digest},
            "layers": [],
        },
        sort_keys=True,
    )
    boto3.client("ecr").put_image(
        repositoryName=reference.repository,
        imageManifest=manifest,
        imageManifestMediaType=_MANIFEST,
        imageTag=reference.version,
    )
    digest = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
    store.name(reference, image.digest, pushed=True)
    store.name(Reference(reference.repository, digest), image.digest, pushed=True)
    _say(f"{reference}: digest: {digest}")
    return 0
