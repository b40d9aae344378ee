"""ECR's DescribeImages: an image that is asked for by name and does not exist is an error.

ministack answers with an empty list, from which the CDK CLI concludes that the image is there.
"""

import json
from collections.abc import Callable
from typing import Any

from ministack.services import ecr


def install() -> None:
    """Put the check before ministack's handler."""
    theirs: Callable[..., Any] = ecr.handle_request

    async def handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        answer = await theirs(method, path, headers, body, query)
        if not headers.get("x-amz-target", "").endswith(".DescribeImages") or answer[0] != 200:  # noqa: PLR2004
            return answer
        asked = json.loads(body or b"{}")
        if not asked.get("imageIds") or json.loads(answer[2])["imageDetails"]:
            return answer
        message = (
            f"The image with imageId {asked['imageIds'][0]} does not exist within the repository"
        )
        error = {"__type": "ImageNotFoundException", "message": message}
        return 400, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(error).encode()

    ecr.handle_request = handle
