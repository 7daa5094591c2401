// A queue by keyboard: j and k go from row to row, Enter opens (the row's link has the focus), s signs, x marks.

const rows = [...document.querySelectorAll("[data-row]")];

function present() {
  return rows.findIndex((row) => row.contains(document.activeElement));
}

function go(step) {
  const at = present();
  const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1);
  rows[next]?.querySelector("a[href]")?.focus();
}

const KEYS = {
  j: () => go(1),
  k: () => go(-1),
  s: () => rows[present()]?.querySelector("[data-sign]")?.click(),
  x: () => rows[present()]?.querySelector("input[type=checkbox]")?.click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !KEYS[event.key]) return;
  if (event.target.matches("textarea, select, input:not([type=checkbox])")) return;
  event.preventDefault();
  KEYS[event.key]();
});

const all = document.getElementById("queue-all");
all?.addEventListener("change", () => {
  for (const box of document.querySelectorAll("#queue input[name=number]")) box.checked = all.checked;
});
