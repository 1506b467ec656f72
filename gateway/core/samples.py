"""A request to the Plum service as curl, PHP and Python would send it, from a form's values: pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from gateway.core.plum import QUEUECALLS

#: Stands where the PIN goes: the gateway keeps no PIN that could be shown.
PIN = "YOUR_PIN"
LIST_FILE = "numbers.txt"
Values = Sequence[tuple[str, str]]


def samples(base: str, endpoint: str, login: str, values: Values) -> dict[str, str]:
    """Language to program. ``values`` are the form's own, in its order; empty ones are left out."""
    url = f"{base}/webservice/{endpoint}.php"
    fields = [("login", login), ("pin", PIN), *((name, value) for name, value in values if value)]
    with_list = endpoint == QUEUECALLS
    return {"curl": _curl(url, fields, with_list), "PHP": _php(url, fields, with_list),
            "Python": _python(url, fields, with_list)}  # fmt: skip


def _curl(url: str, fields: Values, with_list: bool) -> str:
    option = "--form-string" if with_list else "--data-urlencode"
    words = [f"{option} {shlex.quote(f'{name}={value}')}" for name, value in fields]
    if with_list:
        words.append(f"--form phone_list=@{LIST_FILE}")
    return " \\\n  ".join(["curl", *words, shlex.quote(url)])


def _php(url: str, fields: Values, with_list: bool) -> str:
    lines = [f"$params[{_php_text(name)}] = {_php_text(value)};" for name, value in fields]
    if with_list:
        lines.append(f"$params['phone_list'] = new CURLFile({_php_text(LIST_FILE)});")
    body = "$params" if with_list else "http_build_query($params)"
    return "\n".join(
        [
            "<?php", *lines, "$ch = curl_init();", "curl_setopt($ch, CURLOPT_POST, 1);",
            f"curl_setopt($ch, CURLOPT_POSTFIELDS, {body});", f"curl_setopt($ch, CURLOPT_URL, {_php_text(url)});",
            "curl_setopt($ch, CURLOPT_RETURNTRANSFER, 1);", "echo curl_exec($ch);",
        ]
    )  # fmt: skip


def _php_text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _python(url: str, fields: Values, with_list: bool) -> str:
    lines = [f"    {name!r}: {value!r}," for name, value in fields]
    files = f", files={{'phone_list': open({LIST_FILE!r}, 'rb')}}" if with_list else ""
    return "\n".join(
        ["import requests", "", "params = {", *lines, "}", f"answer = requests.post({url!r}, data=params{files})",
         "print(answer.text)"]
    )  # fmt: skip
