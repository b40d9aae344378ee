"""The peers of the serving benchmark: how each is installed, started and asked."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "bench"
PEERS = Path(__file__).parent / "peers"


class Running(NamedTuple):
    """What a peer's command may use."""

    python: Path
    port: int
    folder: Path
    """Its own, to write to."""

    def tool(self, name: str) -> str:
        """Find a program of its environment."""
        return str(self.python.parent / name)


class Peer(NamedTuple):
    """A server that answers the same requests with the same model."""

    name: str
    requirements: str
    """Its file in ``bench/peers``; empty for our own environment."""
    command: Callable[[Running], list[str]]
    path: str = "/invocations"
    request: Callable[[bytes], bytes] = bytes
    """From our request's body to its own."""
    variables: Mapping[str, str] = {}


def _fastapi(running: Running) -> list[str]:
    options = [
        "--loop",
        "uvloop",
        "--http",
        "httptools",
        "--no-access-log",
        "--log-level",
        "warning",
    ]
    app = "bench.peers.fastapi_service:app"
    return [running.tool("uvicorn"), app, *options, "--port", str(running.port)]


def _sagemaker(running: Running) -> list[str]:
    config = running.folder / "config.properties"
    lines = {
        "inference_address": f"http://127.0.0.1:{running.port}",
        "management_address": f"http://127.0.0.1:{running.port}",
        "default_workers_per_model": 1,
        "default_service_handler": f"{PEERS / 'sagemaker_service.py'}:handle",
        "decode_input_request": "false",
        "load_models": "ALL",
        "async_logging": "true",
    }
    config.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    model = running.folder / "model"
    model.mkdir()
    options = ["--mms-config", str(config), "--models", f"model={model}", "--model-store", "/"]
    return [running.tool("multi-model-server"), "--start", "--foreground", *options]


def _mlserver(running: Running) -> list[str]:
    settings = {
        "host": "127.0.0.1",
        "http_port": running.port,
        "grpc_port": running.port + 10_000,
        "metrics_port": running.port + 20_000,
        "parallel_workers": 0,
        "debug": False,
    }
    model = {"name": "model", "implementation": "bench.peers.mlserver_runtime.Runtime"}
    (running.folder / "settings.json").write_text(json.dumps(settings))
    (running.folder / "model-settings.json").write_text(json.dumps(model))
    return [running.tool("mlserver"), "start", str(running.folder)]


def _bentoml(running: Running) -> list[str]:
    service = "bench.peers.bentoml_service:Model"
    options = ["--host", "127.0.0.1", "--port", str(running.port), "--working-dir", str(ROOT)]
    return [running.tool("bentoml"), "serve", service, *options]


def _mlflow(running: Running) -> list[str]:
    model = running.folder / "pyfunc"
    module = str(PEERS / "mlflow_model.py")
    subprocess.run([running.python, module, model], check=True, stdout=sys.stderr)
    options = ["--env-manager", "local", "--host", "127.0.0.1", "--workers", "1"]
    serve = [running.tool("mlflow"), "models", "serve", "--model-uri", str(model), *options]
    return [*serve, "--port", str(running.port)]


def _of_mlserver(body: bytes) -> bytes:
    tensor = {"name": "request", "shape": [1], "datatype": "BYTES", "data": [body.decode()]}
    return json.dumps({"inputs": [tensor]}).encode()


def _of_mlflow(body: bytes) -> bytes:
    return json.dumps({"dataframe_records": [{"request": body.decode()}]}).encode()


def _bare(running: Running) -> list[str]:
    return [sys.executable, "-m", "bench.constant_server", str(running.port)]


def _ours(running: Running) -> list[str]:
    del running
    return [sys.executable, "-m", "pipeline_code.container", "serve"]


OURS = Peer("our container", "", _ours)
BARE = Peer("bare uvloop server, constant answer", "", _bare)
PEER_SERVERS = (
    Peer("FastAPI raw", "fastapi", _fastapi),
    Peer("MLServer", "mlserver", _mlserver, "/v2/models/model/infer", _of_mlserver),
    Peer("sagemaker-inference on multi-model-server", "sagemaker", _sagemaker),
    Peer(
        "MLflow models serve",
        "mlflow",
        _mlflow,
        request=_of_mlflow,
        variables={"MLFLOW_DISABLE_TELEMETRY": "true"},
    ),
    Peer("BentoML", "bentoml", _bentoml, variables={"BENTOML_DO_NOT_TRACK": "True"}),
)


def environment_of(peer: Peer) -> Path:
    """Make the peer's environment under ``.cache``, unless it is there; give its Python."""
    if not peer.requirements:
        return Path(sys.executable)
    file = PEERS / f"{peer.requirements}.txt"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    folder = CACHE / f"{peer.requirements}-{digest}"
    python = folder / "bin" / "python"
    if not (folder / "complete").is_file():
        sys.stderr.write(f"installing {peer.name}\n")
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--requirement", str(file)]
        subprocess.run(command, check=True, stdout=sys.stderr)
        (folder / "complete").touch()
    return python


def variables_of(peer: Peer, model: Path, running: Running) -> dict[str, str]:
    """Give the environment variables of a server."""
    return {
        **os.environ,
        **peer.variables,
        "PYTHONPATH": str(ROOT),
        "PATH": f"{running.python.parent}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "TMPDIR": str(running.folder),
        "BENCH_MODEL": str(model),
        "SAGEMAKER_BASE_DIR": str(model.parent),
        "SAGEMAKER_BIND_TO_PORT": str(running.port),
        "SAGEMAKER_BIND_TO_HOST": "127.0.0.1",
    }
