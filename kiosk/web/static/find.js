// Looking somebody up: by name, initials, class or number, and opening a child's page beside the queue.

import { say } from "./words.js";

const PAUSE_MS = 180;

export function startFind(showFound) {
  const form = document.getElementById("search");
  const text = document.getElementById("search-text");
  const results = document.getElementById("search-results");
  let timer = 0;
  let asked = 0;

  const clear = () => {
    asked += 1;
    results.hidden = true;
    results.replaceChildren();
  };
  const note = (words) => {
    const line = document.createElement("p");
    line.className = "soft";
    line.textContent = words;
    results.replaceChildren(line);
  };
  const look = async () => {
    const wanted = text.value.trim();
    if (!wanted) return clear();
    const mine = ++asked;
    results.hidden = false;
    if (!results.firstChild) note(say("searching"));
    const html = await page(`/search?q=${encodeURIComponent(wanted)}`);
    if (mine !== asked) return; // a later letter was faster
    if (html === null) note(say("search_failed"));
    else results.innerHTML = html;
  };

  text.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_MS);
  });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    text.value = "";
    clear();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    look();
  });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-open-child]");
    if (!button) return;
    const html = await page(`/child/${encodeURIComponent(button.dataset.openChild)}`);
    if (html === null) return note(say("search_failed"));
    showFound(html, button.dataset.openForm);
    text.value = "";
    clear();
  });
  openNamed(showFound);
}

// A link from another page, such as the muster list, names the child to open.
async function openNamed(showFound) {
  const child = new URLSearchParams(location.search).get("child");
  const html = child && (await page(`/child/${encodeURIComponent(child)}`));
  if (html) showFound(html);
}

async function page(url) {
  try {
    const answer = await fetch(url, { headers: { accept: "text/html" } });
    if (answer.status === 401) location.reload();
    return answer.ok ? await answer.text() : null;
  } catch {
    return null;
  }
}
