// The ticket page: tell colleagues when somebody begins to type here, and go to the likeliest step by keyboard.

document.addEventListener("input", (event) => {
  const editing = document.getElementById("presence-editing");
  if (!editing || editing.value === "yes" || !event.target.closest("form[data-step]")) return;
  editing.value = "yes";
  document.getElementById("presence").dispatchEvent(new Event("tell"));
});

// Sections with one name close one another in new browsers; older ones learn it here.
document.addEventListener(
  "toggle",
  (event) => {
    if (!event.target.matches("details[name]") || !event.target.open) return;
    for (const other of document.querySelectorAll(`details[name="${CSS.escape(event.target.getAttribute("name"))}"]`)) {
      if (other !== event.target) other.open = false;
    }
  },
  true,
);

document.addEventListener("keydown", (event) => {
  if (event.key !== "g" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, textarea, select")) return;
  const step = document.querySelector("details.todo[open]") ?? document.querySelector("form.todo-plain, details.todo");
  if (!step) return;
  event.preventDefault();
  step.scrollIntoView({ block: "nearest" });
  step.querySelector("textarea, select, input:not([type=hidden]), button")?.focus();
});

// A similar ticket's number or reply goes into the form that takes it, behind what stands there already.
function fill(selector, words) {
  const field = document.querySelector(selector);
  if (!field) return;
  field.closest("details").open = true;
  field.value = field.tagName === "TEXTAREA" && field.value.trim() ? `${field.value}\n${words}` : words;
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.mergeInto) fill("#merge-into", button.dataset.mergeInto);
  else if (button?.dataset.quote) fill("#reply-text, #answer-answer", button.dataset.quote);
});
