"""Finds a script's top-level declarations, so that they can land in the VoiceXML scope instead of a function's own."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_BEFORE_REGEX = set("(,=:[!&|?{};+-*%^~<>")
_WORDS_BEFORE_REGEX = {"return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do"}


def hoisted(code: str) -> tuple[list[str], list[tuple[str, str]], str]:
    """``(variables, functions, rest)``.

    ``variables`` are the names that ``var`` declares outside functions, ``functions`` the (name, source) of function
    declarations at the top level, and ``rest`` the code without those functions.
    """
    variables: list[str] = []
    functions: list[tuple[str, str]] = []
    rest: list[str] = []
    depth = nested = position = kept = 0
    function_depths: list[int] = []
    last = ""
    while position < len(code):
        char = code[position]
        if (end := _skip(code, position, last)) is not None:
            if not code.startswith(("//", "/*"), position):
                last = "x"
            position = end
            continue
        if char in "{([":
            depth += 1
        elif char in "})]":
            depth = max(0, depth - 1)
            if function_depths and char == "}" and depth == function_depths[-1]:
                function_depths.pop()
                nested -= 1
        word = _WORD.match(code, position)
        if word is None:
            if not char.isspace():
                last = char
            position += 1
            continue
        text = word[0]
        if text == "function":
            head = re.compile(r"function\s*\*?\s*([A-Za-z_$][\w$]*)?\s*").match(code, position)
            assert head is not None
            if depth == 0 and head[1] and last in ("", ";", "}"):
                end = _function_end(code, head.end())
                functions.append((head[1], code[position:end]))
                rest.append(code[kept:position] + ";")
                position = kept = end
                last = "}"
                continue
            if (brace := _body_start(code, head.end())) is not None:
                function_depths.append(depth)
                nested += 1
                position, depth, last = brace + 1, depth + 1, "{"
                continue
        elif text == "var" and nested == 0:
            variables += _declared(code, word.end())
        last = text if text in _WORDS_BEFORE_REGEX else "x"
        position = word.end()
    rest.append(code[kept:])
    return list(dict.fromkeys(variables)), functions, "".join(rest)


def _skip(code: str, position: int, last: str) -> int | None:
    """The end of the string, comment or regular expression that begins at ``position``; None where none does."""
    char = code[position]
    if code.startswith("//", position):
        end = code.find("\n", position)
        return len(code) if end < 0 else end
    if code.startswith("/*", position):
        end = code.find("*/", position + 2)
        return len(code) if end < 0 else end + 2
    if char in "'\"`":
        return _closing(code, position, char)
    if char == "/" and (last == "" or last in _BEFORE_REGEX or last in _WORDS_BEFORE_REGEX):
        return _closing(code, position, "/")
    return None


def _closing(code: str, position: int, mark: str) -> int:
    position += 1
    bracket = False
    while position < len(code):
        char = code[position]
        if char == "\\":
            position += 2
            continue
        if mark == "/":
            bracket = True if char == "[" else False if char == "]" else bracket
            if char == "\n":
                return position
        if char == mark and not bracket:
            return position + 1
        position += 1
    return len(code)


def _body_start(code: str, position: int) -> int | None:
    """The opening brace of a function's body, after its parameters."""
    depth = 0
    while position < len(code):
        char = code[position]
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        elif char == "{" and depth == 0:
            return position
        position += 1
    return None


def _function_end(code: str, position: int) -> int:
    start = _body_start(code, position)
    if start is None:
        return len(code)
    depth, position, last = 0, start, ""
    while position < len(code):
        if (end := _skip(code, position, last)) is not None:
            position, last = end, "x"
            continue
        char = code[position]
        if char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                return position + 1
        if not char.isspace():
            last = "x" if char.isalnum() or char in "_$" else char
        position += 1
    return len(code)


def _declared(code: str, position: int) -> list[str]:
    """The names of one ``var`` statement."""
    names: list[str] = []
    depth, expecting, last = 0, True, ""
    while position < len(code):
        if (end := _skip(code, position, last)) is not None:
            position, last = end, "x"
            continue
        char = code[position]
        if char in "{([":
            depth += 1
        elif char in "})]":
            if depth == 0:
                break
            depth -= 1
        elif depth == 0 and char == ";":
            break
        elif depth == 0 and char == ",":
            expecting = True
        elif expecting and (word := _WORD.match(code, position)):
            names.append(word[0])
            expecting = False
            position, last = word.end(), "x"
            continue
        elif depth == 0 and char == "\n" and not expecting and last not in ("=", "+", "?", ":", "&", "|"):
            rest = code[position:].lstrip()
            if not rest.startswith((",", ".", "=", "+", "?", ":", "(", "[", "*", "/", "&", "|")):
                break
        if not char.isspace():
            last = char
        position += 1
    return names
