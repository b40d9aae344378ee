"""A pyfunc model for MLflow's scoring server: one column with the request's JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

import mlflow
from mlflow.models import set_model


class Model(mlflow.pyfunc.PythonModel):  # type: ignore[misc] # no type information
    """The model."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        """Answer each row."""
        del context, params
        from bench.peers.scoring import answer  # noqa: PLC0415 - the server's process loads it

        return [answer(json.loads(text)) for text in model_input["request"]]


if __name__ == "__main__":
    mlflow.pyfunc.save_model(sys.argv[1], python_model=__file__, pip_requirements=[])
else:
    set_model(Model())
