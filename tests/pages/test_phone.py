"""The test phone in a real Chromium: rung by a real call, heard, keyed on; and the walk in text."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from lab.application import SampleApplication
from lab.gateway import LOGIN, PIN, GatewayProcess
from lab.lab import Lab
from tests.pages.browsing import Visit, visit
from tests.road.waiting import wait_for

PATIENCE = 30_000


@pytest.fixture
def phone(browser: Browser, gateway: GatewayProcess) -> Iterator[Visit]:
    with visit(browser, gateway, permissions=["microphone"]) as opened:
        opened.sign_in(LOGIN, PIN)
        opened.open("/phone")
        yield opened


def test_the_phone_in_the_page_is_rung_hears_and_keys(
    phone: Visit, gateway: GatewayProcess, application: SampleApplication, lab: Lab
) -> None:
    page = phone.page
    page.get_by_role("button", name="Switch on").click()
    expect(page.locator("#phone-state")).to_have_text("Ready", timeout=PATIENCE)
    page.locator("#start_url").fill(application.start_url)
    page.get_by_role("button", name="Ring me").click()
    expect(page.locator("#phone-state")).to_have_text("Rings", timeout=PATIENCE)
    page.get_by_role("button", name="Answer").click()
    expect(page.locator("#phone-state")).to_have_text("In call", timeout=PATIENCE)
    call_id = re.search(r"call=(\d+)", page.url)[1]  # type: ignore[index]
    expect(page.locator("#path")).to_contain_text("Prompt", timeout=PATIENCE)  # while it is heard
    phone.picture("phone-call")
    for key in "2468":
        page.locator(f'[data-key="{key}"]').click()
        page.wait_for_timeout(300)
    wait_for(lambda: application.keyed.get(call_id) == "2468")
    expect(page.locator("#path")).to_contain_text("Digits keyed")
    heard = page.evaluate("document.getElementById('phone-audio').srcObject?.getAudioTracks()[0]?.readyState")
    assert heard in ("live", None)  # none where the call has ended meanwhile
    expect(page.locator("#phone-state")).to_have_text("Ended", timeout=PATIENCE)
    expect(page.locator("#path")).to_contain_text("Ended by the application", timeout=PATIENCE)
    assert "2468" not in page.locator("#path").inner_text()
    assert gateway.json("calls", "show", call_id)["callee_type"] in ("voice", "answeringmachine")
    assert "voxgate-phone9" in lab.pbx.cli("pjsip show contacts")
    page.get_by_role("button", name="Switch off").click()
    wait_for(lambda: "voxgate-phone9" not in lab.pbx.cli("pjsip show contacts"))


def test_an_application_is_walked_through_in_text(phone: Visit, application: SampleApplication) -> None:
    page = phone.page
    page.locator("#walk-url").fill(application.start_url.replace("/start.php", "/walk/start.php"))
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#walk-text")).to_contain_text("four digit code", timeout=PATIENCE)
    page.get_by_label("Input").fill("2468")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#walk-text")).to_contain_text("the application has ended", timeout=PATIENCE)
    expect(page.locator("#walk-text")).to_contain_text("Thank you. You keyed")


def test_the_walk_fetches_no_more_than_a_call_may(phone: Visit) -> None:
    page = phone.page
    page.locator("#walk-url").fill("http://169.254.169.254/latest/meta-data")
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#walk-text")).to_contain_text("error.badfetch", timeout=PATIENCE)
