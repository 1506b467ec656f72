"""Operations declared once: their types validate requests, write answers and make the OpenAPI document."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from gateway.core.access import Scope
from gateway.core.ratelimit import RateLimit
from gateway.ports import Clock
from gateway.services.api.callers import Authenticate, Caller
from gateway.services.api.problems import Code, Problem, answer, invalid, problem_of
from gateway.services.audit import Audit
from gateway.services.origin import same_origin

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
F = TypeVar("F", bound=Callable[..., Awaitable[Any]])

#: Bytes of a JSON body.
MAX_JSON = 1024 * 1024
JSON = "application/json"
_ROUTE = "_route"


@dataclass(frozen=True, slots=True)
class Route:
    """``takes``: media types of a body that the handler reads itself; ``gives``: media types other than JSON.

    ``keyed`` operations keep what they answered under the request's Idempotency-Key.
    """

    method: str
    path: str
    scope: Scope | None
    status: int = 200
    keyed: bool = False
    takes: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()
    replies: tuple[Any, ...] = ()  # models of the lines of a stream, for the document


def route(
    method: str,
    path: str,
    scope: Scope | None,
    *,
    status: int = 200,
    keyed: bool = False,
    takes: tuple[str, ...] = (),
    gives: tuple[str, ...] = (),
    replies: tuple[Any, ...] = (),
) -> Callable[[F], F]:
    """Declare a handler: ``who``, ``query``, ``body``, ``request`` and the path's names are passed as it names them.

    One that reads the body itself asks ``again`` who sent it once it was read.
    """

    def declare(handler: F) -> F:
        setattr(handler, _ROUTE, Route(method, path, scope, status, keyed, takes, gives, replies))
        return handler

    return declare


@dataclass(frozen=True, slots=True)
class Operation:
    """A route with its handler and the types that the handler's signature names."""

    route: Route
    name: str
    handler: Callable[..., Awaitable[Any]]
    text: str
    query: type[msgspec.Struct] | None
    body: Any
    result: Any
    path: dict[str, Any] = field(default_factory=dict)
    wants: frozenset[str] = frozenset()

    @property
    def pattern(self) -> str:
        """The route as aiohttp's router has it, so that no name is taken for an id."""
        found = self.route.path
        for name, kind in self.path.items():
            found = found.replace(f"{{{name}}}", f"{{{name}:{_pattern(kind)}}}")
        return found


def _pattern(kind: Any) -> str:
    found = msgspec.inspect.type_info(kind)
    match found.type if isinstance(found, msgspec.inspect.Metadata) else found:
        case msgspec.inspect.IntType():
            return "[0-9]+"
        case msgspec.inspect.StrType(pattern=str(pattern)):
            return pattern.strip("^$")
        case _:
            return "[^/]+"


def operations(*rooms: object) -> list[Operation]:
    found = [operation for room in rooms for operation in _of_room(room)]
    return sorted(found, key=lambda one: (one.route.path, one.route.method))


def _of_room(room: object) -> Iterator[Operation]:
    for name, method in inspect.getmembers(room, inspect.iscoroutinefunction):
        declared: Route | None = getattr(method, _ROUTE, None)
        if declared is None:
            continue
        hints = typing.get_type_hints(method, include_extras=True)
        result = hints.pop("return")
        if isinstance(result, type) and issubclass(result, web.StreamResponse):
            result = None
        path = {one: kind for one, kind in hints.items() if f"{{{one}}}" in declared.path}
        if int in path.values():
            raise TypeError(f"{name}: an id in a path is a models.Ident: a larger number is none of the database's")
        yield Operation(
            declared,
            name,
            method,
            inspect.getdoc(method) or "",
            hints.get("query"),
            hints.get("body"),
            result,
            path,
            frozenset(hints),
        )


class Limits:
    """The pace at which each caller may ask; None does not limit. Headers as the IETF's draft has them."""

    def __init__(self, limit: RateLimit | None, clock: Clock) -> None:
        self._limit = limit
        self._clock = clock

    def take(self, who: Caller, headers: dict[str, str]) -> None:
        """Raises :class:`Problem`; puts on ``headers`` what is left (draft-ietf-httpapi-ratelimit-headers)."""
        if self._limit is None:
            return
        key = f"account {who.owner}" if who.account is not None else f"token {who.token}"
        turn = self._limit.take(key, self._clock.now())
        headers["RateLimit-Policy"] = f'"default";q={self._limit.burst};w={self._limit.window}'
        headers["RateLimit"] = f'"default";r={turn.remaining};t={turn.seconds}'
        if not turn.allowed:
            wait = max(1, turn.seconds)
            raise Problem(
                Code.TOO_MANY, f"too many requests: the next is taken in {wait} s", headers={"Retry-After": str(wait)}
            )


class Served:
    """One operation as aiohttp's handler: who asks, may they, what do they ask, and the answer."""

    def __init__(self, operation: Operation, authenticate: Authenticate, limits: Limits, audit: Audit) -> None:
        self._operation = operation
        self._authenticate = authenticate
        self._limits = limits
        self._audit = audit
        self._decoder = None if operation.body is None else msgspec.json.Decoder(operation.body)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        operation = self._operation
        headers: dict[str, str] = {}
        try:
            values: dict[str, Any] = {}
            if operation.route.method != "GET" and not same_origin(request):
                # A browser that was once asked for login and PIN sends them along for every site.
                raise Problem(Code.FORBIDDEN, "the request came from another site's page")
            if operation.route.scope is not None:
                values["who"] = who = await self._authenticate(request)
                self._limits.take(who, headers)
                values["again"] = functools.partial(self._again, request)
                self._check(who)
            self._read_path(request, values)
            if operation.query is not None:
                values["query"] = read_query(request, operation.query)
            if self._decoder is not None:
                values["body"] = self._decoder.decode(await read_json(request))
                values["who"] = await self._again(request)
            values["request"] = request
            result = await operation.handler(**{name: values[name] for name in operation.wants})
        except (ConnectionError, TimeoutError):
            raise
        except Exception as error:
            problem = problem_of(error)
            if problem.code is Code.FORBIDDEN and "who" in values and operation.route.method != "GET":
                await self._audit.refused(values["who"].name, f"api.{operation.name}", request.path, str(problem))
            told = answer(problem)
            told.headers.update(headers)
            return told
        return self._answer(result, headers)

    async def _again(self, request: web.Request) -> Caller:
        who = await self._authenticate(request)
        self._check(who)
        return who

    def _check(self, who: Caller) -> None:
        scope = self._operation.route.scope
        if scope is not None and not who.may(scope):
            raise Problem(Code.FORBIDDEN, f"this needs the scope {scope}")

    def _read_path(self, request: web.Request, values: dict[str, Any]) -> None:
        for name, kind in self._operation.path.items():
            try:
                values[name] = msgspec.convert(request.match_info[name], kind, strict=False)
            except msgspec.ValidationError as error:
                raise invalid(name, f"is refused: {error}") from None

    def _answer(self, result: Any, headers: dict[str, str]) -> web.StreamResponse:
        if isinstance(result, web.StreamResponse):
            if not result.prepared:
                result.headers.update(headers)
            return result
        if result is None:
            return web.Response(status=204, headers=headers)
        return json_answer(result, self._operation.route.status, headers)


def json_answer(value: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type=JSON, headers=headers)


def read_query(request: web.Request, kind: type[msgspec.Struct]) -> msgspec.Struct:
    """Raises :class:`Problem`, :class:`msgspec.ValidationError`."""
    known = _query_types(kind)
    given: dict[str, Any] = {}
    for name, value in request.query.items():
        if name in given:
            raise invalid(name, "is given more than once")
        try:
            given[name] = msgspec.convert(value, known.get(name, str), strict=False)
        except msgspec.ValidationError as error:
            raise invalid(name, f"is refused: {error}") from None
    return msgspec.convert(given, kind)


@functools.cache
def _query_types(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The types of a query's parameters, none of which can be null: ``reference=null`` seeks the text ``null``."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return {name: _not_null(hint) for name, hint in hints.items()}


def _not_null(hint: Any) -> Any:
    options = [one for one in typing.get_args(hint) if one is not type(None)]
    return options[0] if len(options) == 1 and type(None) in typing.get_args(hint) else hint


async def read_body(request: web.Request, limit: int) -> bytes:
    """Raises :class:`Problem` where it is longer than ``limit``."""
    if (request.content_length or 0) > limit:
        raise Problem(Code.TOO_LARGE, f"the body is larger than {limit} bytes")
    body = bytearray()
    async for piece in request.content.iter_chunked(65_536):
        body += piece
        if len(body) > limit:
            raise Problem(Code.TOO_LARGE, f"the body is larger than {limit} bytes")
    return bytes(body)


async def read_json(request: web.Request) -> bytes:
    if request.content_type != JSON:
        raise Problem(Code.MEDIA_TYPE, f"the body is {request.content_type}: send {JSON}")
    return await read_body(request, MAX_JSON)
