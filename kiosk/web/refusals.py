"""The named ways in which a request is turned down: a status, one clear sentence, and nothing about our insides.

Raised anywhere below `app`, answered in one place. Never used for a decision: a refused pickup is an answer, not an error.
"""

from __future__ import annotations

from collections.abc import Mapping


class Refusal(Exception):
    """A request that cannot be served as it is. `sentence` names the place and the remedy."""

    status = 400

    def __init__(self, sentence: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.headers = dict(headers or {})


class Malformed(Refusal):
    """The body, a header or a parameter is not what the interface says."""

    status = 422


class NotSignedIn(Refusal):
    """Nobody is signed in here, or the session ran out."""

    status = 401


class NotAllowed(Refusal):
    """The role, the key or the origin does not permit it."""

    status = 403


class NoSuchThing(Refusal):
    status = 404


class TooLarge(Refusal):
    status = 413


class WrongContentType(Refusal):
    status = 415


class TooMany(Refusal):
    """A named bound was reached. `Retry-After` says when it is worth another try, in seconds."""

    status = 429

    def __init__(self, sentence: str, *, retry_after_s: int = 5) -> None:
        super().__init__(sentence, headers={"Retry-After": str(retry_after_s)})


class Unavailable(Refusal):
    """The controller does not answer, or a part that this gate does not have was asked for."""

    status = 503
