"""Fetching: attributes, URLs, what is sent along, documents and their root, and the errors of it (VoiceXML 2.0 §6.1, §5.2.6,
§5.3.7, §5.3.8, §1.5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vxml.caller import Caller, document
from tests.vxml.cases import Case, form, params, says
from vxml import Audio, Fetch, Fetched, Recorded

START = "http://app/start"
DONE = document("<form><block>there</block></form>")


class Anywhere(dict[str, Any]):
    """Every URL that is not named answers with DONE."""

    def get(self, url: str, default: Any = None) -> Any:
        return super().get(url, DONE)


def fetch(body: str, start: str = START, **attributes: str) -> Fetch:
    """The first fetch after that of the start page."""
    return Caller(Anywhere({start: document(body)}), start=start).fetched[1]


def block(content: str, before: str = "") -> str:
    return f"<form>{before}<block>{content}</block></form>"


MENU = "<menu><choice dtmf='1' next='x' {}>one</choice></menu>"
LINK = "<link dtmf='1' next='x' {}/><form><field name='f' type='boolean?y=5;n=6'/></form>"
FETCHING = {
    "goto": block("<goto next='x' {}/>"),
    "submit": block("<submit next='x' {}/>"),
    "subdialog": "<form><subdialog name='s' src='x' {}/></form>",
    "script": "<script src='x' {}/><form/>",
    "data": "<data name='d' src='x' {}/><form/>",
    "grammar": "<form><field name='f'><grammar src='x' {}/></field></form>",
    "choice": MENU,
    "link": LINK,
}
KINDS = {"script": "script", "data": "data", "grammar": "grammar"}


@pytest.mark.parametrize("element", FETCHING)
@pytest.mark.parametrize(
    ("attributes", "timeout", "max_age", "max_stale"),
    [
        pytest.param("", 15.0, None, None, id="none"),
        pytest.param("fetchtimeout='2s'", 2.0, None, None, id="fetchtimeout"),
        pytest.param("maxage='0'", 15.0, 0.0, None, id="maxage zero: always fresh"),
        pytest.param("maxage='60' maxstale='30' fetchhint='safe'", 15.0, 60.0, 30.0, id="maxage, maxstale, fetchhint"),
    ],
)
def test_attributes(
    element: str, attributes: str, timeout: float, max_age: float | None, max_stale: float | None
) -> None:
    """§6.1.1, §6.1.2."""
    body = FETCHING[element].format(attributes)
    caller = Caller(Anywhere({START: document(body)}))
    if element in ("choice", "link"):
        caller.keys("1")
    one = caller.fetched[1]
    assert one.url == "http://app/x"
    assert one.kind == KINDS.get(element, "document")
    assert (one.timeout, one.max_age, one.max_stale) == (timeout, max_age, max_stale)


def test_an_attribute_outranks_its_property() -> None:
    properties = "<property name='documentmaxage' value='9'/><property name='fetchtimeout' value='9s'/>"
    one = fetch(block("<goto next='x' maxage='1' fetchtimeout='1s'/>", properties))
    assert (one.max_age, one.timeout) == (1.0, 1.0)


@pytest.mark.parametrize("element", ["goto", "submit", "subdialog"])
def test_fetchaudio_is_heard_while_documents_are_fetched(element: str) -> None:
    """§6.1.1."""
    waiting = fetch(FETCHING[element].format("fetchaudio='wait.wav'")).waiting
    assert waiting is not None
    assert (waiting.url, waiting.delay, waiting.minimum) == ("http://app/wait.wav", 2.0, 5.0)


@pytest.mark.parametrize("element", KINDS)
def test_nothing_is_heard_while_anything_else_is_fetched(element: str) -> None:
    assert fetch(f"<property name='fetchaudio' value='wait.wav'/>{FETCHING[element].format('')}").waiting is None


def test_what_is_queued_is_heard_before_fetchaudio() -> None:
    """§4.1.8."""
    caller = Caller({START: document(block("Wait.<goto next='x' fetchaudio='a.wav'/>")), "http://app/x": DONE})
    kinds = [type(one).__name__ for one in caller.asked]
    assert kinds == ["Fetch", "Play", "Fetch", "Play", "Exit"]


# --- URLs ---


@pytest.mark.parametrize(
    ("target", "url"),
    [
        pytest.param("x", "http://app/dir/x", id="relative"),
        pytest.param("../x", "http://app/x", id="a folder up"),
        pytest.param("/x", "http://app/x", id="from the root"),
        pytest.param("//other/x", "http://other/x", id="another host"),
        pytest.param("https://other/x", "https://other/x", id="absolute"),
        pytest.param("?a=1", "http://app/dir/start?a=1", id="a query alone"),
        pytest.param("x#d", "http://app/dir/x", id="a fragment is not sent"),
        pytest.param("x?a=1&amp;b=2#d", "http://app/dir/x?a=1&b=2", id="a query and a fragment"),
    ],
)
def test_urls(target: str, url: str) -> None:
    start = "http://app/dir/start"
    assert fetch(block(f"<goto next='{target}'/>"), start).url == url


@pytest.mark.parametrize(
    ("base", "url"),
    [
        pytest.param("http://cdn/v/", "http://cdn/v/x", id="absolute"),
        pytest.param("sub/", "http://app/sub/x", id="relative"),
        pytest.param("", "http://app/x", id="none"),
    ],
)
@pytest.mark.parametrize("element", ["goto", "submit", "subdialog", "script", "data", "grammar"])
def test_xml_base(element: str, base: str, url: str) -> None:
    """§1.5.1: all relative URLs of a document count from its xml:base."""
    page = f"<vxml version='2.1' xml:base='{base}'>{FETCHING[element].format('')}</vxml>"
    assert Caller(Anywhere({START: page})).fetched[1].url == url


def test_xml_base_for_audio_and_the_application_root() -> None:
    page = "<vxml version='2.1' xml:base='http://cdn/v/' application='root'><form><block><audio src='a.wav'/></block></form></vxml>"
    caller = Caller({START: page, "http://cdn/v/root": document("")})
    assert caller.fetched[1].url == "http://cdn/v/root"
    assert isinstance(segment := caller.prompts[0].segments[0], Audio)
    assert segment.url == "http://cdn/v/a.wav"


def test_urls_count_from_where_a_redirect_led() -> None:
    moved = Fetched("http://new/dir/page", 200, document(block("<goto next='x'/>")).encode())
    assert Caller({START: moved, "http://new/dir/x": DONE}).hears("there").fetched[1].url == "http://new/dir/x"


def test_the_transports_charset_outranks_the_documents() -> None:
    page = "<?xml version='1.0' encoding='utf-8'?><vxml version='2.1'><form><block>café</block></form></vxml>"
    Caller({START: Fetched(START, 200, page.encode("iso-8859-1"), "text/xml", "iso-8859-1")}).hears("café").is_done()


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-8"])
def test_a_scripts_charset(charset: str) -> None:
    """§5.3.12."""
    body = f"<script src='x' charset='{charset}'/><form><block><value expr='s'/></block></form>"
    Caller({START: document(body), "http://app/x": "var s = 'café';".encode(charset)}).hears("café").is_done()


# --- what is sent along ---

VARS = "<var name='a' expr='1'/><var name='b' expr=\"'x y&amp;z'\"/><var name='u'/><var name='o' expr=\"{p: 1, q: {r: 'é'}}\"/>"


@pytest.mark.parametrize(
    ("names", "query", "sent"),
    [
        pytest.param("", "", (), id="nothing"),
        pytest.param("a", "a=1", (("a", "1"),), id="one"),
        pytest.param("a b", "a=1&b=x+y%26z", (("a", "1"), ("b", "x y&z")), id="several, in order, escaped"),
        pytest.param("dialog.a", "dialog.a=1", (("dialog.a", "1"),), id="by a qualified name"),
        pytest.param(
            "o", "o.p=1&o.q.r=%C3%A9", (("o.p", "1"), ("o.q.r", "é")), id="an object by its properties, UTF-8"
        ),
        pytest.param("o.q.r", "o.q.r=%C3%A9", (("o.q.r", "é"),), id="a property"),
        pytest.param("a u", "a=1", (("a", "1"),), id="what is undefined is not sent"),
        pytest.param("session.id", "session.id=7", (("session.id", "7"),), id="a session variable"),
    ],
)
@pytest.mark.parametrize("element", ["submit", "subdialog", "data"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_namelist(names: str, query: str, sent: tuple[tuple[str, str], ...], element: str, method: str) -> None:
    """§5.3.8, §2.3.4, 2.1 §5."""
    more = f"namelist='{names}' method='{method}'"
    content = {
        "submit": f"{VARS}<block><submit next='x' {more}/></block>",
        "subdialog": f"{VARS}<subdialog name='s' src='x' {more}/>",
        "data": f"{VARS}<block><data name='d' src='x' {more}/></block>",
    }[element]
    caller = Caller(Anywhere({START: document(f"<form>{content}</form>")}), variables={"id": "7"})
    one = caller.fetched[1]
    if method == "get":
        url = "http://app/x" + (f"?{query}" if query else "")
        assert (one.url, one.method, one.form) == (url, "GET", ())
    else:
        assert (one.url, one.method, one.form, one.multipart) == ("http://app/x", "POST", sent, False)


FILLED = "<field name='f' type='digits?length=1'/><field name='g' type='digits?length=1'/><var name='v' expr='9'/>"


def test_without_a_namelist_a_submit_sends_the_named_input_items() -> None:
    """§5.3.8."""
    body = f"<form>{FILLED}<block name='b'><submit next='x'/></block></form>"
    caller = Caller(Anywhere({START: document(body)})).keys("1").keys("2")
    assert caller.fetched[-1].url == "http://app/x?f=1&g=2"


def test_a_query_is_added_to_the_one_that_is_there() -> None:
    assert fetch(block("<submit next='x?k=v#d' namelist='a'/>", VARS)).url == "http://app/x?k=v&a=1"


def test_a_submit_is_fetched_even_from_the_same_document() -> None:
    """§5.3.8: unlike <goto>, it always fetches."""
    caller = Caller({START: document(block("<submit next='#d' namelist='n'/>", "<var name='n' expr='1'/>"))})
    assert caller.fetched[1].url == f"{START}?n=1"


def test_submit_expr() -> None:
    assert fetch(block("<submit expr=\"'x' + a\" namelist='a'/>", VARS)).url == "http://app/x1?a=1"


def test_multipart_carries_recordings() -> None:
    """§2.3.6, §5.3.8."""
    body = (
        "<form><record name='r'/><block><submit next='x' method='post' enctype='multipart/form-data'/></block></form>"
    )
    caller = Caller(Anywhere({START: document(body)})).answers(Recorded("rec:1", 2.0, 16000))
    one = caller.fetched[-1]
    assert (one.method, one.form, one.multipart) == ("POST", (("r", "rec:1"),), True)


# --- documents ---

ROOT = "<var name='n' expr='0'/>"


def leaf(content: str, application: str = "root") -> str:
    return f"<?xml version='1.0'?><vxml version='2.1' application='{application}'>{content}</vxml>"


COUNT = "<assign name='application.n' expr='n + 1'/>"
SHOW = "<value expr='n'/>"
HOP = block(COUNT + "<goto next='two'/>")


@pytest.mark.parametrize(
    "case",
    params(
        Case("5.3.7 a fragment names the dialog", block("<goto next='x#b'/>"), "b",
             pages={"x": form(says("a"), identifier="a") + form(says("b"), identifier="b")}),
        Case("5.3.7 without a fragment the first dialog", block("<goto next='x'/>"), "a",
             pages={"x": form(says("a"), identifier="a") + form(says("b"), identifier="b")}),
        Case("5.3.7 a dialog of this document keeps its variables",
             "<var name='v' expr='1'/>" + block("<assign name='v' expr='2'/><goto next='#b'/>") + form(says("{v}"), identifier="b"),
             "2"),
        Case("5.3.7 this document by its URL begins anew", "<var name='v' expr='typeof session.id'/>"
             + block("<assign name='v' expr='2'/><goto next='start#b'/>") + form(says("{v}"), identifier="b"), "string"),
        Case("5.1.2 a document's variables end with it", "<var name='v' expr='1'/>" + block("<goto next='x'/>"), "undefined",
             pages={"x": form(says("{typeof v}"))}),
        Case("5.3.7 expr", block("<goto expr=\"'x' + '#b'\"/>"), "b", pages={"x": form(says("b"), identifier="b")}),
        Case("2.3.4 a subdialog by its fragment", form("<subdialog name='s' src='x#b'/>", says("{s.r}")), "7",
             pages={"x": form(says("a")) + form("<var name='r' expr='7'/><block><return namelist='r'/></block>", identifier="b")}),
        Case("2.3.4 a subdialog of the same document", form("<subdialog name='s' src='#b'/>", says("{s.r}"))
             + form("<var name='r' expr='7'/><block><return namelist='r'/></block>", identifier="b"), "7"),
    ),
)  # fmt: skip
def test_documents(case: Case) -> None:
    case.run()


@pytest.mark.parametrize(
    ("pages", "heard", "roots"),
    [
        pytest.param({"start": leaf(HOP), "two": leaf(block(SHOW))}, "1", 1, id="from leaf to leaf the root lives on"),
        pytest.param({"start": leaf(HOP), "two": leaf(block(SHOW), "other")}, "5", 1, id="another root, other variables"),
        pytest.param({"start": leaf(HOP), "two": leaf(block(SHOW), "http://app/root")}, "1", 1, id="the same by another name"),
        pytest.param({"start": leaf(block(COUNT + "<submit next='two'/>")), "two": leaf(block(SHOW))}, "1", 1,
                     id="a submit to a leaf keeps it"),
        pytest.param({"start": leaf(block(COUNT + "<goto next='root#d'/>"))}, "1", 2, id="from the leaf to its root by goto"),
        pytest.param({"start": leaf(block(COUNT + "<submit next='root#d'/>"))}, "0", 2, id="and by submit, which begins anew"),
        pytest.param({"start": leaf(HOP), "two": document("<var name='n' expr='9'/>" + block(SHOW))}, "9", 1,
                     id="a document without a root is its own"),
        pytest.param({"start": leaf("<var name='n' expr='3'/>" + block(SHOW))}, "3", 1, id="5.1.2 the leaf's own first"),
    ],
)  # fmt: skip
def test_application_root(pages: dict[str, str], heard: str, roots: int) -> None:
    """§1.5.2."""
    dialog = f"<form id='d'><block>{SHOW}</block></form>"
    shared = {"root": document(ROOT + dialog), "other": document("<var name='n' expr='5'/>")}
    caller = Caller({f"http://app/{name}": page for name, page in {**shared, **pages}.items()})
    caller.hears(heard).is_done()
    assert [one.url for one in caller.fetched].count("http://app/root") == roots


def test_a_root_that_redirects_lives_on_from_leaf_to_leaf() -> None:
    moved = Fetched("http://app/moved/root", 200, document(ROOT).encode())
    caller = Caller({START: leaf(HOP), "http://app/two": leaf(block(SHOW)), "http://app/root": moved})
    caller.hears("1").is_done()
    assert len(caller.fetched) == 3


def test_a_subdialog_has_its_applications_variables_anew() -> None:
    """§2.3.4: its context is its own, even where its root is its caller's."""
    show = "<block><value expr='[s.r, n].join()'/></block>"
    page = leaf(form(f"<block>{COUNT}</block>", "<subdialog name='s' src='sub'/>", show))
    sub = leaf(form("<var name='r' expr='n'/>", "<block><return namelist='r'/></block>"))
    pages = {START: page, "http://app/root": document(ROOT), "http://app/sub": sub}
    Caller(pages).hears("0,1").is_done()


def test_a_roots_handlers_and_links_hold_in_its_leaves() -> None:
    root = document("<catch event='x'>root<exit/></catch><link dtmf='9' event='x'/>")
    page = leaf("<form><field name='f' type='digits?length=2'/></form>")
    Caller({START: page, "http://app/root": root}).keys("9").hears("root").is_done()


# --- errors ---

CATCH = "<catch event='error'><value expr='_event'/><exit/></catch>"
REFERS = {
    "goto": block("<goto next='x'/>"),
    "submit": block("<submit next='x'/>"),
    "subdialog": "<form><subdialog name='s' src='x'/></form>",
    "script": "<form><block><script src='x'/></block></form>",
    "data": "<form><block><data name='d' src='x'/></block></form>",
    "grammar": "<form><field name='f'><grammar src='x'/></field></form>",
}


@pytest.mark.parametrize("element", REFERS)
@pytest.mark.parametrize(
    ("page", "error"),
    [
        pytest.param(404, "error.badfetch.http.404", id="not found"),
        pytest.param(500, "error.badfetch.http.500", id="a fault of the server"),
        pytest.param(403, "error.badfetch.http.403", id="forbidden"),
        pytest.param(None, "error.badfetch", id="no answer"),
        pytest.param("<a", "error.badfetch", id="not well-formed"),
    ],
)
def test_what_cannot_be_had_is_told_to_the_document_that_asked(
    element: str, page: str | int | None, error: str
) -> None:
    """§5.2.6. A script that is fetched but cannot be run is another matter."""
    pages = {START: document(CATCH + REFERS[element])} | ({} if page is None else {"http://app/x": page})
    heard = "error.semantic" if (element, page) == ("script", "<a") else error
    Caller(pages).hears(heard).is_done()


@pytest.mark.parametrize("how", ["<goto next='{}'/>", "<submit next='{}'/>"])
@pytest.mark.parametrize(
    ("target", "page"),
    [
        pytest.param("x#b", form(identifier="a"), id="5.3.7 a dialog that is not there"),
        pytest.param("x", "<var name='v'/>", id="a document without a dialog"),
        pytest.param("x", leaf("<form/>", "gone"), id="1.5.2 a root that is not there"),
        pytest.param("x", "<form><nonsense/></form>", id="an element that is none"),
        pytest.param("x", form(identifier="a") * 2, id="two dialogs of one name"),
    ],
)
def test_a_document_that_is_none_is_told_to_the_one_that_asked(how: str, target: str, page: str) -> None:
    pages = {
        START: document(CATCH + block(how.format(target))),
        "http://app/x": page if page.startswith("<?xml") else document(page),
    }
    Caller(pages).hears("error.badfetch").is_done()


def test_a_dialog_that_is_not_in_this_document_is_told_to_it() -> None:
    for content in (block("<goto next='#b'/>"), "<form><subdialog name='s' src='#b'/></form>"):
        Caller({START: document(CATCH + content)}).hears("error.badfetch").is_done()


def test_after_a_bad_fetch_the_dialog_may_go_on() -> None:
    body = "<form><catch event='error.badfetch.http'>Sorry.</catch><block><goto next='x'/></block><block>Next.</block></form>"
    Caller({START: document(body), "http://app/x": 503}).hears("Sorry.", "Next.").is_done()


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param("<submit next='x' namelist='nothing'/>", "error.semantic", id="5.3.8 an undeclared variable"),
        pytest.param("<submit next='x' method='put'/>", "error.badfetch", id="5.3.8 a method that is none"),
        pytest.param("<submit next='x' method='post' enctype='text/plain'/>", "error.unsupported.format",
                     id="an encoding that there is not"),
        pytest.param("<goto expr='nothing'/>", "error.semantic", id="5.3.7 an expr that fails"),
        pytest.param("<submit/>", "error.badfetch", id="5.3.8 no target"),
        pytest.param("<submit next='x' expr='1'/>", "error.badfetch", id="5.3.8 two targets"),
        pytest.param("<goto next='x' maxage='old'/>", "error.badfetch", id="6.1.1 maxage that is no number"),
        pytest.param("<goto next='x' fetchtimeout='long'/>", "error.badfetch", id="6.1.1 fetchtimeout that is no time"),
        pytest.param("<goto next='http://['/>", "error.badfetch", id="what is no URL"),
    ],
)  # fmt: skip
def test_requests_that_cannot_be_made(content: str, error: str) -> None:
    Caller(Anywhere({START: document(block(content))})).is_done(error)


def test_the_first_document_ends_the_session_where_it_cannot_be_had() -> None:
    Caller({START: 404}).is_done("error.badfetch.http.404")
    Caller({}).is_done("error.badfetch")


def test_a_start_with_a_fragment() -> None:
    start = f"{START}#b"
    Caller({start: document(form(says("a")) + form(says("b"), identifier="b"))}, start=start).hears("b").is_done()
