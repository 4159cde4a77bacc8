// A report while it is made: asks how far it is, and opens it when it is there. And a file while it is written.

import { say } from "./words.js";

const ASK_MS = 700;
const AGAIN_MS = 3_000; // after no answer

const making = document.querySelector("[data-making]");
if (making) watch();

async function watch() {
  const said = making.querySelector("[data-said]");
  for (;;) {
    const told = await ask();
    said.hidden = Boolean(told);
    if (!told) said.textContent = say("report_offline");
    else if (told.state !== "running" && told.state !== "waiting") return location.reload();
    else show(told);
    await new Promise((resolve) => setTimeout(resolve, told ? ASK_MS : AGAIN_MS));
  }
}

async function ask() {
  try {
    const answer = await fetch(making.dataset.making);
    if (answer.status === 401) location.reload();
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

function show(told) {
  if (told.step) making.querySelector("[data-step]").textContent = say(`report_${told.step}`);
  const bar = making.querySelector("progress");
  if (told.of) {
    bar.max = told.of;
    bar.value = told.at;
    making.querySelector("[data-count]").textContent = `${told.at} / ${told.of}`;
  } else {
    bar.removeAttribute("value");
  }
}

// The file is fetched, so that the page can say that it is being written, and what went wrong.
for (const form of document.querySelectorAll("[data-file]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = document.querySelector("[data-file-said]");
    const button = form.querySelector("button");
    button.disabled = true;
    said.hidden = false;
    said.textContent = say("report_file");
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        headers: { accept: "application/json" },
      });
      if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error || String(answer.status));
      save(await answer.blob(), nameOf(answer));
      said.hidden = true;
    } catch (error) {
      said.textContent = say("report_file_failed", { why: error.message });
    }
    button.disabled = false;
  });
}

const nameOf = (answer) => decodeURIComponent((answer.headers.get("content-disposition") || "").split("''")[1] || "report");

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
