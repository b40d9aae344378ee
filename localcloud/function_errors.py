"""What a Python function raised, by its exception's name, as AWS Lambda tells it.

ministack calls every exception ``Runtime.HandlerError``, so that no state machine could retry or
catch one by its name: https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

_PLAIN = '"error": str(e), "trace": traceback.format_exc()'
_NAMED = f'{_PLAIN}, "type": type(e).__name__'
_UNNAMED = "Runtime.HandlerError"
_last = threading.local()

Answer = dict[str, Any]


def install() -> None:
    """Let workers say what was raised, and answers carry it."""
    script = lambda_runtime._PYTHON_WORKER_SCRIPT  # noqa: SLF001
    if script.count(_PLAIN) != 1:
        message = "ministack's worker of Python functions reports exceptions in another way"
        raise RuntimeError(message)
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(_PLAIN, _NAMED)  # noqa: SLF001
    lambda_runtime.Worker.invoke = _remembering(lambda_runtime.Worker.invoke)
    execute = lambda_svc._execute_function_warm  # noqa: SLF001
    lambda_svc._execute_function_warm = _naming(execute)  # noqa: SLF001


def _remembering(invoke: Callable[..., Answer]) -> Callable[..., Answer]:
    def invoke_and_remember(worker: Any, *arguments: Any, **options: Any) -> Answer:
        answer = invoke(worker, *arguments, **options)
        _last.raised = answer.get("type")
        return answer

    return invoke_and_remember


def _naming(execute: Callable[..., Answer]) -> Callable[..., Answer]:
    def execute_and_name(*arguments: Any, **options: Any) -> Answer:
        _last.raised = None
        answer = execute(*arguments, **options)
        body = answer["body"]
        if answer.get("error") and _last.raised and body.get("errorType") == _UNNAMED:
            body["errorType"] = _last.raised
        return answer

    return execute_and_name
