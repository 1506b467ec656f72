"""Which attributes each element has, and which elements may stand in it: VoiceXML 2.0 Appendix O with the additions
of 2.1, SSML 1.0 inside prompts, and SRGS 1.0 inside grammars."""

from __future__ import annotations

_CACHE = "fetchhint fetchtimeout maxage maxstale"
_NEXT = "next expr"
_EVENT = "event eventexpr message messageexpr"
_SUBMIT = "method enctype namelist"
_ITEM = "name expr cond"
_HANDLER = "count cond"

ATTRIBUTES: dict[str, frozenset[str]] = {
    name: frozenset(text.split())
    for name, text in {
        "assign": "name expr",
        "audio": f"src expr {_CACHE}",
        "block": _ITEM,
        "break": "size strength time",
        "catch": f"event {_HANDLER}",
        "choice": f"dtmf accept {_NEXT} {_EVENT} fetchaudio {_CACHE}",
        "clear": "namelist",
        "data": f"name src srcexpr {_SUBMIT} fetchaudio {_CACHE}",
        "desc": "",
        "disconnect": "namelist",
        "div": "type",
        "else": "",
        "elseif": "cond",
        "emp": "level",
        "emphasis": "level",
        "enumerate": "",
        "error": _HANDLER,
        "example": "",
        "exit": "expr namelist",
        "field": f"{_ITEM} type slot modal",
        "filled": "mode namelist",
        "foreach": "item array",
        "form": "id scope",
        "goto": f"{_NEXT} nextitem expritem fetchaudio {_CACHE}",
        "grammar": f"version mode root tag-format src srcexpr scope type weight {_CACHE}",
        "help": _HANDLER,
        "if": "cond",
        "initial": _ITEM,
        "item": "repeat repeat-prob weight tag",
        "lexicon": "uri type",
        "link": f"{_NEXT} {_EVENT} dtmf fetchaudio {_CACHE}",
        "log": "label expr",
        "mark": "name nameexpr",
        "menu": "id scope dtmf accept",
        "meta": "name content http-equiv",
        "noinput": _HANDLER,
        "nomatch": _HANDLER,
        "object": f"{_ITEM} classid codebase codetype data type archive {_CACHE}",
        "one-of": "",
        "option": "dtmf accept value",
        "p": "",
        "paragraph": "",
        "param": "name expr value valuetype type",
        "phoneme": "ph alphabet",
        "prompt": "bargein bargeintype cond count timeout",
        "property": "name value",
        "pros": "pitch contour range rate duration volume vol",
        "prosody": "pitch contour range rate duration volume",
        "record": f"{_ITEM} modal beep maxtime finalsilence dtmfterm type",
        "reprompt": "",
        "rethrow": "",
        "return": f"{_EVENT} namelist",
        "rule": "id scope",
        "ruleref": "uri special type",
        "s": "",
        "say-as": "interpret-as format detail type",
        "sayas": "class sub phon",
        "script": f"src srcexpr charset {_CACHE}",
        "sentence": "",
        "sub": "alias",
        "subdialog": f"{_ITEM} src srcexpr {_SUBMIT} fetchaudio {_CACHE}",
        "submit": f"{_NEXT} {_SUBMIT} fetchaudio {_CACHE}",
        "tag": "",
        "throw": _EVENT,
        "token": "",
        "transfer": f"{_ITEM} dest destexpr bridge type connecttimeout maxtime transferaudio aai aaiexpr",
        "value": "expr",
        "var": "name expr",
        "voice": "gender age variant name",
        "vxml": "version application",
    }.items()
}

_HANDLERS = "catch error help noinput nomatch"
_SOUNDS = "audio enumerate value"
_SSML = "break div emp emphasis p paragraph phoneme pros prosody s say-as sayas sentence speak sub voice"
_SPOKEN = f"{_SOUNDS} {_SSML} foreach lexicon mark meta metadata"
_CONTENT = (
    f"{_SOUNDS} assign clear data disconnect exit foreach goto if log mark prompt reprompt rethrow return script "
    "submit throw var"
)
_INPUT = f"{_SOUNDS} {_HANDLERS} filled prompt property"

#: What may stand in an element. In those that are not named here nothing may; metadata holds anything, and what a
#: grammar holds is judged by its reader.
CHILDREN: dict[str, frozenset[str]] = {
    name: frozenset(text.split())
    for name, text in {
        "audio": f"{_SPOKEN} desc",
        "block": _CONTENT,
        **dict.fromkeys(_HANDLERS.split(), _CONTENT),
        "choice": f"{_SPOKEN} grammar",
        "enumerate": _SPOKEN,
        "field": f"{_INPUT} grammar link option",
        "filled": _CONTENT,
        "foreach": f"{_CONTENT} {_SPOKEN}",
        "form": f"{_HANDLERS} block data field filled grammar initial link object property record script subdialog "
        "transfer var",
        "if": f"{_CONTENT} else elseif",
        "initial": f"{_SOUNDS} {_HANDLERS} link prompt property",
        "link": "grammar",
        "log": "value",
        "menu": f"{_SOUNDS} {_HANDLERS} choice link prompt property",
        "object": f"{_INPUT} param",
        "option": "grammar",
        "prompt": _SPOKEN,
        "record": f"{_INPUT} grammar link",
        "subdialog": f"{_INPUT} param",
        "transfer": f"{_INPUT} grammar link",
        "vxml": f"{_HANDLERS} data form link menu meta metadata property script var",
        **dict.fromkeys(_SSML.split(), _SPOKEN),
        "break": "",
    }.items()
}
ANYTHING = frozenset(("grammar", "metadata"))

#: Text in these is said, or is code; in all others nobody hears it.
TEXT = frozenset(
    f"{_SSML} {_HANDLERS} audio block choice desc enumerate field filled foreach grammar if initial log menu metadata "
    "object option prompt record script subdialog transfer".split()
) - {"break"}


def parents(name: str) -> list[str]:
    """Where an element may stand."""
    return sorted(parent for parent, children in CHILDREN.items() if name in children)
