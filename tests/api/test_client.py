"""The client, sync and async, against the running gateway and against one that drops, refuses and stalls."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gateway.core.model import CallState
from tests.api.running import Running
from voxgate import accounts, calls, campaigns, models, results, system, tokens
from voxgate.client import AsyncClient, Client, Lost, Refused, Unreachable
from voxgate.request import EventReader

START = "http://app.example/start.php"


@pytest.fixture
def client(running: Running) -> Client:
    return Client(running.base, token=running.customer)


def test_calls_by_the_sync_client(client: Client) -> None:
    queued = client.ask(calls.create("+16175550001", START, message_reference="sync"), key="sync 1")
    assert client.ask(calls.create("+16175550001", START, message_reference="sync"), key="sync 1") == queued
    shown = client.ask(calls.get(queued.id))
    assert isinstance(shown, models.CallDetail) and shown.state is CallState.PENDING and shown.created_at.tzinfo
    lines = list(client.lines(calls.create_many([{"phone_number": "+16175550002", "start_url": START}, {}])))
    assert lines[0].id is not None and (lines[1].id, lines[1].field) == (None, "start_url")
    found = [one.id for one in client.pages(calls.find(reference="sync", limit=1))]
    assert found == [queued.id]
    assert client.ask(calls.why(queued.id)).reason == "no_ami"
    assert client.ask(calls.cancel(queued.id)).state is CallState.CANCELLED
    with pytest.raises(Refused) as refused:
        client.ask(calls.hang_up(queued.id))
    assert refused.value.problem.code == "conflict" and "Cancelled" in str(refused.value)


async def test_calls_by_the_async_client(running: Running) -> None:
    async with AsyncClient(running.base, token=running.customer) as client:
        wanted = [
            {"phone_number": f"+1617556{n:04d}", "start_url": START, "message_reference": "async"} for n in range(5)
        ]
        lines = [one async for one in client.lines(calls.create_many(wanted), key="async batch")]
        found = [one.id async for one in client.pages(calls.find(reference="async", limit=2))]
        assert found == [one.id for one in lines]
        with pytest.raises(Refused) as refused:
            await client.ask(calls.create("911", START))
        assert refused.value.problem.field == "phone_number"
        answers = await asyncio.gather(*(client.ask(calls.create("+16175550003", START), key="one") for _ in range(20)))
        assert len({one.id for one in answers}) == 1


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_list_is_uploaded_as_it_is_read(running: Running, tmp_path: Path, kind: str) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("".join(f"1617{n:07d}\n" for n in range(2_000_000, 2_050_000)))
    sent: list[int] = []
    wanted = campaigns.load(f"up {kind}", START, listed, sent.append, max_retries=1)
    if kind == "sync":
        client = Client(running.base, token=running.customer)
        assert client.ask(campaigns.foresee("foreseen", START, listed)).dialable == 50_000
        done = await asyncio.to_thread(client.ask, wanted)
    else:
        async with AsyncClient(running.base, token=running.customer) as asynchronous:
            done = await asynchronous.ask(wanted)
    assert (done.queued, done.rejected, sum(sent)) == (50_000, 0, listed.stat().st_size)


def test_an_operator_over_the_socket(running: Running) -> None:
    with Client(socket=running.socket) as client:
        assert client.ask(system.status()).ami is False
        assert "customer" in [one.login for one in client.ask(accounts.all_of_them())]
        assert client.ask(accounts.change("customer", ring_timeout=30)).settings.ring_timeout == 30
        issued = client.ask(tokens.issue("short", ["read"], account="customer"))
        assert [one.id for one in client.ask(tokens.all_of_them()) if one.name == "short"] == [issued.id]
        assert client.ask(tokens.revoke(issued.id)).revoked_at is not None
        assert list(client.pages(results.find(state="waiting"))) == []
        assert next(iter(client.pages(system.audit(limit=1)))).action == "token.revoke"
        made = client.ask(campaigns.create("by socket", START, account="customer", paused=True))
        assert client.ask(campaigns.add(made.id, b"6175550004\n6175550005\n")).queued == 2
        assert client.ask(campaigns.cancel(made.id)).counts[CallState.CANCELLED] == 2


def test_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="start it with `voxgate serve`"):
        Client(socket=tmp_path / "none.sock").ask(system.status())
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1"):
        Client("http://127.0.0.1:1").ask(system.status())


async def test_events_are_heard(running: Running) -> None:
    async with AsyncClient(running.base, token=running.customer) as client:
        hearing = aiter(client.events(system.events(kinds="call.queued")))
        first = asyncio.create_task(anext(hearing))  # type: ignore[arg-type]
        await asyncio.sleep(0.5)  # it listens from now on
        queued = await client.ask(calls.create("+16175550009", START))
        event = await asyncio.wait_for(first, 20)
        assert event.data["call_id"] == queued.id
        await hearing.aclose()  # type: ignore[attr-defined]


# --- a gateway that fails ---


class Failing(BaseHTTPRequestHandler):
    """Answers as the script says: a status, ``drop``, or ``ok``."""

    script: list[Any]
    asked: list[dict[str, str]]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    def do_GET(self) -> None:
        self.asked.append(dict(self.headers.items()))
        step = self.script.pop(0) if self.script else "ok"
        if step == "drop":
            self.close_connection = True
            return
        if isinstance(step, bytes):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(step)
            return
        self.send_response(200 if step == "ok" else step)
        self.send_header("Retry-After", "0")
        body = b'{"id": 7}' if step == "ok" else b"busy"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def failing(*script: Any) -> Iterator[tuple[str, type[Failing]]]:
    handler = type("Scripted", (Failing,), {"script": list(script), "asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", handler
        finally:
            server.shutdown()


async def ask(kind: str, base: str, key: str | None) -> models.Queued:
    wanted = calls.create("+16175550001", START)
    if kind == "sync":
        return await asyncio.to_thread(Client(base, login="u", pin="p").ask, wanted, key)
    async with AsyncClient(base, login="u", pin="p") as client:
        return await client.ask(wanted, key)


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_what_may_be_repeated_is_repeated(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voxgate.client.RECONNECT", 0.01)
    with failing(429, 503, "drop") as (base, handler):
        assert (await ask(kind, base, "k")).id == 7
        assert [one["Idempotency-Key"] for one in handler.asked] == ["k"] * 4
        assert handler.asked[0]["Authorization"] == "Basic dTpw"
    with failing("drop") as (base, handler):
        with pytest.raises(Lost):
            await ask(kind, base, None)
        assert len(handler.asked) == 1  # it may have been queued: it is not sent twice
    with failing(*[429] * 9) as (base, handler):
        with pytest.raises(Refused) as refused:
            await ask(kind, base, "k")
        assert refused.value.problem.status == 429 and len(handler.asked) == 4
    with failing(503) as (base, handler), pytest.raises(Refused):
        await ask(kind, base, None)


EVENTS = b"".join(
    b"id: %d\nevent: call.changed\ndata: %s\n\n"
    % (n, json.dumps({"id": n, "kind": "call.changed", "at": "2027-01-15T08:00:00Z", "data": {"n": n}}).encode())
    for n in (11, 12)
)


def test_events_are_read_however_they_are_split() -> None:
    stream = b"retry: 1000\nid: 10\n\n: here\n\n" + EVENTS
    for cut in range(len(stream)):
        reader = EventReader()
        heard = [one.id for part in (stream[:cut], stream[cut:]) for one in reader.feed(part)]
        assert (heard, reader.last) == ([11, 12], 12)
    reader = EventReader()
    assert list(reader.feed(b"retry: 1000\nid: 10\n\n")) == [] and reader.last == 10


async def test_a_stream_that_breaks_off_goes_on_after_the_last_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voxgate.client.RECONNECT", 0.01)
    first, second = EVENTS[: EVENTS.index(b"id: 12")], EVENTS[EVENTS.index(b"id: 12") :]
    for kind in ("sync", "async"):
        with failing(b"id: 10\n\n" + first, "drop", second) as (base, handler):
            heard: list[int] = []
            if kind == "sync":
                for event in Client(base).events(system.events()):
                    heard.append(event.id)
                    if len(heard) == 2:
                        break
            else:
                async with AsyncClient(base) as client:
                    async for event in client.events(system.events()):
                        heard.append(event.id)
                        if len(heard) == 2:
                            break
            assert heard == [11, 12]
            assert [one.get("Last-Event-ID") for one in handler.asked[:2]] == [None, "11"]


def test_nothing_of_a_secret_is_shown() -> None:
    client = Client("http://x", token="vgt_secret")
    assert "vgt_secret" not in repr(client)
