"""The shipped models: read as written, reckoned as such are, and true to what must hold whatever they learned."""

from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core import hearing
from gateway.core.hearing import Classifier, Evidence, Settings, Verdict, features, net
from gateway.core.hearing.activity import COLUMNS, activity
from gateway.core.hearing.model import NAMED, Model
from gateway.core.hearing.net import Net
from gateway.core.hearing.prosody import Prosody, nuclei
from gateway.core.hearing.spectrum import Analyser
from gateway.core.hearing.trees import Trees, shipped
from gateway.core.model import CalleeType
from tests.core.audio import RATE, hear, joined, noisy, pcm, silence, verdicts, words


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


def test_all_trees_at_once_give_what_one_by_one_gives() -> None:
    stored = json.loads((files(hearing) / "greeting.json").read_text())
    given_rows = rows(features.NAMES)
    found = shipped("greeting", features.NAMES).odds(given_rows)
    assert found == pytest.approx([walked(stored, row) for row in given_rows], abs=1e-6)


def test_a_net_passes_what_is_above_nothing_from_layer_to_layer() -> None:
    read = Net.read("[[[1, 2, -1], [0, -1, 0]], [[0.5, 1, 10]]]")
    assert read.inputs == 2
    assert read.odds(np.array([[3, 1], [-2, 0]], np.float32)) == [1 + 6 - 1 + 0.5, 0 + 20 + 0.5]


def test_a_net_of_other_columns_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(net, "COLUMNS", COLUMNS + 1)
    with pytest.raises(ValueError, match="make train"):
        net.shipped.__wrapped__()


def test_how_loud_the_line_is_tells_no_voice_from_noise() -> None:
    def told(gain: float) -> list[list[float]]:
        heard = pcm(noisy(words((0.6, 1)), 20) * gain)
        found, analyser = [], Analyser()
        prosody = Prosody(analyser.at)
        for place in range(0, len(heard) - 1280, 1280):
            prosody.push(analyser.power(np.frombuffer(heard[place : place + 1280], "<i2")))
            found.append(activity(prosody, 4))
        return np.concatenate(found)

    loud, quiet = told(1.0), told(0.25)
    over_noise = slice(0, COLUMNS - 6)
    assert np.abs(loud[20:, over_noise] - quiet[20:, over_noise]).max() < 2.0


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


class Says:
    """A model that always says the same."""

    def __init__(self, odds: float) -> None:
        self._odds = odds

    def odds(self, features: object) -> float:
        return self._odds

    def reason(self, features: object) -> str:
        return "told so"


def test_model_and_voices_may_be_others() -> None:
    classifier = Classifier(model=Says(9.0), speech=net.shipped())
    classifier.answered()
    classifier.feed(pcm(noisy(words((1.0, 1)), 30)))
    assert classifier.verdict is not None
    assert classifier.verdict.reason == "told so"
    assert isinstance(Model().odds([0.0] * len(features.NAMES)), float)


def test_a_person_is_doubted_for_longer_where_a_beep_is_awaited() -> None:
    def told_after(*, beep: bool) -> float:
        classifier = Classifier(Settings(), Says(-2.5))  # a person, with the confidence 0.92
        classifier.answered()
        if beep:
            classifier.await_beep()
        told = verdicts(classifier.feed(pcm(noisy(words((0.6, 5)), 30))))
        assert {one.callee_type for one in told} == {CalleeType.VOICE}
        return told[0].at

    usual = Settings()
    assert usual.sure_of_person < 0.92 < usual.sure_after_beep
    assert told_after(beep=False) < 0.6 + usual.patience
    assert told_after(beep=True) == pytest.approx(0.6 + usual.patience_after_beep, abs=0.2)
