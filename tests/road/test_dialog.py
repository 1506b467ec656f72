"""VoiceXML carried out on real calls: recordings, transfers, menus, marks, fetchaudio, hang-ups, many at once."""

from __future__ import annotations

import io
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab import fetch, listening
from lab.application import Kept, SampleApplication
from lab.gateway import GatewayProcess
from lab.lab import Lab
from lab.softphone import Softphone
from tests.road.waiting import wait_for

HEAD = '<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">'
PHRASES = fetch.asterisk().sounds / "en"


@dataclass
class Road:
    """A caller's own phone (901), another's (902), and the application that the gateway fetches."""

    lab: Lab
    gateway: GatewayProcess
    application: SampleApplication
    phone: Softphone
    other: Softphone

    def call(self, name: str, body: str, number: str = "901") -> str:
        """Queue a call whose start_url serves ``body``; ``{keep}`` is where it may submit."""
        application = self.application
        text = HEAD + body.replace("{keep}", application.keep_url(name)) + "</vxml>"
        application.pages[name] = (0.0, text.encode())
        return self.gateway.queue_call(
            phone_number=number, start_url=application.page_url(name), result_url=application.result_url
        )

    def kept(self, name: str, seconds: float = 40.0) -> dict[str, Kept]:
        wait_for(lambda: self.application.kept.get(name), seconds)
        return self.application.kept[name][-1]

    def ended(self, call_id: str) -> None:
        wait_for(lambda: self.application.posts.get(call_id), 60)

    def began(self, call_id: str) -> None:
        wait_for(lambda: self.gateway.logged("callee.detected", call_id))


@pytest.fixture(scope="module")
def road(lab: Lab) -> Iterator[Road]:
    gateway = GatewayProcess(lab, name="dialog")
    gateway.add_account()
    gateway.start()
    try:
        with SampleApplication() as application, Softphone(lab, 1) as phone, Softphone(lab, 2) as other:
            yield Road(lab, gateway, application, phone, other)
    finally:
        assert gateway.stop() == 0
        print(gateway.log.read_text())  # pytest shows it where a test failed


def phrase(name: str, seconds: float = 30.0) -> bytes:
    """The start of one of Asterisk's recorded phrases."""
    out = io.BytesIO()
    with wave.open(str(PHRASES / f"{name}.wav")) as source, wave.open(out, "wb") as file:
        file.setparams(source.getparams())
        file.writeframes(source.readframes(round(seconds * 8000)))
    return out.getvalue()


def saved(folder: Path, name: str, wav: bytes) -> Path:
    path = folder / name
    path.write_bytes(wav)
    return path


def test_a_recording_is_played_back_and_uploaded(road: Road, tmp_path: Path) -> None:
    call_id = road.call(
        "record",
        """<form><var name="ms"/><var name="key"/>
        <record name="message" beep="true" maxtime="12s" finalsilence="3s" dtmfterm="true">
          <prompt bargein="false">Please speak.</prompt>
          <filled>
            <assign name="ms" expr="message$.duration"/><assign name="key" expr="message$.termchar"/>
            <prompt><audio expr="message">nothing to be heard</audio></prompt>
            <submit next="{keep}" method="post" enctype="multipart/form-data" namelist="message ms key"/>
          </filled>
        </record></form>""",
    )
    road.began(call_id)
    time.sleep(3.5)  # the prompt and the beep
    road.phone.say(PHRASES / "vm-nobodyavail.wav")
    road.phone.key("5")
    form = road.kept("record")
    road.ended(call_id)
    assert isinstance(form["message"], tuple)
    kind, body = form["message"]
    assert (kind, form["key"]) == ("audio/wav", "5")
    uploaded = saved(tmp_path, "uploaded.wav", body)
    spoken = PHRASES / "vm-nobodyavail.wav"
    assert listening.similarity(uploaded, spoken) > listening.HEARD
    assert 2000 < int(str(form["ms"])) < 12_000
    assert abs(len(listening.samples(uploaded)) / 8 - int(str(form["ms"]))) < 20
    assert listening.similarity(road.phone.recordings()[-1], spoken) > listening.HEARD  # played back
    assert not list(road.gateway.media.glob("recording-*"))  # nothing of it is kept


def test_silence_is_no_recording(road: Road) -> None:
    call_id = road.call(
        "mute",
        """<form><record name="message" finalsilence="1s" dtmfterm="false"><property name="timeout" value="2s"/>
          <noinput><assign name="message" expr="'nothing'"/><submit next="{keep}" method="post" namelist="message"/>
          </noinput></record></form>""",
    )
    assert road.kept("mute") == {"message": "nothing"}
    road.ended(call_id)


#: One <transfer>, whose outcome or error goes into ``outcomes``, then the next form.
ATTEMPT = """<form id="t{index}">
  <catch event="error.connection"><assign name="outcomes" expr="outcomes + ' ' + _event"/>{next}</catch>
  <transfer name="t" type="bridge" dest="{dest}" connecttimeout="{ring}s" maxtime="{longest}s">
    <grammar xmlns="http://www.w3.org/2001/06/grammar" mode="dtmf" version="1.0" root="r">
      <rule id="r"><item>*</item><item>7</item></rule></grammar>
    <filled><assign name="outcomes" expr="outcomes + ' ' + t"/>{next}</filled>
  </transfer></form>"""


def attempts(*targets: tuple[str, int, int]) -> str:
    parts = ['<var name="outcomes" expr="\'\'"/>']
    for index, (dest, ring, longest) in enumerate(targets):
        last = index == len(targets) - 1
        following = (
            '<submit next="{keep}" method="post" namelist="outcomes"/>' if last else f'<goto next="#t{index + 1}"/>'
        )
        parts.append(
            ATTEMPT.replace("{index}", str(index)).replace("{dest}", dest).replace("{ring}", str(ring))
            .replace("{longest}", str(longest)).replace("{next}", following)
        )  # fmt: skip
    return "".join(parts)


def test_what_cannot_be_reached_is_told_apart(road: Road) -> None:
    lab = road.lab
    call_id = road.call(
        "unreached",
        attempts(
            (f"tel:{lab.number('busy')}", 10, 0),
            (f"tel:{lab.number('rings')}", 2, 0),
            (f"tel:{lab.number('not-found')}", 10, 0),
            ("tel:+19005550123", 10, 0),
            ("tel:none", 10, 0),
            ("sip:somebody@elsewhere.example", 10, 0),
        ),
    )
    assert road.kept("unreached")["outcomes"] == (
        " busy noanswer error.connection.noroute error.connection.noauthorization error.connection.baddestination"
        " error.connection.noroute"
    )
    road.ended(call_id)
    assert not road.lab.invites("+19005550123")


def test_a_bridged_transfer_carries_both_voices_and_ends_in_every_way(road: Road) -> None:
    before = len(road.other.recordings())
    call_id = road.call("bridged", attempts(("tel:902", 10, 5), ("tel:902", 10, 0), ("tel:902", 10, 0)))
    road.began(call_id)

    legs = {""}

    def next_leg() -> None:
        wait_for(lambda: leg(road) not in legs)
        legs.add(leg(road))

    next_leg()
    road.phone.say(PHRASES / "vm-nobodyavail.wav")
    next_leg()  # after maxtime
    road.phone.key("3*7")
    next_leg()
    road.other.hang_up()
    assert road.kept("bridged")["outcomes"] == " maxtime_disconnect near_end_disconnect far_end_disconnect"
    road.ended(call_id)
    heard = road.other.recordings()[before]
    assert listening.similarity(heard, PHRASES / "vm-nobodyavail.wav") > listening.HEARD


def leg(road: Road) -> str:
    """The answered channel of the second phone; empty where there is none."""
    shown = road.lab.pbx.cli("core show channels concise").splitlines()
    names = [line.partition("!")[0] for line in shown if line.startswith("PJSIP/voxgate-phone2-") and "!Up!" in line]
    return names[0] if names else ""


@pytest.mark.parametrize("kind", ["blind", "consultation"])
def test_after_a_transfer_the_application_goes_on_without_the_callee(road: Road, kind: str) -> None:
    before = len(road.other.recordings())
    name = f"away-{kind}"
    call_id = road.call(
        name,
        f"""<catch event="connection.disconnect.transfer"><var name="told" expr="_event"/>
          <submit next="{{keep}}" method="post" namelist="told"/></catch>
        <form><transfer name="t" type="{kind}" dest="tel:902" connecttimeout="10s"/></form>""",
    )
    assert road.kept(name) == {"told": "connection.disconnect.transfer"}
    wait_for(lambda: leg(road))
    road.phone.say(PHRASES / "vm-nobodyavail.wav")
    assert call_id not in road.application.posts  # they still talk
    road.phone.hang_up()
    road.ended(call_id)
    wait_for(lambda: len(road.other.recordings()) > before)
    assert listening.similarity(road.other.recordings()[-1], PHRASES / "vm-nobodyavail.wav") > listening.HEARD
    assert not leg(road)


def test_a_consultation_that_fails_gives_the_callee_back(road: Road) -> None:
    call_id = road.call(
        "consulted",
        f"""<form><transfer name="t" type="consultation" dest="tel:{road.lab.number("busy")}">
          <filled><submit next="{{keep}}" method="post" namelist="t"/></filled></transfer></form>""",
    )
    assert road.kept("consulted") == {"t": "busy"}
    road.ended(call_id)


MENU = """<menu id="top"><prompt>For sales press 1. <mark name="one"/> <audio src="{music}"/> For help press 2.</prompt>
    <choice dtmf="1" next="#sales"/><choice dtmf="2" next="#sales"/></menu>
  <form id="sales"><var name="m" expr="application.lastresult$.markname"/>
    <var name="ms" expr="application.lastresult$.marktime"/>
    <field name="code" type="digits?length=3"><prompt>Your code?</prompt></field>
    <field name="sure" type="boolean"><prompt>Is <value expr="code"/> right?</prompt></field>
    <filled><submit next="{keep}" method="post" namelist="m ms code sure"/></filled></form>"""


def test_barge_in_type_ahead_marks_and_confirmation(road: Road) -> None:
    road.application.files["long"] = ("audio/wav", phrase("vm-nobodyavail") * 1)
    body = MENU.replace("{music}", f"http://127.0.0.1:{road.application.port}/file/long")
    call_id = road.call("menu", body)
    road.began(call_id)
    time.sleep(4)  # past the mark, in the midst of the recording
    road.phone.key("2471")  # the choice, and the code typed ahead without its last digit
    time.sleep(0.5)
    road.phone.key("1")
    form = road.kept("menu")
    road.ended(call_id)
    assert (form["m"], form["code"], form["sure"]) == ("one", "471", "true")
    assert 0 < int(str(form["ms"])) < 4000


def test_fetchaudio_fills_a_slow_fetch(road: Road) -> None:
    application = road.application
    application.files["music"] = ("audio/wav", phrase("vm-nobodyavail"))
    application.pages["late"] = (4.0, (HEAD + "<form><block>Here it is.</block></form></vxml>").encode())
    call_id = road.call(
        "filled",
        f"""<property name="fetchaudio" value="http://127.0.0.1:{application.port}/file/music"/>
        <property name="fetchaudiodelay" value="500ms"/><property name="fetchaudiominimum" value="1s"/>
        <form><block><submit next="{application.page_url("late")}" method="post"/></block></form>""",
    )
    road.ended(call_id)
    heard = road.phone.recordings()[-1]
    assert listening.similarity(heard, PHRASES / "vm-nobodyavail.wav") > listening.HEARD


def test_after_a_hang_up_the_application_still_submits(road: Road) -> None:
    call_id = road.call(
        "gone",
        """<catch event="connection.disconnect.hangup"><var name="why" expr="_event"/>
          <submit next="{keep}" method="post" namelist="why"/></catch>
        <form><field name="f" type="digits"><prompt>Key as many digits as you like, there is plenty of time.</prompt>
        </field></form>""",
    )
    road.began(call_id)
    time.sleep(1.5)
    road.phone.hang_up()
    assert road.kept("gone") == {"why": "connection.disconnect.hangup"}
    road.ended(call_id)


SENTENCES = (
    "Four tall ships left the harbour.", "Every clock in town is wrong.", "My sister paints old bicycles.",
    "Rain fell on the tin roof all night.", "Buy bread, milk and a dozen eggs.", "Nobody knew where the path led.",
    "Jazz, blues and a little swing.", "Under the bridge lives a heron.", "Please water the plants on Sunday.",
    "Seven, eight, nine, ten, eleven.",
)  # fmt: skip


def test_ten_calls_at_once_hear_their_own_documents(road: Road) -> None:
    numbers = [road.lab.number(key) for key in ("person", "silent")]
    before = {number: len(road.lab.heard(number)) for number in numbers}
    calls = {
        f"document{index}": road.call(
            f"document{index}",
            f"""<form><var name="w" expr="'{index}'"/><block>{sentence}
            <submit next="{{keep}}" method="post" namelist="w"/></block></form>""",
            numbers[index % len(numbers)],
        )
        for index, sentence in enumerate(SENTENCES)
    }
    for name, call_id in calls.items():
        road.ended(call_id)
        assert road.application.kept[name] == [{"w": name.removeprefix("document")}]
    heard = [path for number in numbers for path in road.lab.heard(number)[before[number] :]]
    assert len(heard) == len(SENTENCES)
    prompts = sorted(road.gateway.media.glob("*.wav"), key=lambda path: path.stat().st_mtime)[-len(SENTENCES) :]
    likeness = {(path, prompt): listening.similarity(path, prompt) for path in heard for prompt in prompts}
    assert {max(heard, key=lambda path: likeness[path, prompt]) for prompt in prompts} == set(heard)
    # Ten calls on two cores cost a few packets; unrelated sentences stay below 0.5.
    assert all(max(likeness[path, prompt] for prompt in prompts) > 0.7 for path in heard)
