"""/docs in a real browser: every operation is shown, one is tried out, and nothing comes from elsewhere."""

from __future__ import annotations

from playwright.sync_api import Browser

from tests.api.running import Running
from tests.api.running import running as running


def test_the_api_is_shown_and_tried_out(browser: Browser, running: Running) -> None:
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{running.base}/docs")
    page.wait_for_selector("#operations-calls-queue_calls")
    assert page.locator(".opblock").count() >= 30
    page.click("button.authorize")
    page.locator(".auth-container", has_text="bearer").locator("input").fill(running.customer)
    page.locator(".auth-container", has_text="bearer").locator("button.authorize").click()
    page.locator("button.btn-done").first.click()
    page.click("#operations-calls-list_calls .opblock-summary-control")
    page.click("#operations-calls-list_calls .try-out__btn")
    page.click("#operations-calls-list_calls .execute")
    page.wait_for_selector("#operations-calls-list_calls .live-responses-table .response-col_status >> text=200")
    assert said == []
    assert [url for url in asked if not url.startswith((running.base, "data:", "blob:"))] == []
    context.close()
