// Sheets over the roster: a menu, a choice of places or colleagues. A sheet is made when it opens and stays as it is while
// news arrive: nothing moves under the thumb.

import { say } from "./words.js";

const sheet = document.getElementById("sheet");

export function make(tag, { text, on, ...rest } = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(rest)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  if (text !== undefined) element.textContent = text;
  for (const [name, act] of Object.entries(on ?? {})) element.addEventListener(name, act);
  element.append(...inside.filter(Boolean));
  return element;
}

export function open(title, ...inside) {
  const close = make("button", { type: "button", class: "quiet sheet-close", text: "×", "aria-label": say("close"), on: { click: shut } });
  sheet.replaceChildren(make("header", { class: "sheet-head" }, make("h2", { id: "sheet-title", text: title }), close), ...inside);
  sheet.setAttribute("aria-labelledby", "sheet-title");
  if (!sheet.open) sheet.showModal();
  document.documentElement.classList.add("has-sheet");
}

export function shut() {
  sheet.close();
}

sheet?.addEventListener("close", () => {
  document.documentElement.classList.remove("has-sheet");
  sheet.replaceChildren();
});
sheet?.addEventListener("click", (event) => event.target === sheet && shut());

// --- choices ---------------------------------------------------------------------------------------------

export function openMenu(title, items) {
  const list = make("div", { class: "menu-list" });
  for (const item of items) list.append(item.cloneNode(true));
  open(title, list);
}

export function openPlaces({ title, places, other, done, word }) {
  const line = make("p", { class: "said", role: "status", "data-said": true });
  const send = async (place) => {
    if (!place) return;
    const said = await done(place);
    if (said.outcome === "refused") line.textContent = said.words;
    else shut();
  };
  const chips = places.map((place) => make("button", { type: "button", class: "button", text: place, on: { click: () => send(place) } }));
  const text = make("input", { name: "place", maxlength: "60", autocomplete: "off", placeholder: other, "aria-label": other });
  const form = make(
    "form",
    { class: "sheet-other", on: { submit: (event) => (event.preventDefault(), send(text.value.trim())) } },
    text,
    make("button", { type: "submit", class: "button button-strong", text: word }),
  );
  open(title, make("div", { class: "sheet-body" }, make("div", { class: "sheet-places" }, ...chips), form, line));
}

export function openColleagues(title, then) {
  const people = JSON.parse(document.querySelector("[data-colleagues]")?.dataset.colleagues || "[]");
  const list = make("div", { class: "menu-list" });
  const nobody = make("p", { class: "soft", text: say("nobody_found"), hidden: true });
  for (const [number, name] of people)
    list.append(make("button", { type: "button", class: "button menu-item", text: name, on: { click: () => then({ number, name }) } }));
  const text = make("input", {
    type: "search", placeholder: say("filter"), "aria-label": say("filter"), autocomplete: "off",
    on: {
      input: () => {
        for (const item of list.children) item.hidden = !item.textContent.includes(text.value.trim());
        nobody.hidden = [...list.children].some((item) => !item.hidden);
      },
    },
  });
  open(title, make("div", { class: "sheet-body" }, people.length > 8 ? text : null, list, nobody));
}
