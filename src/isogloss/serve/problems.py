"""What is wrong with a request: one class, and the forms in which a client is told, which depend on the route.

raise Problem(413, "text_too_long", "texts[3] has …", param="texts[3]")

/v1/…                              OpenAI's form, which is ours too:
everything of our own              {"error": {"message": …, "type": …, "code": …, "param": …}}
/embed /predict /rerank /info      text-embeddings-inference's: {"error": …, "error_type": …}
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["TEI_ROUTES", "Problem", "problem_body"]

TEI_ROUTES = frozenset({"/embed", "/predict", "/rerank", "/info"})
# text-embeddings-inference's names of what went wrong, where it is not that the request was.
TEI_TYPES = {424: "Backend", 429: "Overloaded", 500: "Backend", 503: "Unhealthy", 504: "Backend"}
OURS = {401: "authentication_error", 429: "rate_limit_error"}


class Problem(Exception):
    """A request that is not answered as asked: HTTP status, a word for programs, a sentence for people.

    `param` is the part of the request that is meant, as `texts[3]`; `retry_after` is in whole seconds.
    """

    def __init__(
        self, status: int, code: str, message: str, *, param: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.retry_after = retry_after


def problem_body(problem: Problem, path: str) -> bytes:
    """The JSON that tells it, in the form that clients of this path expect."""
    content: dict[str, Any]
    if path in TEI_ROUTES:
        content = {"error": problem.message, "error_type": TEI_TYPES.get(problem.status, "Validation")}
    else:
        kind = OURS.get(problem.status, "invalid_request_error" if problem.status < 500 else "server_error")
        content = {"error": {"message": problem.message, "type": kind, "code": problem.code, "param": problem.param}}
    # Escapes keep whatever a message quotes, half a surrogate pair too, within ASCII.
    return json.dumps(content).encode("ascii")
