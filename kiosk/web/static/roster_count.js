// A count: a number, the list, and whoever is not there named with a reason before anything is sent. It shows what was so
// when it opened; what the gate says to the press decides.

import { awayOf, rowOf } from "./roster_marks.js";
import { make, open, openColleagues, shut } from "./roster_sheet.js";
import { say } from "./words.js";

const SETTLE_MS = 500; // a second touch of the button that opened the sheet is not yet a yes
const sheet = document.getElementById("sheet");

// done(act, body, {here, missing, label}) -> what the gate said, or that it waits.
export function openCount(task, words, done) {
  if (task.choose !== "colleague" || task.body.taker) return new Count(task, words, done).open();
  openColleagues(say("to_whom"), ({ number, name }) =>
    new Count({ ...task, body: { ...task.body, taker: number }, title: `${task.title} · ${name}` }, words, done).open(),
  );
}

class Count {
  constructor(task, words, done) {
    Object.assign(this, { task, words, done });
    this.children = task.children.map(String);
    this.away = awayOf(task);
    this.typed = null;
    this.asking = null;
    this.names = new Map(task.others.map(([child, name, seat]) => [String(child), { name, seat }]));
  }

  open() {
    this.tiles = new Map(this.children.map((child) => [child, this.tile(child)]));
    this.number = make("input", {
      name: "counted", type: "number", inputmode: "numeric", min: "0", max: "400", "aria-label": say("you_count"),
      on: { input: () => this.type(this.number.value === "" ? null : Number(this.number.value)) },
    });
    this.foot = make("footer", { class: "sheet-foot" });
    const step = (by, label, sign) =>
      make("button", { type: "button", class: "button step", "aria-label": label, text: sign, on: { click: () => this.type(this.counted() + by) } });
    const count = make(
      "div",
      { class: "sheet-count" },
      make("span", { text: say("you_count") }),
      step(-1, say("less"), "−"),
      this.number,
      step(1, say("add"), "+"),
      make("span", { class: "soft num", text: say("of_list", { n: this.children.length }) }),
    );
    const list = make("ol", { class: "sheet-list", "aria-label": say("tap_away") }, ...this.tiles.values());
    open(this.task.title, make("div", { class: "sheet-body" }, this.choice(), count, list), this.foot);
    this.opened = Date.now();
    this.paint();
    setTimeout(() => this.go && this.paint(), SETTLE_MS);
  }

  known(child) {
    const row = rowOf(child);
    const name = row?.querySelector(".row-name")?.textContent ?? this.names.get(child)?.name ?? child;
    const seat = row?.querySelector(".row-seat .num")?.textContent ?? this.names.get(child)?.seat ?? "";
    return { name, seat, off: row?.dataset.campus === "0" };
  }

  tile(child) {
    const { name, seat, off } = this.known(child);
    const press = make(
      "button",
      { type: "button", class: "tile", "data-tile": child, disabled: off && this.away.has(child), on: { click: () => this.toggle(child) } },
      make("span", { class: "num tile-seat", text: seat }),
      make("b", { text: name }),
      make("small", {}),
    );
    return make("li", {}, press);
  }

  // A gate or a venue is asked on the same sheet: nothing more to read than one line.
  choice() {
    const { choose, body } = this.task;
    if (choose === "gate") {
      const gates = JSON.parse(document.querySelector("[data-gates]")?.dataset.gates || "[]");
      const chips = gates.map(([gate, name]) =>
        make(
          "label",
          { class: "chip" },
          make("input", { type: "radio", name: "gate", value: gate, checked: gate === body.gate }),
          make("span", { text: name }),
        ),
      );
      return make("fieldset", { class: "sheet-choice" }, make("legend", { text: say("which_gate") }), make("div", { class: "chips" }, ...chips));
    }
    if (choose !== "venue") return null;
    const recent = venues();
    const text = make("input", { name: "venue", maxlength: "60", autocomplete: "off", placeholder: say("venue"), "aria-label": say("which_venue"), on: { input: () => this.paint() } });
    const chips = recent.map((venue) =>
      make("button", { type: "button", class: "button", text: venue, on: { click: () => ((text.value = venue), this.paint()) } }),
    );
    return make("fieldset", { class: "sheet-choice" }, make("legend", { text: say("which_venue") }), text, chips.length ? make("div", { class: "chips" }, ...chips) : null);
  }

  here() {
    return this.children.filter((child) => !this.away.has(child));
  }

  counted() {
    return this.typed ?? this.here().length;
  }

  type(number) {
    this.typed = number === null ? null : Math.max(0, number);
    this.paint();
  }

  toggle(child) {
    if (this.away.has(child) && this.asking === child) this.is(child, null);
    else if (this.away.has(child)) this.asking = child;
    else {
      this.away.set(child, "");
      this.asking = child;
    }
    this.paint();
  }

  is(child, why) {
    if (why === null) this.away.delete(child);
    else this.away.set(child, why);
    this.asking = null;
    this.paint();
  }

  unnamed() {
    return [...this.away].filter(([, why]) => !why).map(([child]) => child);
  }

  paint() {
    if (document.activeElement !== this.number) this.number.value = this.counted();
    const open_ = this.unnamed();
    this.asking ??= open_[0] ?? null;
    for (const [child, item] of this.tiles) {
      const why = this.away.get(child);
      const tile = item.firstChild;
      tile.setAttribute("aria-pressed", String(why !== undefined));
      tile.toggleAttribute("data-asking", this.asking === child);
      tile.lastChild.textContent = why ? (this.words[why] ?? why) : "";
    }
    this.foot.replaceChildren(...(this.asking ? this.ask(open_.length) : this.finish()));
  }

  ask(left) {
    const child = this.asking;
    const { name } = this.known(child);
    const chips = this.task.reasons.map((why) =>
      make("button", { type: "button", class: `button why${why === "missing" ? " why-missing" : ""}`, "aria-pressed": String(this.away.get(child) === why), text: this.words[why], on: { click: () => this.is(child, why) } }),
    );
    const here = make("button", { type: "button", class: "button why-here", text: say("is_here"), on: { click: () => this.is(child, null) } });
    return [
      make("p", { class: "sheet-ask" }, make("b", { text: say("where_is", { name }) }), left > 1 ? make("span", { class: "soft num", text: say("left_to_name", { n: left }) }) : null),
      make("div", { class: "whys" }, ...chips, here),
      make("p", { class: "soft", text: say("missing_starts") }),
    ];
  }

  finish() {
    const here = this.here();
    const off = this.counted() - here.length;
    const blocked = this.task.choose === "venue" && !this.value("venue");
    const problem = off < 0 ? say("too_few", { n: -off }) : off > 0 ? say("too_many", { n: off }) : "";
    const none = !here.length && !["accept", "end_escort", "bring_back"].includes(this.task.act);
    const settled = Date.now() - this.opened >= SETTLE_MS;
    this.go = make(
      "button",
      { type: "button", class: "big big-go", "data-go": true, disabled: Boolean(off) || blocked || none || !settled, on: { click: () => this.send() } },
      make("span", { text: this.task.go.replace("{n}", here.length) }),
      this.away.size ? make("span", { class: "act-except", text: say("exceptions", { n: this.away.size }) }) : null,
    );
    const keeps = this.away.size && this.task.keeps ? make("p", { class: "soft", text: this.task.keeps }) : null;
    this.line = make("p", { class: "said", role: "status", "data-said": true });
    return [problem ? make("p", { class: "sheet-problem", role: "alert", text: problem }) : (keeps ?? make("p", { class: "soft", text: say("tap_away") })), this.line, this.go];
  }

  value(name) {
    const field = sheet.querySelector(name === "gate" ? '[name="gate"]:checked' : `[name="${name}"]`);
    return field?.value.trim() ?? "";
  }

  body() {
    const { act, body } = this.task;
    const here = this.here();
    const said = { ...body, counted: here.length, exceptions: Object.fromEntries(this.away) };
    if (act === "offer") said.children = here.map(Number);
    if (act === "start_escort" || act === "take_out") said.children = this.children.map(Number);
    if (this.task.choose === "gate") said.gate = this.value("gate") || body.gate;
    if (this.task.choose === "venue") said.venue = this.value("venue");
    return said;
  }

  async send() {
    const body = this.body();
    if (body.venue) keepVenue(body.venue);
    const missing = [...this.away].filter(([, why]) => why === "missing").map(([child]) => this.known(child).name);
    this.go.disabled = true;
    this.go.setAttribute("aria-busy", "true");
    const said = await this.done(this.task.act, body, { here: this.here(), missing, label: `${this.task.label} · ${body.counted}` });
    if (said.outcome !== "refused") return shut();
    this.go.removeAttribute("aria-busy");
    this.line.dataset.outcome = "refused";
    this.line.textContent = `${said.words}。${say("recount")}`;
  }
}

// --- venues that this device has been told ------------------------------------------------------------------

const VENUES = "venues";
const MOST_VENUES = 4;

function venues() {
  try {
    return JSON.parse(localStorage.getItem(VENUES) || "[]");
  } catch {
    return [];
  }
}

function keepVenue(venue) {
  localStorage.setItem(VENUES, JSON.stringify([venue, ...venues().filter((known) => known !== venue)].slice(0, MOST_VENUES)));
}
