"""A sample customer: a VoiceXML application, and a result_url that remembers what it was posted."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from aiohttp import web

from lab.inthread import InThread

START = """<?xml version="1.0" encoding="UTF-8"?>
<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">
  <form id="welcome">
    <field name="code" type="digits?length=4">
      <property name="timeout" value="4s"/>
      <prompt>This is a call from the Voxgate demonstration. Please key in your four digit code now.</prompt>
      <noinput count="1">I heard no keys. <reprompt/></noinput>
      <noinput count="2">Good bye. <exit/></noinput>
      <nomatch>That was no code. <reprompt/></nomatch>
      <filled>
        <submit next="keyed" namelist="code" method="post"/>
      </filled>
    </field>
  </form>
</vxml>"""

KEYED = """<?xml version="1.0" encoding="UTF-8"?>
<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">
  <form><block>
    <prompt>Thank you. You keyed <say-as interpret-as="digits">{code}</say-as>. Good bye.</prompt>
  </block></form>
</vxml>"""

ENDED = '<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml"><form><block><exit/></block></form></vxml>'

#: A form's field: its text, or a file's content type and body.
Kept = str | tuple[str, bytes]


@dataclass
class SampleApplication(InThread):
    """Serves in a thread of its own. ``starts`` and ``keyed`` are by call_id, ``posts`` by call_id as well."""

    port: int = 0
    starts: dict[str, dict[str, str]] = field(default_factory=dict)
    keyed: dict[str, str] = field(default_factory=dict)
    posts: dict[str, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))
    pages: dict[str, tuple[float, bytes]] = field(default_factory=dict)  # name: (seconds of delay, body), at /page/NAME
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # name: (content type, body), at /file/NAME
    kept: dict[str, list[dict[str, Kept]]] = field(default_factory=lambda: defaultdict(list))  # posted to /keep/NAME
    traceparents: set[str] = field(default_factory=set)  # of the posts that had one (W3C Trace Context)
    ids: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # webhook-ids by call_id

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{call}/start.php", self._serve_start)
        app.router.add_route("*", "/start.php", self._serve_start)
        app.router.add_post("/{call}/keyed", self._serve_keyed)
        app.router.add_route("*", "/page/{name}", self._serve_page)
        app.router.add_get("/file/{name}", self._serve_file)
        app.router.add_post("/keep/{name}", self._keep)
        app.router.add_route("*", "/result.php", self._result)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _stop(self) -> None:
        await self._runner.cleanup()

    @property
    def start_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/start.php"

    @property
    def result_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/result.php"

    async def _serve_start(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.traceparents |= set(request.headers.getall("traceparent", []))
        text = START
        if "call_id" in form:
            self.starts[form["call_id"]] = form
            text = START.replace('next="keyed"', f'next="/{form["call_id"]}/keyed"')
        return web.Response(text=text, content_type="application/voicexml+xml")

    def page_url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/page/{name}"

    async def _serve_page(self, request: web.Request) -> web.Response:
        """A page of ``pages`` for a POST; a GET is the pre-flight, which any short answer satisfies."""
        delay, body = self.pages[request.match_info["name"]]
        if request.method == "GET":
            return web.Response(text="here")
        await asyncio.sleep(delay)
        return web.Response(body=body, content_type="application/voicexml+xml")

    async def _serve_file(self, request: web.Request) -> web.Response:
        kind, body = self.files[request.match_info["name"]]
        return web.Response(body=body, content_type=kind)

    def keep_url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/keep/{name}"

    async def _keep(self, request: web.Request) -> web.Response:
        """Keep a form; the application ends with it."""
        form: dict[str, Kept] = {}
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                form[name] = (value.content_type, await asyncio.to_thread(value.file.read))
            else:
                form[name] = str(value)
        self.kept[request.match_info["name"]].append(form)
        return web.Response(body=ENDED.encode(), content_type="application/voicexml+xml")

    async def _serve_keyed(self, request: web.Request) -> web.Response:
        form = await request.post()
        code = str(form.get("code", ""))
        self.keyed[request.match_info["call"]] = code
        return web.Response(text=KEYED.format(code=escape(code)), content_type="application/voicexml+xml")

    async def _result(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        if "call_id" in form:
            self.posts[form["call_id"]].append(form)
            self.ids[form["call_id"]].append(request.headers.get("webhook-id", ""))
        return web.Response(text="Data Written")
