"""Requests about campaigns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from voxgate import models
from voxgate.request import CSV, Request, Upload, post


def create(campaign_name: str, start_url: str, **more: Any) -> Request[models.Campaign]:
    """A campaign without calls yet. ``more`` are other fields of :class:`models.NewCampaign`."""
    given = {name: value for name, value in more.items() if value is not None}
    return post("/campaigns", models.Campaign, {"campaign_name": campaign_name, "start_url": start_url, **given})


def load(
    campaign_name: str, start_url: str, file: Path, sent: Callable[[int], None] = lambda count: None, **more: Any
) -> Request[models.Loaded]:
    """A campaign of all numbers in ``file``, or nothing. ``sent`` is told of the bytes as they go."""
    return Request("POST", "/campaigns", models.Loaded, body=_form(campaign_name, start_url, file, sent, more))


def foresee(campaign_name: str, start_url: str, file: Path, **more: Any) -> Request[models.Preflight]:
    """What such a campaign would do; nothing is queued."""
    form = _form(campaign_name, start_url, file, lambda count: None, more)
    return Request("POST", "/campaigns/preflight", models.Preflight, body=form)


def _form(campaign_name: str, start_url: str, file: Path, sent: Callable[[int], None], more: dict[str, Any]) -> Upload:
    fields = {"campaign_name": campaign_name, "start_url": start_url, **more}
    return Upload({name: str(value) for name, value in fields.items() if value is not None}, file, sent)


def add(campaign: int, numbers: bytes, content_type: str = CSV) -> Request[models.Loaded]:
    """Let numbers, as in a list of ``queuecalls``, join a campaign: all at once, at most 10,000."""
    return Request("POST", f"/campaigns/{campaign}/calls", models.Loaded, body=numbers, content_type=content_type)


def find(**asked: Any) -> Request[models.Page[models.Campaign]]:
    """Campaigns by the fields of :class:`models.CampaignFilter`; walk them with ``pages``."""
    return Request("GET", "/campaigns", models.Page[models.Campaign], asked)


def get(campaign: int) -> Request[models.Campaign]:
    return Request("GET", f"/campaigns/{campaign}", models.Campaign)


def why(campaign: int) -> Request[models.Hold]:
    return Request("GET", f"/campaigns/{campaign}/why", models.Hold)


def preflight(campaign: int) -> Request[models.Preflight]:
    return Request("GET", f"/campaigns/{campaign}/preflight", models.Preflight)


def pause(campaign: int) -> Request[models.Campaign]:
    return post(f"/campaigns/{campaign}/pause", models.Campaign)


def resume(campaign: int) -> Request[models.Campaign]:
    return post(f"/campaigns/{campaign}/resume", models.Campaign)


def cancel(campaign: int) -> Request[models.Campaign]:
    return post(f"/campaigns/{campaign}/cancel", models.Campaign)


def uploads() -> Request[list[models.Upload]]:
    return Request("GET", "/uploads", list[models.Upload])
