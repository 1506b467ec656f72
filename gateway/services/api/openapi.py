"""The OpenAPI 3.1 document, made of the very types that validate requests and write answers."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway import __version__
from gateway.core.access import Scope
from gateway.services.api.problems import KEY_HEADER, KINDS, Code
from gateway.services.api.receipts import MAX_KEY
from gateway.services.api.routing import JSON, Operation
from voxgate import models

BASE = "/api/v1"
_PROBLEM = "application/problem+json"
_REF = "#/components/schemas/{name}"
_TEXT = """Everything that the Plum service does and more. Times are RFC 3339 in UTC. Lists come in pages: pass `next`
of one as `after` of the following. Refusals are problems (RFC 9457) with a `code`, and the `field` and `rule` where a
field is at fault. A POST that queues takes an `Idempotency-Key`, kept for seven days: sent again, it is answered as
the first time, and nothing is queued twice."""


def document(operations: list[Operation]) -> dict[str, Any]:
    kinds = [kind for one in operations for kind in (one.query, one.body, one.result, *one.route.replies) if kind]
    kinds.append(models.Problem)
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    by_kind = {_key(kind): schema for kind, schema in zip(kinds, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.route.path, {})[one.route.method.lower()] = _operation(one, by_kind, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Voxgate", "version": __version__, "description": _TEXT, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": BASE}],
        "security": [{"pin": []}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "pin": {"type": "http", "scheme": "basic", "description": "An account's login and PIN."},
                "token": {"type": "http", "scheme": "bearer", "description": _scopes()},
            },
        },
    }


def _scopes() -> str:
    return "A token, whose scopes are among " + ", ".join(f"`{one}`" for one in Scope) + "."


def _key(kind: Any) -> str:
    return repr(kind)


def _operation(one: Operation, by_kind: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    summary, _, rest = one.text.partition("\n")
    made: dict[str, Any] = {
        "operationId": one.name,
        "summary": summary,
        "description": (rest.strip() + f"\n\nScope: `{one.route.scope}`.").strip(),
        "tags": [one.route.path.split("/")[1]],
        "parameters": [*_path(one), *_query(one, by_kind, components), *_key_header(one)],
        "responses": _responses(one, by_kind),
    }
    if (content := _takes(one, by_kind)) is not None:
        made["requestBody"] = {"required": True, "content": content}
    return made


def _path(one: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": msgspec.json.schema(kind)}
        for name, kind in one.path.items()
    ]


def _query(one: Operation, by_kind: dict[str, Any], components: dict[str, Any]) -> list[dict[str, Any]]:
    if one.query is None:
        return []
    schema = components[by_kind[_key(one.query)]["$ref"].rpartition("/")[2]]
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _given(value)}
        for name, value in schema["properties"].items()
    ]


def _given(schema: dict[str, Any]) -> dict[str, Any]:
    """A query parameter cannot be null: it is left out."""
    options = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    return options[0] if len(options) == 1 else schema


def _key_header(one: Operation) -> list[dict[str, Any]]:
    if not one.route.keyed:
        return []
    schema = {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[ -~]+$"}
    return [{"name": KEY_HEADER, "in": "header", "required": False, "schema": schema}]


def _takes(one: Operation, by_kind: dict[str, Any]) -> dict[str, Any] | None:
    content: dict[str, Any] = {}
    if one.body is not None:
        content[JSON] = {"schema": by_kind[_key(one.body)]}
    elif one.route.replies and one.route.method == "POST":
        content[JSON] = {"schema": by_kind[_key(one.route.replies[0])]}
    for kind in one.route.takes:
        content[kind] = {"schema": _FORM} if kind.startswith("multipart") else {}  # text of its own kind
    return content or None


_FORM = {
    "type": "object",
    "description": "The variables of `queuecalls`, but for login and pin, and the list as a file.",
    "properties": {
        **{name: {"type": "string"} for name in ("account", "campaign_name", "start_url", "result_url",
           "message_reference", "call_parameters", "max_retries", "retry_interval", "scheduled_timestamp",
           "scheduled_time", "expiration_timestamp", "expiration_time", "detection", "machine")},
        "phone_list": {"type": "string", "contentMediaType": "text/csv"},
    },
    "required": ["campaign_name", "start_url", "phone_list"],
}  # fmt: skip

#: What an answer tells that another operation takes: operation, parameter, and where it stands in the answer.
_LINKS = {
    "queue_calls": [("get_call", "call_id", "/id"), ("cancel_call", "call_id", "/id"), ("why_call", "call_id", "/id")],
    "create_campaign": [
        (taker, "campaign_id", "/id")
        for taker in ("get_campaign", "add_calls", "preflight_campaign", "pause_campaign", "resume_campaign")
    ],
    "issue_token": [("revoke_token", "token_id", "/id")],
    "add_account": [("get_account", "login", "/login"), ("change_pin", "login", "/login")],
    "list_results": [("get_result", "result_id", "/items/0/id"), ("redeliver", "result_id", "/items/0/id")],
}


def _links(one: Operation) -> dict[str, Any]:
    links = {
        taker: {"operationId": taker, "parameters": {parameter: f"$response.body#{place}"}}
        for taker, parameter, place in _LINKS.get(one.name, ())
    }
    return {"links": links} if links else {}


_RATE = {
    name: {"schema": {"type": "string"}, "description": text}
    for name, text in (
        ("RateLimit-Policy", "How many requests in which window."),
        ("RateLimit", "How many are left, and seconds until there are more."),
    )
}


def _responses(one: Operation, by_kind: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    answers = [by_kind[_key(kind)] for kind in ((one.result,) if one.result else one.route.replies[1:])]
    if answers and not (one.route.gives and one.route.method == "GET"):
        schema = answers[0] if len(answers) == 1 else {"anyOf": answers}
        done = {"description": "Done.", "headers": _RATE, "content": {JSON: {"schema": schema}}}
        made[str(one.route.status)] = done | _links(one)
    for kind in one.route.gives:
        made.setdefault("200", {"description": "A stream.", "content": {}})["content"][kind] = {
            "schema": {"type": "string"}
        }
    for status, codes in _faults(one).items():
        text = "; ".join(f"`{code}`: {KINDS[code].title}" for code in codes)
        content: dict[str, Any] = {_PROBLEM: {"schema": by_kind[_key(models.Problem)]}}
        if status == 400:
            content["text/plain"] = {}  # of the HTTP server itself, as where the address is too long
        made[str(status)] = {"description": text, "content": content}
    return made


def _faults(one: Operation) -> dict[int, list[Code]]:
    codes = [Code.MALFORMED, Code.UNAUTHENTICATED, Code.FORBIDDEN, Code.TOO_MANY, Code.UNAVAILABLE, Code.INVALID]
    if one.path:
        codes.append(Code.NOT_FOUND)
    if one.body is not None or one.route.takes:
        codes += [Code.TOO_LARGE, Code.MEDIA_TYPE]
    if one.route.method != "GET":
        codes += [Code.CONFLICT, Code.NOT_FOUND]
    if one.query is not None:
        codes.append(Code.NOT_FOUND)
    if one.route.keyed:
        codes.append(Code.KEY_REUSED)
    found: dict[int, list[Code]] = {}
    for code in dict.fromkeys(codes):
        found.setdefault(KINDS[code].status, []).append(code)
    return dict(sorted(found.items()))
