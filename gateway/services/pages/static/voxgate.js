// Live regions, quiet forms and copy buttons. Every page works without it; it only spares reloading.
"use strict";

const main = document.querySelector("main");
const csrf = main?.dataset.csrf ?? "";

// On a phone the pages' names scroll: where one is stays in sight.
document.querySelector(".side nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// --- morphing: make the old tree like the new one, touching only what differs, so that focus and scroll stay ---
function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || old.id !== fresh.id) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.dataset && old.dataset.keep !== undefined) return;
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old === document.activeElement && /INPUT|SELECT|TEXTAREA/.test(old.nodeName)) return;
  children(old, fresh);
}

function children(old, fresh) {
  const byId = new Map([...old.children].filter((one) => one.id).map((one) => [one.id, one]));
  let at = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const known = wanted.id ? byId.get(wanted.id) : null;
    if (known && known !== at) old.insertBefore(known, at);
    const here = known ?? at;
    if (!here || (!known && here.id && wanted.id !== here.id)) {
      old.insertBefore(wanted, at);
      continue;
    }
    at = here.nextSibling;
    morph(here, wanted);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

let loading = null;
let again = false;
async function refresh() {
  if (loading) {
    again = true;
    return loading;
  }
  loading = (async () => {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html", "X-Live": "1" }, cache: "no-store" });
      if (answer.redirected && new URL(answer.url).pathname === "/signin") location.reload();
      if (answer.ok) show(await answer.text());
    } catch {
      // The gateway is away: the event stream tells when it is back.
    }
  })();
  await loading;
  loading = null;
  if (again) {
    again = false;
    setTimeout(refresh, 250);
  }
}

function show(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("main");
  if (!fresh) return;
  morph(main, document.adoptNode(fresh));
  document.dispatchEvent(new Event("refreshed"));
}

if (main?.dataset.live) {
  let stream = null;
  const listen = () => {
    stream = new EventSource("/live?topic=" + encodeURIComponent(main.dataset.live));
    stream.addEventListener("changed", refresh);
    let lost = false;
    stream.addEventListener("error", () => { lost = true; });
    stream.addEventListener("open", () => {
      if (lost) refresh();
      lost = false;
    });
  };
  listen();
  document.addEventListener("topic", ({ detail }) => {
    main.dataset.live = detail;
    stream.close();
    listen();
    refresh();
  });
  // A hidden page costs the gateway nothing; it catches up when it is looked at again.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      stream.close();
    } else if (stream.readyState === EventSource.CLOSED) {
      listen();
      refresh();
    }
  });
  // Ages ("3 min ago") go on while nothing happens.
  setInterval(() => { if (!document.hidden) refresh(); }, 30000);
}

// --- forms ---
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) {
    event.preventDefault();
    return;
  }
  if (form.method !== "post" || !main?.dataset.live || form.dataset.leave !== undefined || form.enctype === "multipart/form-data") return;
  if (form.action.includes("/signout")) return;
  event.preventDefault();
  quiet(form, event.submitter);
});

async function quiet(form, button) {
  if (button) button.disabled = true;
  try {
    const body = new URLSearchParams(new FormData(form, button));
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
    const shown = new URL(answer.url);
    if (answer.ok && shown.pathname !== location.pathname) location.assign(answer.url);
    else if (answer.ok && shown.search !== location.search) location.assign(answer.url);
    else show(await answer.text());
  } finally {
    if (button) button.disabled = false;
  }
}

// --- copying and tabs ---
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.copy) {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    const word = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = word; }, 1500);
  } else if (button.getAttribute("role") === "tab") {
    pick(button);
  }
});

function pick(tab) {
  for (const other of tab.closest('[role="tablist"]').querySelectorAll('[role="tab"]')) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
  }
}

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.('[role="tab"]');
  if (!tab || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  const all = [...tab.closest('[role="tablist"]').querySelectorAll('[role="tab"]')];
  const next = all[(all.indexOf(tab) + (event.key === "ArrowRight" ? 1 : all.length - 1)) % all.length];
  pick(next);
  next.focus();
});
