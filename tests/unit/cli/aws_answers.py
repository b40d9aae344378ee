"""A session whose clients get their answers from a table: real requests, no network."""

from __future__ import annotations

from functools import cache

import boto3
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.validate import validate_parameters


@cache
def loaded_models():
    """One session for all, so that each service model is read once."""
    return botocore.session.Session().get_component("data_loader")


class Refusal:
    """An error that AWS answers with."""

    def __init__(self, code, message="said AWS", status=400, date=None):
        self.error = {"Code": code, "Message": message}
        self.status = status
        self.date = date


class AnsweringSession(boto3.Session):
    """Answers each operation as the table says; strictly, what is not in it is a surprise."""

    def __init__(self, answers, region="us-east-1", date=None, *, strict=True):
        core = botocore.session.Session()
        core.register_component("data_loader", loaded_models())
        core.set_credentials("testing", "testing")
        super().__init__(botocore_session=core, region_name=region)
        self.answers = answers
        self.date = date
        self.strict = strict

    def client(self, service, *arguments, **options):
        client = super().client(service, *arguments, **options)

        def answer(model, params, **_):
            name = f"{service}.{model.name}"
            if name not in self.answers and not self.strict:
                return None  # moto answers
            found = self.answers[name]
            found = found(params) if callable(found) else found
            return self._response(model, found)

        client.meta.events.register("before-call", answer)
        return client

    def _response(self, model, found):
        refused = isinstance(found, Refusal)
        status = found.status if refused else 200
        headers = {"date": (refused and found.date) or self.date}
        parsed = {"Error": found.error} if refused else dict(found)
        if not refused and model.output_shape is not None:
            validate_parameters(parsed, model.output_shape)
        parsed["ResponseMetadata"] = {"HTTPStatusCode": status, "HTTPHeaders": headers}
        return AWSResponse("https://test", status, headers, None), parsed
