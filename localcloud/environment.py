"""Environment variables: of a client of the embedded AWS, and of the daemon itself."""

import os
import sys
from pathlib import Path

from localcloud.state_folder import StateFolder

REGION = "us-east-1"
ACCOUNT = "000000000000"
STATE_VARIABLE = "LOCALCLOUD_STATE"
_CREDENTIALS = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


def _shared(folder: StateFolder, port: int) -> dict[str, str]:
    """Return what the operator's programs, functions and jobs all need."""
    return {
        "AWS_ENDPOINT_URL": f"https://localhost:{port}",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CA_BUNDLE": str(folder.trust),
        "SSL_CERT_FILE": str(folder.trust),
        "REQUESTS_CA_BUNDLE": str(folder.trust),
        "NODE_EXTRA_CA_CERTS": str(folder.certificate),
        STATE_VARIABLE: str(folder.root),
    }


def client_environment(folder: StateFolder, port: int) -> dict[str, str]:
    """Return what a program of the operator needs to speak to the embedded AWS as the root user."""
    operator = folder.operator()
    return _shared(folder, port) | {
        "AWS_ACCESS_KEY_ID": operator.access_key_id,
        "AWS_SECRET_ACCESS_KEY": operator.secret_access_key,
        "AWS_PAGER": "",
        "CDK_DOCKER": str(folder.docker),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_NOTICES": "false",
    }


def unset_variables() -> tuple[str, ...]:
    """Return the variables that would send a client elsewhere, or with other credentials."""
    return _CREDENTIALS


def daemon_environment(folder: StateFolder, port: int) -> dict[str, str]:
    """Return the daemon's environment; functions and jobs inherit all of it but the keys."""
    inherited = {key: value for key, value in os.environ.items() if key not in _CREDENTIALS}
    operator = folder.operator()
    services = folder.root / "services"
    return (
        inherited
        | _shared(folder, port)
        | {
            "AWS_ACCESS_KEY_ID": operator.access_key_id,
            "AWS_SECRET_ACCESS_KEY": operator.secret_access_key,
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "localhost",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            "MINISTACK_SSL_CERT": str(folder.certificate),
            "MINISTACK_SSL_KEY": str(folder.private_key),
            "USE_SSL": "1",
            "AUTH": "true",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(services),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(folder.root / "s3"),
            "TMPDIR": str(folder.temporary),
            "LAMBDA_EXECUTOR": "local",
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            # No Docker: a socket that does not exist keeps ministack from looking for one.
            "DOCKER_HOST": f"unix://{folder.root}/no-docker.sock",
            "PYTHONPATH": _python_path(),
            "PYTHONUNBUFFERED": "1",
        }
    )


def _python_path() -> str:
    """Return PYTHONPATH with the folder of this package first, for programs started elsewhere."""
    here = str(Path(__file__).parents[1])
    return os.pathsep.join(dict.fromkeys([here, *filter(None, [os.environ.get("PYTHONPATH")])]))


def write_docker_launcher(folder: StateFolder) -> None:
    """Write the program that CDK_DOCKER names: the CDK CLI takes one path, no arguments."""
    folder.docker.write_text(
        "#!/bin/sh\n"
        f"PYTHONPATH='{_python_path()}' {STATE_VARIABLE}='{folder.root}' "
        f"exec '{sys.executable}' -m localcloud.docker \"$@\"\n"
    )
    folder.docker.chmod(0o755)
