"""The ECMAScript side of a session: the chain of scopes session, application, document, dialog and anonymous
(VoiceXML 2.0 §5.1.2), evaluated by QuickJS under limits of memory and time."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files

import quickjs

from vxml.errors import semantic
from vxml.hoist import hoisted
from vxml.types import Json

MEMORY = 16 * 1024 * 1024  # bytes: it ends native calls that grow, and bounds.js those that do not; no time limit does
CPU_SECONDS = 2.0
MAX_STACK = 256 * 1024

_NAME = re.compile(r"[A-Za-z_$][\w$]*\Z")
_PLACE = re.compile(r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*|\[[^\]]*\])*\Z")
_RESERVED = frozenset(
    "break case catch class const continue debugger default delete do else enum export extends false finally for "
    "function if import in instanceof new null return super switch this throw true try typeof var void while with "
    "let static yield".split()
)

_SCRIPTS = tuple(
    files("vxml.engine").joinpath(name).read_text(encoding="utf-8")
    for name in ("dom.js", "sisr.js", "scopes.js", "bounds.js")
)


def is_name(text: str) -> bool:
    """Whether a variable may have this name."""
    return _NAME.match(text) is not None and text not in _RESERVED


def is_place(text: str) -> bool:
    """Whether something can be assigned to this: a variable, or a property of one."""
    return _PLACE.match(text) is not None


class Scopes:
    """One session's variables. ``push`` and ``pop`` keep the chain; expressions are evaluated in all of it.

    ``spend`` is told the seconds of CPU time that every evaluation took.
    """

    def __init__(self, session: Mapping[str, Json], spend: Callable[[float], None]) -> None:
        self._spend = spend
        self._context = quickjs.Context()
        self._context.set_memory_limit(MEMORY)
        self._context.set_max_stack_size(MAX_STACK)
        for script in _SCRIPTS:
            self._context.eval(script)
        self._context.set_time_limit(CPU_SECONDS)
        self._api = self._context.get("__vx")
        self._push("session", session, frozen=True)

    # --- the chain ---

    def _call(self, method: str, *arguments: str | int | None) -> str:
        words = ", ".join(json.dumps(argument) for argument in arguments)
        began = time.thread_time()
        try:
            result = self._context.eval(f"__vx.{method}({words})")
        except quickjs.JSException as error:
            raise semantic(f"the script was stopped: {str(error).splitlines()[0]}") from None
        finally:
            self._spend(time.thread_time() - began)
        return result if isinstance(result, str) else json.dumps({"ok": result})

    def _result(self, method: str, *arguments: str | int | None) -> Json:
        answer = json.loads(self._call(method, *arguments))
        if "error" in answer:
            raise semantic(f"{answer['error']}: {answer['message']}")
        value: Json = answer.get("ok")
        return value

    def _push(self, name: str, values: Mapping[str, Json], *, frozen: bool = False) -> None:
        self._call("push", name, json.dumps(values), frozen)

    def push(self, name: str = "", values: Mapping[str, Json] | None = None) -> None:
        """Open a scope: ``application``, ``document``, ``dialog``, or an anonymous one."""
        self._push(name, values or {})

    def pop(self) -> None:
        self._call("pop")

    @property
    def depth(self) -> int:
        depth = json.loads(self._call("depth"))["ok"]
        assert isinstance(depth, int)
        return depth

    def unwind(self, depth: int) -> None:
        while self.depth > depth:
            self.pop()

    def alias(self, name: str, of: str) -> None:
        self._call("alias", name, of)

    # --- variables ---

    def declare(self, name: str, expression: str | None) -> None:
        """<var>: a variable of the innermost scope. One that is there already keeps its value where no expression is
        given, as in ECMAScript (VoiceXML 2.0 §5.3.1)."""
        if not is_name(name):
            raise semantic(f"{name!r} cannot be the name of a variable")
        self._result("init", name, expression)

    def assign(self, name: str, expression: str) -> None:
        """<assign>: an undeclared variable raises error.semantic (VoiceXML 2.0 §5.3.2)."""
        if not is_place(name):
            raise semantic(f"{name!r} is nothing that can be assigned to")
        self._result("exec", f"{name} = ({expression}\n);")

    def put(self, scope: str, name: str, value: Json) -> None:
        """Set a variable of the named scope from the host; None makes it undefined."""
        self._call("put", scope, name, None if value is None else json.dumps(value))

    def defined(self, scope: str, name: str) -> bool:
        return bool(self._result("defined", scope, name))

    # --- expressions ---

    def value(self, expression: str) -> Json:
        """The value as JSON has it; undefined is None."""
        return self._result("value", expression)

    def text(self, expression: str) -> str:
        return str(self._result("text", expression))

    def truth(self, expression: str) -> bool:
        return bool(self._result("truth", expression))

    def run(self, code: str) -> None:
        """<script>: its top-level variables and functions become those of the innermost scope."""
        variables, functions, rest = hoisted(code)
        names = [*variables, *(name for name, _ in functions)]
        for name in names:
            self._call("declare", name)
        head = "".join(f"{name} = ({source});\n" for name, source in functions)
        self._result("exec", head + rest)

    # --- what is more than an expression ---

    def interpret(self, code: str) -> Json:
        """The value of a grammar's match by its script tags (SISR 1.0)."""
        return self._result("interpret", code)

    def put_results(self, results: Sequence[Json] | None) -> None:
        """application.lastresult$, best first; None makes it undefined."""
        if results is None:
            self.put("application", "lastresult$", None)
        else:
            self._call("results", json.dumps(list(results)))

    def put_dom(self, name: str, tree: Json) -> None:
        """A read-only document for <data> (VoiceXML 2.1 §5), in the variable that ``name`` now is, or a new one."""
        self._result("dom", name, json.dumps(tree))

    def array(self, expression: str) -> tuple[int, int]:
        """Keep a copy of an array for a <foreach>: its number, and how many items it has."""
        kept = self._result("array", expression)
        assert isinstance(kept, list)
        number, length = kept
        assert isinstance(number, int) and isinstance(length, int)
        return number, length

    def item(self, name: str, number: int, index: int) -> None:
        """Assign an item of a kept array to the variable ``name``, or to a new one of the innermost scope."""
        self._call("item", name, number, index)

    def forget_array(self, number: int) -> None:
        self._call("forget", number)

    def kind(self, expression: str) -> str:
        """The value's ``typeof``."""
        return str(self._result("kind", expression))
