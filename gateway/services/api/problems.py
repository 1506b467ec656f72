"""What goes wrong in a request, as RFC 9457 problems: one table of kinds, which the documentation prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec
import structlog
from aiohttp import web

from gateway.core.accounts import at_fault
from gateway.core.lists import ListRefused
from gateway.core.plum import FieldError
from gateway.ports import NameTaken, StoreError, StoreRefused
from gateway.services.intake.form import FormError, SpoolFull
from gateway.services.receipts import KeyReused
from voxgate import models

log = structlog.get_logger()

KEY_HEADER = "Idempotency-Key"


class Code(StrEnum):
    MALFORMED = "malformed"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD = "method_not_allowed"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    MEDIA_TYPE = "unsupported_media_type"
    INVALID = "invalid"
    KEY_REUSED = "key_reused"
    TOO_MANY = "too_many_requests"
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Kind:
    status: int
    title: str
    remedy: str


KINDS: dict[Code, Kind] = {
    Code.MALFORMED: Kind(400, "The request cannot be read", "Send what the API's description names."),
    Code.UNAUTHENTICATED: Kind(401, "Login or token is missing or wrong", "Send login and PIN, or a token."),
    Code.FORBIDDEN: Kind(403, "Not allowed", "Use a token with the scope that is named, or ask an operator."),
    Code.NOT_FOUND: Kind(404, "There is no such thing", "It never was, was removed, or is another account's."),
    Code.METHOD: Kind(405, "This cannot be done here", "Use a method of the Allow header."),
    Code.CONFLICT: Kind(409, "Not in this state", "Look at its state, then decide."),
    Code.TOO_LARGE: Kind(413, "The body is too large", "Send it in parts."),
    Code.MEDIA_TYPE: Kind(415, "The body is of a type that is not taken", "Send a type that is named."),
    Code.INVALID: Kind(422, "A field breaks a rule", "Change the field that is named, by the rule."),
    Code.KEY_REUSED: Kind(422, "The key was used for another request", "Use a new Idempotency-Key."),
    Code.TOO_MANY: Kind(429, "Too many requests", "Wait for the seconds of Retry-After."),
    Code.INTERNAL: Kind(500, "An error of the gateway", "Its log has the details; report it."),
    Code.UNAVAILABLE: Kind(503, "Not possible now", "Try again after the seconds of Retry-After."),
}


class Problem(Exception):
    def __init__(
        self, code: Code, detail: str, *, field: str | None = None, rule: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(detail)
        self.code = code
        self.field = field
        self.rule = rule
        self.headers = dict(headers or {})


def not_found(what: str) -> Problem:
    return Problem(Code.NOT_FOUND, f"there is no {what}")


def invalid(field: str, rule: str) -> Problem:
    return Problem(Code.INVALID, f"{field} {rule}", field=field, rule=rule)


def problem_of(error: Exception) -> Problem:
    """Any fault of a request as a problem; what nobody foresaw is logged."""
    match error:
        case Problem():
            return error
        case FieldError() | ListRefused():
            return invalid(error.field, error.rule)
        case msgspec.ValidationError():
            return problem_of(at_fault(error))
        case RecursionError():
            return Problem(Code.MALFORMED, "the body is nested too deeply")
        case SpoolFull():
            return Problem(Code.UNAVAILABLE, str(error), headers={"Retry-After": "60"})
        case FormError() | msgspec.DecodeError() | web.RequestPayloadError():
            return Problem(Code.MALFORMED, str(error)[:300])
        case web.HTTPRequestEntityTooLarge():
            return Problem(Code.TOO_LARGE, error.text or "the body is too large")
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            return Problem(Code.METHOD, f"only {allowed} is answered here", headers={"Allow": allowed})
        case web.HTTPNotFound():
            return not_found("such address: see /docs")
        case KeyReused():
            return Problem(
                Code.KEY_REUSED, f"the {KEY_HEADER} {error.key!r} was used for another request", field=KEY_HEADER,
                rule="stands for one request, and is kept for seven days",
            )  # fmt: skip
        case NameTaken():
            return Problem(Code.CONFLICT, str(error), field="name", rule=str(error))
        case StoreRefused():
            return Problem(Code.CONFLICT, str(error))
        case StoreError():
            log.error("api.store", error=str(error))
            return Problem(Code.UNAVAILABLE, "the queue cannot be used now", headers={"Retry-After": "5"})
        case _:
            log.exception("api.failed")
            return Problem(Code.INTERNAL, "an internal error; the log has the details")


def answer(problem: Problem) -> web.Response:
    kind = KINDS[problem.code]
    body = models.Problem(
        type=f"urn:voxgate:problem:{problem.code}",
        title=kind.title,
        status=kind.status,
        code=problem.code,
        detail=str(problem),
        field=problem.field,
        rule=problem.rule,
    )
    return web.Response(
        body=msgspec.json.encode(body),
        status=kind.status,
        content_type="application/problem+json",
        headers=problem.headers,
    )
