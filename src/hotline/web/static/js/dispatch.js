// The dispatcher's desk by keyboard: 1 to 3 choose, 0 searches, Enter dispatches, s splits, m merges.

const form = document.getElementById("decide");
const search = document.getElementById("desk-search");
const found = document.getElementById("desk-found");

function choose(radio) {
  if (!radio) return;
  radio.checked = true;
  radio.focus();
}

function openStep(action) {
  const details = document.querySelector(`form[data-step="${action}"]`)?.closest("details");
  if (!details) return;
  details.open = true;
  details.querySelector("textarea, input:not([type=hidden])")?.focus();
}

const KEYS = {
  1: () => choose(form.querySelectorAll("fieldset:first-of-type input[name=matter]")[0]),
  2: () => choose(form.querySelectorAll("fieldset:first-of-type input[name=matter]")[1]),
  3: () => choose(form.querySelectorAll("fieldset:first-of-type input[name=matter]")[2]),
  0: () => search.focus(),
  s: () => openStep("split"),
  m: () => openStep("merge"),
};

document.addEventListener("keydown", (event) => {
  if (!form || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.matches("textarea, select, input:not([type=radio])")) return;
  if (event.key === "Enter" && !event.target.matches("a, button, summary, input")) {
    event.preventDefault();
    form.requestSubmit();
  } else if (KEYS[event.key]) {
    event.preventDefault();
    KEYS[event.key]();
  }
});

// In the search box Enter takes the first of what was found, so that nothing is dispatched unseen; Enter again sends it.
search?.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "Enter" || event.key === "ArrowDown") {
    event.preventDefault();
    choose(found.querySelector("input[name=matter]"));
  }
});
