"""Serves a user's script: its `model_fn`, and `input_fn`, `predict_fn`, `output_fn` or defaults."""

from __future__ import annotations

import importlib.util
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from localcloud.sagemaker.algorithms.container import Container, UserError
from localcloud.sagemaker.algorithms.http_server import Answer, Request, serve

DEFAULT_ACCEPT = "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"
JSON, CSV, NUMPY = "application/json", "text/csv", "application/x-npy"


def serve_script(container: Container, script: Path) -> None:
    """Load the script and its model, and serve."""
    sys.path.insert(0, str(script.parent))
    module = _module(script)
    if not hasattr(module, "model_fn"):
        raise UserError(
            f"NotImplementedError: {script.name} has no model_fn(model_dir): a model cannot be "
            "loaded without"
        )
    default = container.environment.get(DEFAULT_ACCEPT, JSON)
    model = module.model_fn(str(container.model_folder))
    decode: Callable[[bytes, str], Any] = getattr(module, "input_fn", _decode)
    predict: Callable[[Any, Any], Any] = getattr(module, "predict_fn", _predict)
    encode: Callable[[Any, str], Any] = getattr(module, "output_fn", _encode)

    def answer(request: Request) -> Answer:
        accept = request.accept if request.accept not in ("", "*/*") else default
        kind = (request.content_type or JSON).partition(";")[0]
        given = request.body.decode() if decode is not _decode and kind in (JSON, CSV) else None
        data = decode(request.body if given is None else given, kind)  # type: ignore[arg-type]  # text of text
        return _answer(encode(predict(data, model), accept), accept)

    serve(container, answer)


def _module(script: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(script.stem, script)
    if spec is None or spec.loader is None:
        raise UserError(f"{script.name} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[script.stem] = module
    spec.loader.exec_module(module)
    return module


def _answer(encoded: Any, accept: str) -> Answer:
    body, kind = encoded if isinstance(encoded, tuple) else (encoded, accept)
    return Answer(body.encode() if isinstance(body, str) else bytes(body), kind)


def _decode(body: bytes, content_type: str) -> Any:
    if content_type == NUMPY:
        return np.load(io.BytesIO(body), allow_pickle=False)
    try:
        if content_type == JSON:
            return np.array(json.loads(body))
        if content_type == CSV:
            return np.genfromtxt(io.StringIO(body.decode()), dtype=np.float32, delimiter=",")
    except ValueError as error:
        raise UserError(f"The request cannot be read as {content_type}: {error}") from error
    raise UserError(f"Content type {content_type!r} is not one of {JSON}, {CSV}, {NUMPY}")


def _predict(data: Any, model: Any) -> Any:
    return model.predict(data)


def _encode(prediction: Any, accept: str) -> tuple[bytes, str]:
    array = np.asarray(prediction)
    if accept == JSON:
        return json.dumps(array.tolist()).encode(), JSON
    if accept == NUMPY:
        target = io.BytesIO()
        np.save(target, array)
        return target.getvalue(), NUMPY
    if accept == CSV:
        rows = [",".join(map(str, np.atleast_1d(row).tolist())) for row in np.atleast_1d(array)]
        return ("\n".join(rows) + "\n").encode(), CSV
    raise UserError(f"Accept {accept!r} is not one of {JSON}, {CSV}, {NUMPY}")
