"""How the server says no: one named refusal, one JSON body, one sentence. Never because of what an entry says."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import msgspec
from starlette.responses import Response

from sync_agent import protocol
from sync_agent.protocol import Code

STATUS_OF: Final = {
    Code.MALFORMED: HTTPStatus.BAD_REQUEST,
    Code.UNSUPPORTED_VERSION: HTTPStatus.BAD_REQUEST,
    Code.BAD_SIGNATURE: HTTPStatus.UNAUTHORIZED,
    Code.UNKNOWN_NODE: HTTPStatus.UNAUTHORIZED,
    Code.BAD_TOKEN: HTTPStatus.UNAUTHORIZED,
    Code.WRONG_CODE: HTTPStatus.FORBIDDEN,
    Code.REVOKED: HTTPStatus.FORBIDDEN,
    Code.NOT_OFFICE: HTTPStatus.FORBIDDEN,
    Code.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Code.METHOD_NOT_ALLOWED: HTTPStatus.METHOD_NOT_ALLOWED,
    Code.HOLE: HTTPStatus.CONFLICT,
    Code.FORK_POINT_UNKNOWN: HTTPStatus.CONFLICT,
    Code.OTHER_KEY: HTTPStatus.CONFLICT,
    Code.OTHER_HEAD: HTTPStatus.CONFLICT,
    Code.STALE_BASE: HTTPStatus.CONFLICT,
    Code.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Code.UNSUPPORTED_ENCODING: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Code.TOO_MANY_TRIES: HTTPStatus.TOO_MANY_REQUESTS,
    Code.FAILED: HTTPStatus.INTERNAL_SERVER_ERROR,
}


class Refused(Exception):
    """A request that is not granted. The sentence goes to the sender as it is."""

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        durable_through: int | None = None,
        number: int | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message = code, message
        self.durable_through, self.number, self.retry_after_s = durable_through, number, retry_after_s


def respond(refused: Refused) -> Response:
    """The answer on the wire."""
    body = protocol.Refusal(
        error=refused.code.value,
        message=refused.message,
        durable_through=msgspec.UNSET if refused.durable_through is None else refused.durable_through,
        number=msgspec.UNSET if refused.number is None else refused.number,
    )
    headers = {} if refused.retry_after_s is None else {"Retry-After": str(refused.retry_after_s)}
    return json_response(body, status=STATUS_OF[refused.code], headers=headers)


def json_response(body: msgspec.Struct, *, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Response:
    """Every answer says which version speaks."""
    stated = {protocol.HEADER_VERSION: str(protocol.VERSION), **(headers or {})}
    return Response(msgspec.json.encode(body), status_code=status, headers=stated, media_type="application/json")
