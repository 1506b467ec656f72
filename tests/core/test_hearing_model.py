"""The shipped trees: read as they were written, walked as trees are, and true to what must hold whatever they learned."""

from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core import hearing
from gateway.core.hearing import Classifier, Evidence, Verdict, activity, features
from gateway.core.hearing.model import NAMED, Model
from gateway.core.hearing.prosody import Prosody, nuclei
from gateway.core.hearing.trees import Trees, shipped
from tests.core.audio import RATE, hear, joined, noisy, pcm, silence, verdicts, words

FILES = {"speech": activity.NAMES, "greeting": features.NAMES}


def rows(names: tuple[str, ...], count: int = 200) -> np.ndarray:
    return np.random.default_rng(7).uniform(-10, 40, (count, len(names))).astype(np.float32)


def walked(stored: dict[str, object], row: np.ndarray) -> float:
    """A node at a time."""
    odds = float(stored["even"])  # type: ignore[arg-type]
    for tree in stored["trees"]:  # type: ignore[attr-defined]
        place = 0
        while len(tree[place]) > 1:
            feature, threshold, under, over, _ = tree[place]
            place = under if row[feature] <= np.float32(threshold) else over
        odds += tree[place][0]
    return odds


@pytest.mark.parametrize("name", FILES)
def test_all_trees_at_once_give_what_one_by_one_gives(name: str) -> None:
    stored = json.loads((files(hearing) / f"{name}.json").read_text())
    given_rows = rows(FILES[name])
    found = shipped(name, FILES[name]).odds(given_rows)
    assert found == pytest.approx([walked(stored, row) for row in given_rows], abs=1e-6)


def test_what_the_features_weigh_adds_up_to_the_odds() -> None:
    trees = shipped("greeting", features.NAMES)
    roots = trees.even + trees.value[trees.roots].sum()
    for row in rows(features.NAMES, 20):
        assert roots + trees.weights(row).sum() == pytest.approx(trees.odds(row[None])[0], abs=1e-6)


def test_a_model_of_other_features_is_refused() -> None:
    with pytest.raises(ValueError, match="make train"):
        shipped("greeting", ("loudness",))


def test_the_longer_the_silence_the_less_a_machine_and_the_more_said_the_more_one() -> None:
    trees = shipped("greeting", features.NAMES)
    for name, sign in (("silence", -1), ("speech", 1), ("longest utterance", 1)):
        place = features.NAMES.index(name)
        for row in rows(features.NAMES, 30):
            sweep = np.repeat(row[None], 40, axis=0)
            sweep[:, place] = np.linspace(0, 10, 40)
            assert np.all(sign * np.diff(trees.odds(sweep)) >= -1e-9)


def test_a_reason_names_what_weighed_most() -> None:
    (said, *_) = verdicts(hear(joined(silence(0.5), words((0.6, 3)))))
    parts = said.reason.split(", ")
    assert len(parts) == NAMED
    assert all(any(part.startswith(name) for name in features.NAMES) for part in parts)


def test_trees_are_read_as_documented() -> None:
    text = '{"features": ["a", "b"], "even": 0.5, "depth": 1, "trees": [[[1, 2.0, 1, 2, 0.1], [-1.0], [3.0]]]}'
    trees = Trees.read(text)
    assert trees.odds(np.array([[9, 2], [9, 2.5]], np.float32)) == [-0.5, 3.5]


@pytest.mark.parametrize(
    ("levels", "peaks"),
    [([], []), ([-50.0], []), ([-50, -20, -50], [1]), ([-50, -20, -30, -18, -50], [1, 3]), ([-20, -21, -22, -21], [])],
)
def test_a_syllable_stands_out_of_its_dips(levels: list[float], peaks: list[int]) -> None:
    assert nuclei(levels) == peaks


def test_the_past_is_forgotten_but_for_its_last_part() -> None:
    prosody = Prosody(0.032)
    power = np.ones((4, 230), np.float32)
    for _ in range(1000):
        prosody.push(power)
    assert prosody.start + prosody.count * 0.02 == pytest.approx(0.032 + 4000 * 0.02)
    assert len(prosody.level[prosody.rows(70.0, 75.0)]) == 250


@given(data=st.binary(max_size=4000), tail=st.sampled_from((b"\0\0", b"\xff\x7f", b"\0\x80", b"\xff\x7f\0\x80")))
@settings(max_examples=40, deadline=None)
def test_any_bytes_are_heard_without_a_fault(data: bytes, tail: bytes) -> None:
    classifier = Classifier()
    told: list[Evidence | Verdict] = classifier.feed(data)
    classifier.answered()
    told += classifier.feed(data * 8 + tail * (3 * RATE)) + classifier.finish()
    for one in told:
        if isinstance(one, Verdict):
            assert 0 <= one.confidence <= 1
            assert one.at >= 0
        else:
            assert 0 <= one.start <= one.end <= one.known + 0.2


def test_model_and_voices_may_be_others() -> None:
    class Certain:
        def odds(self, features: object) -> float:
            return 9.0

        def reason(self, features: object) -> str:
            return "told so"

    classifier = Classifier(model=Certain(), speech=shipped("speech", activity.NAMES))
    classifier.answered()
    classifier.feed(pcm(noisy(words((1.0, 1)), 30)))
    assert classifier.verdict is not None
    assert classifier.verdict.reason == "told so"
    assert isinstance(Model().odds([0.0] * len(features.NAMES)), float)
