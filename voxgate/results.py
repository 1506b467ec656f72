"""Requests about result posts."""

from __future__ import annotations

from typing import Any

from voxgate import models
from voxgate.request import Request, post


def find(**asked: Any) -> Request[models.Page[models.Delivery]]:
    """Posts by the fields of :class:`models.DeliveryFilter`; walk them with ``pages``."""
    return Request("GET", "/results", models.Page[models.Delivery], asked)


def get(result: str) -> Request[models.DeliveryDetail]:
    return Request("GET", f"/results/{result}", models.DeliveryDetail)


def redeliver(result: str) -> Request[models.Delivery]:
    return post(f"/results/{result}/redeliver", models.Delivery)


def try_out(url: str, account: str | None = None) -> Request[models.TestPosted]:
    """Post a made-up result to an address, once; signed where the posts of the account are."""
    return post("/results/test", models.TestPosted, {"url": url, "account": account})
