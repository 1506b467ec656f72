"""Runs the W3C Implementation Report tests of VoiceXML 2.0 and 2.1 from a folder outside the repository.

    python -m tests.irtests [FOLDER] [--only ID] [--trace]

Each test is a caller who does what the last prompt asks for; the verdict is what the test logs under ``conf``. Ends
with one line ``N passed, N failed, N skipped`` and a status of 1 where one failed that is not disputed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from vxml import (
    Action,
    Audio,
    Collect,
    Collector,
    Disconnect,
    Exit,
    Fetch,
    Fetched,
    FetchFailed,
    Hangup,
    Hypothesis,
    Log,
    NoInput,
    Play,
    Played,
    Prompt,
    Record,
    Recorded,
    Session,
    Speech,
    Spoken,
    Transfer,
    Transferred,
)
from vxml.actions import Segment
from vxml.events import Event

ORIGIN = "http://irtests.example"
STEPS = 400
#: Tests that contradict the specification, and the clause that we hold against each: counted as failed, and expected.
DISPUTED = {
    "2.0 394": "§5.1.1 makes a variable without expr ECMAScript undefined; the test compares it with the text 'undefined'",
}
_ASKED = re.compile(
    r"press '(?P<keys>[^']+)'|(?P<nonsense>say something unrecognizable)"
    r"|(?P<silence>no input expected|say nothing)|(?P<hangup>hang up now)|(?P<recite>recite a sentence)"
    r"|say '?(?P<words>[^'.]+)'?",
    re.I,
)


@dataclass
class Run:
    """One test: the caller, the network and the web server in one."""

    folder: Path
    test: dict[str, Any]
    trace: bool = False
    heard: list[str] = field(default_factory=list)
    played: list[str] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)
    end: Exit | None = None
    hung_up: bool = False

    def run(self) -> str:
        """Empty where the test passes, else why not."""
        session = Session(
            Fetch(f"{ORIGIN}/{self.test['base']}/{self.test['start']}"),
            {"connection": {"protocol": {"name": "sip", "version": "2.0"}}},
            speech=True,
        )
        action = session.begin()
        for _ in range(STEPS):
            if isinstance(action, Exit):
                self.end = action
                break
            event = self.answer(action)
            if self.trace:
                print("   ", str(action)[:150], "->", str(event)[:100])
            action = session.send(event)
        return self.judge()

    # --- what the world answers ---

    def answer(self, action: Action) -> Event:
        match action:
            case Fetch():
                return self.fetch(action)
            case Log(label, text):
                if label == "conf":
                    self.verdicts.append(text)
                return Played()
            case Play(prompts):
                self.hear(prompts)
                return Played()
            case Disconnect():
                return Hangup()
            case Collect(prompts):
                return self.collect(action, self.hear(prompts))
            case Record(prompts):
                asked = self.hear(prompts)
                if "nothing" in asked or "no input" in asked:
                    return NoInput()
                return Recorded("recording:1", 3.0, 24_000)
            case Transfer(prompts):
                self.hear(prompts)
                return self.transfer(action)
        raise AssertionError(action)

    def fetch(self, action: Fetch) -> Event:
        parts = urlsplit(action.url)
        if f"{parts.scheme}://{parts.netloc}" != ORIGIN:
            return FetchFailed("there is no such host")
        path = (self.folder / parts.path.lstrip("/")).resolve()
        if not path.is_relative_to(self.folder.resolve()) or not path.is_file():
            return Fetched(action.url, 404, b"")
        return Fetched(action.url, 200, path.read_bytes())

    def hear(self, prompts: tuple[Prompt, ...]) -> str:
        """What this turn's prompts said."""
        before = len(self.heard)
        for prompt in prompts:
            for segment in prompt.segments:
                self.listen(segment)
        return " ".join(self.heard[before:]).lower()

    def listen(self, segment: Segment) -> None:
        match segment:
            case Speech(ssml):
                self.heard.append(" ".join("".join(etree.fromstring(ssml).itertext()).split()))
            case Audio(url, fallback):
                path = self.folder / urlsplit(url).path.lstrip("/")
                if path.is_file() or path.name in self.test["unresolved_refs"]:
                    self.played.append(path.name)
                else:
                    for inner in fallback:
                        self.listen(inner)

    def collect(self, action: Collect, said: str) -> Event:
        """Do what the last instruction asks for."""
        found = list(_ASKED.finditer(said))
        if not found:
            return NoInput()
        asked = found[-1]
        match asked.lastgroup:
            case "keys":
                collector = Collector(action)
                for key in asked["keys"]:
                    if (event := collector.feed(key)) is not None:
                        return event
                return collector.expired()
            case "words":
                return Spoken((Hypothesis(asked["words"].lower(), 0.9),))
            case "nonsense":
                return Spoken((Hypothesis("xyzzy plugh", 0.9),))
            case "hangup":
                return Hangup()
        return NoInput()

    def transfer(self, action: Transfer) -> Event:
        match self.test["telephony"]:
            case "far_end_hangup":
                return Transferred("far_end_disconnect", 4.0)
            case "caller_hangup_during_bridge":
                return Hangup()
            case "noanswer":
                return Transferred("noanswer", 0.0)
            case "blind_ok":
                return Transferred("")
            case "not_executed":
                self.verdicts.append("fail: the transfer was executed")
        return Transferred("far_end_disconnect", 1.0)

    # --- the verdict ---

    def judge(self) -> str:
        expected = self.test["expected"]
        failed = [one for one in self.verdicts if one.lower().startswith("fail")]
        if failed:
            return f"logged {failed[0]!r}"
        if self.end is None:
            return "did not end"
        if expected.get("log") == "pass":
            # Some tests end in a document that only says the verdict.
            said = not self.verdicts and "pass" in self.heard and "fail" not in self.heard
            if not said and not any(one.lower().startswith("pass") for one in self.verdicts):
                return f"logged no pass; ended with {self.end.error or 'no error'} {self.end.message}"
        elif self.end.error is not None:
            return f"ended with {self.end.error}: {self.end.message}"
        at = 0
        all_heard = " ".join(self.heard).lower()
        for text in expected.get("prompts_contain", ()):
            found = all_heard.find(str(text).lower(), at)
            if found < 0:
                return f"{text!r} was not heard in {all_heard[:200]!r}"
            at = found + len(text)
        missing = [name for name in expected.get("audio", ()) if name not in self.played]
        return f"{missing[0]} was not played" if missing else ""


def unjudgeable(folder: Path, test: dict[str, Any]) -> str | None:
    """Why nothing can be said of a test: the manifest's word, or an application root that was not recovered."""
    if (why := test["expected"].get("skip")) is not None:
        return str(why)
    for name in test["files"]:
        path = folder / test["base"] / name
        if path.suffix == ".vxml":
            root = etree.parse(path).getroot().get("application")
            if root and not (path.parent / root.partition("#")[0]).is_file() and "://" not in root:
                return f"its application root {root} was not recovered"
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("VOXGATE_IRTESTS") or Path(__file__).resolve().parents[2] / "shared/irtests"
    parser.add_argument("folder", nargs="?", type=Path, default=Path(default), help="where manifest.json lies")
    parser.add_argument("--only", help="run one test, by its id")
    parser.add_argument("--trace", action="store_true", help="print every action and its answer")
    given = parser.parse_args()
    manifest = given.folder / "manifest.json"
    if not manifest.is_file():
        print(f"irtests: {manifest} is not here: name the folder, or set VOXGATE_IRTESTS; nothing was run")
        print("0 passed, 0 failed, all skipped")
        return 0
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    unexpected = 0
    for test in json.loads(manifest.read_text()):
        if given.only and test["id"] != given.only:
            continue
        name = f"{test['suite']} {test['id']}"
        if (why := unjudgeable(given.folder, test)) is not None:
            counts["skipped"] += 1
            print(f"skipped {name}: {why}")
            continue
        try:
            why = Run(given.folder, test, given.trace).run()
        except Exception as error:  # a crash of the interpreter is a failure of this test alone
            why = f"crashed with {type(error).__name__}: {error}"
        counts["failed" if why else "passed"] += 1
        if why:
            unexpected += name not in DISPUTED
            print(f"FAILED  {name} ({test['spec_guess']}): {why}")
            if name in DISPUTED:
                print(f"        disputed: {DISPUTED[name]}")
    print(", ".join(f"{count} {word}" for word, count in counts.items()))
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main())
