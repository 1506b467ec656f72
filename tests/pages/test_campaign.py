"""A campaign's page over HTTP: finding, ordering, deleting, trying again, and taking the calls along."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from typing import Any

import pytest

from gateway.core.lists import CallOrder, CallQuery
from gateway.core.model import AttemptEnd, CalleeType, CallState, CampaignId, EndKind, Millis
from gateway.ports import Lane
from tests.pages.conftest import NOW, House


async def fail_some(house: House, count: int) -> None:
    for claimed in await house.store.claim([Lane("t", count)], NOW, count):
        end = AttemptEnd(
            claimed.attempt.id, EndKind.NOT_REACHED, CalleeType.BUSY, Millis(NOW + 1000), tech_cause=486, cause=17,
            reason="busy (SIP 486)",
        )  # fmt: skip
        await house.store.close_attempt(end)


def numbers(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/calls/\d+">([^<]+)</a>', page)


async def settled(house: House, campaign: CampaignId) -> str:
    """The page, once what goes on behind it is done."""
    for _ in range(200):
        page = await house.page(f"/campaigns/{campaign}")
        if "…</span>" not in page:
            return page
        await asyncio.sleep(0.02)
    raise AssertionError("the chore does not end")


async def counts(house: House, campaign: CampaignId) -> dict[str, int]:
    found = await house.store.campaign(campaign)
    assert found is not None
    return {str(state): many for state, many in found.counts.items() if many}


async def test_the_queue_is_paged_and_found_by_number_and_reference(house: House) -> None:
    campaign = await house.campaign("user1", "spring", 120)
    await house.sign_in()
    page = await house.page(f"/campaigns/{campaign}")
    seen = numbers(page)
    while following := re.search(r'<a href="([^"]+)" rel="next"', page):
        page = await house.page(f"/campaigns/{campaign}{following[1].replace('&amp;', '&')}")
        seen += numbers(page)
    assert seen == [f"+1617555{n:04d}" for n in range(120)]
    assert numbers(await house.page(f"/campaigns/{campaign}?number=617-555-0007")) == ["+16175550007"]
    assert numbers(await house.page(f"/campaigns/{campaign}?number=617555001*")) == [
        f"+161755500{n}" for n in range(10, 20)
    ]
    assert numbers(await house.page(f"/campaigns/{campaign}?reference=r7")) == ["+16175550007"]
    assert numbers(await house.page(f"/campaigns/{campaign}?reference=r")) == []
    assert "for a beginning write" in await house.page(f"/campaigns/{campaign}?number=617555123")


async def test_it_is_ordered_by_what_the_heads_say(house: House) -> None:
    campaign = await house.campaign("user1", "spring", 6)
    await fail_some(house, 2)
    await house.sign_in()
    failed = ["+16175550000", "+16175550001"]
    assert numbers(await house.page(f"/campaigns/{campaign}?order=status&dir=down"))[:2] in (failed, failed[::-1])
    assert numbers(await house.page(f"/campaigns/{campaign}?order=last_attempt"))[-2:] == failed
    assert 'aria-sort="ascending"' in await house.page(f"/campaigns/{campaign}?order=callee_type")
    assert numbers(await house.page(f"/campaigns/{campaign}?status=failed")) == failed


@pytest.mark.parametrize(
    "query", ["after=x", "after=W10", "order=nonsense&status=x", "after=" + "A" * 500, "number=%00"]
)
async def test_a_broken_address_still_shows_the_page(house: House, query: str) -> None:
    campaign = await house.campaign("user1", "spring", 1)
    await house.sign_in()
    answer = await house.client.get(f"/campaigns/{campaign}?{query}", headers={"Accept": "text/html"})
    assert answer.status == 200


async def test_what_waits_is_deleted_one_by_one_and_by_filter(house: House) -> None:
    campaign = await house.campaign("user1", "spring", 20)
    await fail_some(house, 3)
    await house.sign_in()
    assert (await house.post("/calls/4/delete"))[0] == 303
    assert (await house.post("/calls/1/delete"))[0] == 409  # it has ended
    assert await counts(house, campaign) == {"failed": 3, "cancelled": 1, "pending": 16}
    status, _ = await house.post(f"/campaigns/{campaign}/delete?number=617555001*")
    assert status == 303
    assert "10 waiting calls deleted" in await settled(house, campaign)
    assert await counts(house, campaign) == {"failed": 3, "cancelled": 11, "pending": 6}
    await house.post(f"/campaigns/{campaign}/delete")
    assert "6 waiting calls deleted" in await settled(house, campaign)
    assert await counts(house, campaign) == {"failed": 3, "cancelled": 17}


async def test_failed_numbers_are_queued_again_once(house: House) -> None:
    campaign = await house.campaign("user1", "spring", 5)
    await fail_some(house, 3)
    await house.sign_in()
    for expected in (
        "3 failed numbers queued again",
        "0 failed numbers queued again",
    ):  # twice pressed rings nobody twice
        await house.post(f"/campaigns/{campaign}/retry")
        assert expected in await settled(house, campaign)
    assert await counts(house, campaign) == {"failed": 3, "pending": 5}
    again = (await house.store.calls(CallQuery(campaign=campaign, number="+16175550000"), None, 10)).calls
    assert [(one.state, one.plan.message_reference) for one in again] == [
        (CallState.FAILED, "r0"), (CallState.PENDING, "r0")
    ]  # fmt: skip
    await fail_some(house, 5)
    await house.post(f"/campaigns/{campaign}/retry")
    assert "5 failed numbers queued again" in await settled(house, campaign)


async def test_an_expired_campaign_is_not_tried_again(house: House) -> None:
    campaign = await house.campaign("user1", "spring", 1, expires_at=Millis(NOW + 5000))
    await fail_some(house, 1)
    await house.sign_in()
    house.clock.at += 6000
    status, text = await house.post(f"/campaigns/{campaign}/retry")
    assert status == 409 and "expired" in text


async def test_a_cancelled_campaign_is_not_tried_again(house: House) -> None:
    """Its calls would wait for ever: nothing of it is dialed."""
    campaign = await house.campaign("user1", "spring", 1)
    await fail_some(house, 1)
    await house.sign_in()
    await house.post(f"/campaigns/{campaign}/cancel")
    status, text = await house.post(f"/campaigns/{campaign}/retry")
    assert status == 409 and "cancelled" in text
    assert await house.books.retry_failed(campaign, NOW) == 0  # nor where it was cancelled meanwhile
    assert await counts(house, campaign) == {"failed": 1}


async def test_deleting_passes_no_call_over_that_is_dialed_meanwhile(house: House) -> None:
    """Whichever order the page shows: a call in the list keeps its place while its state changes."""
    campaign = await house.campaign("user1", "spring", 3)
    asked: list[CallOrder] = []
    calls = house.store.calls

    async def seen(query: CallQuery, after: Any, limit: int) -> Any:
        asked.append(query.order)
        return await calls(query, after, limit)

    house.store.calls = seen  # type: ignore[method-assign]
    for order in (CallOrder.LAST_ATTEMPT, CallOrder.STATUS):
        await house.pages._chores.delete(CallQuery(campaign=campaign, order=order, descending=True))
    assert set(asked) == {CallOrder.QUEUE}
    assert await counts(house, campaign) == {"cancelled": 3}


async def test_calls_are_taken_along_as_csv_and_json_lines(house: House) -> None:
    campaign = await house.campaign("user1", "spring", 3, call_parameters='=cmd|"/c calc"!A0')
    await house.sign_in()
    answer = await house.client.get(f"/campaigns/{campaign}/export.csv")
    assert 'filename="campaign-1.csv"' in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(await answer.text())))
    assert [row["dialed"] for row in rows] == ["+16175550000", "+16175550001", "+16175550002"]
    assert {row["call_parameters"] for row in rows} == {'\'=cmd|"/c calc"!A0'}  # no spreadsheet takes it for a formula
    answer = await house.client.get(f"/campaigns/{campaign}/export.jsonl?number=%2B1617555000*")
    lines: list[dict[str, Any]] = [json.loads(line) for line in (await answer.text()).splitlines()]
    assert len(lines) == 3 and lines[0]["call_parameters"].startswith("=cmd") and lines[0]["state"] == "pending"


async def test_charts_show_what_ended_and_read_as_tables(house: House) -> None:
    campaign = await house.campaign("user1", "spring", 4)
    await house.sign_in()
    assert "<figure" not in await house.page(f"/campaigns/{campaign}")
    await fail_some(house, 3)
    page = await house.page(f"/campaigns/{campaign}")
    assert page.count("<figure") == 4
    assert re.search(r'<th scope="row">busy</th><td class="n">3</td>', page)


async def test_another_accounts_campaign_is_not_there(house: House) -> None:
    campaign = await house.campaign("user2", "theirs", 2)
    await house.sign_in()
    for path in (f"/campaigns/{campaign}", f"/campaigns/{campaign}/export.csv"):
        assert (await house.client.get(path, headers={"Accept": "text/html"})).status == 404
    for path in ("/calls/1/delete", f"/campaigns/{campaign}/delete", f"/campaigns/{campaign}/retry"):
        assert (await house.post(path))[0] == 404
    assert await counts(house, campaign) == {"pending": 2}
