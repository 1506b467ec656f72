"""A real Chromium on the running gateway: what it shows, what it complains of, and where it asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page

from lab.gateway import GatewayProcess

SCREENS = Path("build/screens")
AXE = (Path(__file__).parent / "axe/axe.min.js").read_text()
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
#: What axe calls serious, and worse.
SERIOUS = ("serious", "critical")


@dataclass
class Visit:
    """One browser window. What its console says, and what it asks of another host, is a fault."""

    gateway: GatewayProcess
    page: Page
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(self.gateway.base + path)
        return self.page

    def sign_in(self, login: str, pin: str) -> None:
        self.open("/signin")
        self.page.get_by_label("Login").fill(login)
        self.page.get_by_label("PIN").fill(pin)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(self.gateway.base + "/")

    def serious(self) -> list[str]:
        """What axe-core finds serious on the page as it is."""
        found = self.page.evaluate(
            "async (source) => { if (!window.axe) { const s = new Function(source); s.call(window); }"
            " return await window.axe.run(document, {resultTypes: ['violations']}); }",
            AXE,
        )
        return [
            f"{one['id']}: {one['help']}: {json.dumps([node['target'] for node in one['nodes']][:5])}"
            for one in found["violations"]
            if one["impact"] in SERIOUS
        ]

    def picture(self, name: str, *, full: bool = False) -> None:
        SCREENS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENS / f"{name}.png", full_page=full)


@contextmanager
def visit(browser: Browser, gateway: GatewayProcess, **context: Any) -> Iterator[Visit]:
    """A window with cookies of its own. At its end nothing may have gone wrong in it."""
    opened: BrowserContext = browser.new_context(viewport={"width": 1280, "height": 900}, **context)
    page = opened.new_page()
    page.set_default_timeout(20_000)
    one = Visit(gateway, page)
    host = urlsplit(gateway.base).netloc

    def asked(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.netloc != host:
            one.faults.append(f"asked {url}")

    page.on("request", lambda request: asked(request.url))
    page.on("websocket", lambda socket: asked(socket.url))
    page.on("console", lambda said: one.faults.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: one.faults.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())
    try:
        yield one
    finally:
        opened.close()
    assert not one.faults, one.faults
