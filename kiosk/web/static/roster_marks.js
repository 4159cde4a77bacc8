// The marks of a roster: what the teacher has said and the gate has not got yet, and what each row shows.

export const HERE = new Set(["present", "late"]);
const LEAVE = new Set(["leave_personal", "leave_sick"]);

export const page = document.querySelector(".roster[data-roster]");
const key = page ? `marks:${page.dataset.roster}:${page.dataset.day}` : "";

export function drafts() {
  try {
    return JSON.parse(localStorage.getItem(key) || "{}");
  } catch {
    return {};
  }
}

export function keep(marks) {
  if (Object.keys(marks).length) localStorage.setItem(key, JSON.stringify(marks));
  else localStorage.removeItem(key);
}

export const rows = () => [...document.querySelectorAll("#roster-rows > .row[data-child]")];
export const rowOf = (child) => document.getElementById(`row-${child}`);
const equal = (a, b) => a === b || (LEAVE.has(a) && LEAVE.has(b));

export function paint(row, draft) {
  const spoken = draft ?? row.dataset.mark;
  const mark = spoken || row.dataset.suggested;
  row.toggleAttribute("data-spoken", Boolean(spoken));
  row.querySelector("[data-undo]").hidden = draft === undefined;
  for (const radio of row.querySelectorAll('input[type="radio"]')) radio.checked = equal(radio.value, mark);
  row.dataset.now = mark;
}

export function mark(row, value) {
  const marks = drafts();
  if (value === undefined || (row.dataset.mark && equal(value, row.dataset.mark))) delete marks[row.dataset.child];
  else marks[row.dataset.child] = value;
  keep(marks);
  paint(row, marks[row.dataset.child]);
  return marks;
}

export function allMarks() {
  const marks = {};
  for (const row of rows()) if (row.dataset.now) marks[row.dataset.child] = row.dataset.now;
  return marks;
}

// Of the roll: how many are here, and how many of those who belong are not.
export function rollCount() {
  let here = 0;
  let others = 0;
  for (const { dataset } of rows()) {
    if (HERE.has(dataset.now)) here += 1;
    else if (dataset.expected === "1" || dataset.here === "1") others += 1;
  }
  return { here, others };
}

// Of a count: child -> why not here. "" where that is still to be named. What the teacher has marked counts over what the gate knew.
export function awayOf(task) {
  const said = drafts();
  const away = new Map(Object.entries(task.away));
  for (const child of task.children.map(String)) {
    const draft = said[child];
    if (draft === undefined) continue;
    if (!HERE.has(draft)) away.set(child, away.get(child) || "");
    else if (rowOf(child)?.dataset.campus === "1") away.delete(child);
  }
  return new Map(task.children.map(String).filter((child) => away.has(child)).map((child) => [child, away.get(child)]));
}
