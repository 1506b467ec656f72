"""Metrics as a scraper reads them."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: str) -> Samples:
    """Every sample of the text format, by name and labels."""
    return dict(_each(text))


def _each(text: str) -> Iterator[tuple[tuple[str, frozenset[tuple[str, str]]], float]]:
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            yield (one.name, frozenset(one.labels.items())), one.value


def value(found: Samples, name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0.0)


def moved(before: Samples, after: Samples) -> set[str]:
    """The metrics (a histogram by its name, without _count) that have a sample which is new or differs."""
    changed = {name for (name, labels), number in after.items() if before.get((name, labels), 0.0) != number}
    return {name.removesuffix("_count") for name in changed}
