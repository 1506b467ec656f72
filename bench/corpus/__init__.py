"""Calls to classify, built from recorded voices of Debian's packages and from synthetic ones; no audio is committed.

``speakers`` and ``texts`` say who says what and in which fold, ``scenes`` how people and machines open a call, ``line``
what the telephone does to it, ``build`` makes it once into the user's cache, ``own`` adds recordings of the user's.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.corpus.build import SEED, read
from bench.corpus.clip import Clip, Fold, Kind, Origin
from bench.corpus.own import own

__all__ = ["Clip", "Fold", "Kind", "Origin", "clips", "for_training"]


def clips(fold: Fold, limit: int | None = None, seed: int = SEED) -> Iterator[Clip]:
    """The clips of a fold in an order that mixes all speakers: the first ``limit``, or all, then the user's own."""
    yield from read(fold, seed, limit)
    yield from own(fold)


def for_training(limit: int | None = None) -> Iterator[Clip]:
    """The folds on which models and settings are fitted: ``clip.speaker`` groups them for cross-validation."""
    yield from clips(Fold.TRAIN, limit)
    yield from clips(Fold.DEV, limit)
