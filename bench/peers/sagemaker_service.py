"""The toolkit's own handler service around an inference handler, as its users write it."""

from __future__ import annotations

import json
from typing import Any

from sagemaker_inference.default_handler_service import DefaultHandlerService
from sagemaker_inference.default_inference_handler import DefaultInferenceHandler
from sagemaker_inference.transformer import Transformer

from bench.peers.scoring import answer


class Handler(DefaultInferenceHandler):
    """Load, read, predict, write."""

    def default_model_fn(self, model_dir: str, context: Any = None) -> Any:
        """Load the model."""
        del model_dir, context
        return answer

    def default_input_fn(self, input_data: Any, content_type: str, context: Any = None) -> Any:
        """Read a request."""
        del content_type, context
        return json.loads(input_data)

    def default_predict_fn(self, data: Any, model: Any, context: Any = None) -> Any:
        """Answer it."""
        del context
        return model(data)

    def default_output_fn(self, prediction: Any, accept: str, context: Any = None) -> Any:
        """Write an answer."""
        del context
        return json.dumps(prediction), accept


class HandlerService(DefaultHandlerService):
    """What multi-model-server calls."""

    def __init__(self) -> None:
        super().__init__(transformer=Transformer(default_inference_handler=Handler()))
        self.initialized = False


_SERVICE = HandlerService()


def handle(data: Any, context: Any) -> Any:
    """Answer, as multi-model-server asks."""
    if not _SERVICE.initialized:
        _SERVICE.initialize(context)
        _SERVICE.initialized = True
    return _SERVICE.handle(data, context)
