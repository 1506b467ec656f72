// The queueing forms: what is typed is told back, the copied request follows it, and a list shows before it is queued.
"use strict";

const pause = 200;

for (const form of document.querySelectorAll("form[data-endpoint]")) {
  let timer = 0;
  let turn = 0;
  const echo = async () => {
    const mine = ++turn;
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string") body.append(name, value);
    const answer = await fetch("/queue/echo", { method: "POST", body });
    if (!answer.ok || mine !== turn) return;
    const told = await answer.json();
    for (const place of form.querySelectorAll("[data-echo]")) {
      const one = told.echo[place.dataset.echo];
      const text = one?.text ?? "";
      if (place.textContent !== text) place.textContent = text;
      place.className = "echo" + (one ? (one.good ? " good" : " bad") : "");
      const input = form.elements[place.dataset.echo];
      if (one && !one.good) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
    const section = form.closest("section");
    for (const [language, text] of Object.entries(told.samples)) {
      const place = section.querySelector(`[data-sample="${language}"]`);
      if (place.textContent !== text) place.textContent = text;
    }
  };
  form.addEventListener("input", (event) => {
    if (event.target.type === "file") return;
    clearTimeout(timer);
    timer = setTimeout(echo, pause);
  });
  if ([...form.elements].some((one) => one.type !== "hidden" && one.type !== "file" && one.tagName === "INPUT" && one.value)) echo();
}

const file = document.getElementById("phone_list");
const preview = document.getElementById("preview");
const create = document.getElementById("create");
const createText = document.getElementById("create-text");
const campaign = file.form;

file.addEventListener("change", () => {
  preview.replaceChildren();
  create.textContent = "Preview the list";
  if (!file.files.length) return;
  const box = document.getElementById("upload");
  const bar = document.getElementById("upload-progress");
  const text = document.getElementById("upload-text");
  const body = new FormData();
  const account = campaign.elements.account;
  if (account) body.append("account", account.value);
  body.append("phone_list", file.files[0]);
  const request = new XMLHttpRequest();
  request.open("POST", "/queue/list");
  request.setRequestHeader("X-CSRF", document.querySelector("main").dataset.csrf);
  request.upload.addEventListener("progress", (event) => {
    bar.value = event.total ? event.loaded / event.total : 0;
    text.textContent = event.loaded < event.total ? `Uploading: ${Math.round(100 * bar.value)} %` : "Reading the list";
    if (event.loaded === event.total) bar.removeAttribute("value");
  });
  request.addEventListener("loadend", () => {
    box.hidden = true;
    if (request.status === 200) {
      const fresh = new DOMParser().parseFromString(request.responseText, "text/html");
      preview.replaceChildren(...fresh.body.childNodes);
      create.textContent = "Create campaign";
    } else {
      text.textContent = "The list could not be uploaded. Choose it again.";
      box.hidden = false;
    }
  });
  box.hidden = false;
  bar.value = 0;
  text.textContent = "Uploading";
  request.send(body);
});

campaign.addEventListener("submit", () => {
  if (!campaign.elements.list) return;
  file.disabled = true; // the list is at the gateway already
  setTimeout(() => { create.disabled = true; });
  createText.textContent = "Queueing";
  setInterval(async () => {
    const answer = await fetch("/queue/progress?name=" + encodeURIComponent(campaign.elements.campaign_name.value));
    const told = answer.ok ? await answer.json() : {};
    if (told.text) createText.textContent = told.text;
  }, 500);
});
