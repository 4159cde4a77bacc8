// The words that scripts show, handed over by the page in its own language.

const words = JSON.parse(document.querySelector('meta[name="words"]')?.content || "{}");

export function say(key, values = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
