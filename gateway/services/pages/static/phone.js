// The phone in the page (JsSIP), and the application walked through in text.
"use strict";

const token = document.querySelector("main").dataset.csrf;
const ask = (path, values = {}) =>
  fetch(path, { method: "POST", body: new URLSearchParams({ csrf: token, ...values }) });

// --- the phone ---
const box = document.getElementById("phone");
if (box && window.JsSIP) phone();

function phone() {
  const part = (name) => document.getElementById("phone-" + name);
  const keys = box.querySelectorAll("[data-key]");
  const audio = part("audio");
  let agent = null;
  let call = null;

  const say = (state, text = "") => {
    part("state").textContent = state;
    part("text").textContent = text;
  };
  const buttons = () => {
    const ringing = call !== null && !call.isEstablished();
    part("answer").hidden = !ringing;
    part("end").hidden = call === null;
    for (const key of keys) key.disabled = call === null || ringing;
    document.getElementById("ring-me").disabled = !agent?.isRegistered() || call !== null;
    part("power").textContent = agent ? "Switch off" : "Switch on";
  };
  const ready = () => say("Ready", `Registered: extension ${box.dataset.extension} rings here.`);

  function switchOn() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new JsSIP.WebSocketInterface(`${scheme}//${location.host}/phone/ws`);
    agent = new JsSIP.UA({
      sockets: [socket],
      uri: `sip:${box.dataset.user}@${location.hostname}`,
      password: box.dataset.secret,
      register_expires: 120,
      session_timers: false,
    });
    agent.on("connecting", () => say("Connecting"));
    agent.on("disconnected", () => { say("No connection", "Asterisk's WebSocket is not reached; trying again."); buttons(); });
    agent.on("registered", () => { if (!call) ready(); buttons(); });
    agent.on("registrationFailed", (event) => { say("Refused", `Asterisk refuses the registration: ${event.cause}`); buttons(); });
    agent.on("newRTCSession", ({ session, originator }) => {
      if (originator === "remote") take(session);
    });
    agent.start();
    buttons();
  }

  function take(session) {
    if (call) return session.terminate({ status_code: 486 });
    call = session;
    say("Rings", "Answer to hear the application.");
    session.on("peerconnection", ({ peerconnection }) => {
      peerconnection.addEventListener("track", (event) => { audio.srcObject = event.streams[0]; });
    });
    session.on("confirmed", () => { say("In call"); buttons(); });
    const over = (event) => {
      call = null;
      audio.srcObject = null;
      say("Ended", event.cause === "Terminated" ? "" : String(event.cause));
      buttons();
    };
    session.on("ended", over);
    session.on("failed", over);
    buttons();
  }

  part("power").addEventListener("click", () => {
    if (agent) {
      agent.stop();
      agent = null;
      call = null;
      say("Off");
      buttons();
    } else {
      switchOn();
    }
  });
  part("answer").addEventListener("click", () => {
    call.answer({ mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] } });
    say("Connecting");
  });
  part("end").addEventListener("click", () => call?.terminate());
  const press = (key) => {
    if (!call?.isEstablished()) return;
    call.sendDTMF(key, { transportType: "RFC2833", duration: 120, interToneGap: 80 });
    part("text").textContent += key;
  };
  for (const key of keys) key.addEventListener("click", () => press(key.dataset.key));
  document.addEventListener("keydown", (event) => {
    if (!event.target.closest("input, textarea, select") && /^[0-9*#]$/.test(event.key)) press(event.key);
  });
  addEventListener("pagehide", () => agent?.stop());

  document.getElementById("ring").addEventListener("submit", async (event) => {
    event.preventDefault();
    const fault = document.getElementById("ring-error");
    fault.textContent = "";
    const once = document.getElementById("ring-once"); // sent twice as it is, it rings once
    const answer = await ask("/phone/ring", { start_url: document.getElementById("start_url").value, once: once.value });
    const told = await answer.json();
    if (told.error) {
      fault.textContent = told.error;
      return;
    }
    once.value = told.once;
    if (!call) say("Queued", `Call ${told.call_id} will ring here.`); // it may ring before this answer comes
    history.replaceState(null, "", `/phone?call=${told.call_id}`);
    document.dispatchEvent(new CustomEvent("topic", { detail: `call:${told.call_id}` }));
  });
}

// --- in text ---
const screen = document.getElementById("walk-text");
const typing = document.getElementById("walk-type");
let walk = "";
let following = null;

document.getElementById("walk-start").addEventListener("submit", async (event) => {
  event.preventDefault();
  following?.close();
  const answer = await ask("/phone/walk", { start_url: document.getElementById("walk-url").value });
  const told = answer.headers.get("Content-Type").includes("json") ? await answer.json() : { error: await answer.text() };
  screen.hidden = false;
  screen.textContent = told.error ?? "";
  typing.hidden = Boolean(told.error);
  if (told.error) return;
  walk = told.walk;
  following = new EventSource("/phone/walk/" + walk);
  following.addEventListener("message", ({ data }) => {
    screen.append(JSON.parse(data));
    screen.scrollTop = screen.scrollHeight;
  });
  following.addEventListener("ended", () => {
    following.close();
    typing.hidden = true;
  });
  document.getElementById("walk-line").focus();
});

typing.addEventListener("submit", async (event) => {
  event.preventDefault();
  const line = document.getElementById("walk-line");
  const text = line.value;
  line.value = "";
  await ask("/phone/walk/" + walk, { line: text });
});
