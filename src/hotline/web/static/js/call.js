// The agent's workplace by keyboard.  Suggestions, drafts and the caller's tickets come by htmx; nothing here waits for
// them, so that a call can be saved before they have arrived.

const form = document.getElementById("call-form");
const assist = document.getElementById("call-assist");
const similar = document.getElementById("call-similar");
const draft = document.getElementById("call-draft");
const matter = document.getElementById("matter");
const answer = document.getElementById("answer");
const phone = document.getElementById("caller_phone");
const words = document.getElementById("content_text");

function tellOfChange(field) {
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

// The agent's own choice of matter wins; the same key takes it back.
function pick(button) {
  matter.value = matter.value === button.dataset.pick ? "" : button.dataset.pick;
  tellOfChange(matter);
}

function quote(button) {
  document.getElementById("call-answer").open = true;
  answer.value = button.dataset.answer;
  document.getElementById("knowledge_entry").value = button.dataset.entry;
  answer.focus();
  tellOfChange(answer);
}

assist.addEventListener("click", (event) => {
  const button = event.target.closest("[data-pick]");
  if (button) pick(button);
});

similar.addEventListener("click", (event) => {
  const button = event.target.closest("[data-answer]");
  if (button) quote(button);
});

const BY_ALT = {
  Digit1: () => assist.querySelectorAll("[data-pick]")[0]?.click(),
  Digit2: () => assist.querySelectorAll("[data-pick]")[1]?.click(),
  Digit3: () => assist.querySelectorAll("[data-pick]")[2]?.click(),
  KeyM: () => similar.querySelector("[name=merge_into]")?.click(),
  KeyR: () => similar.querySelector("[data-answer]")?.click(),
  KeyP: () => phone.focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.altKey && !event.ctrlKey && !event.metaKey && BY_ALT[event.code]) {
    event.preventDefault();
    BY_ALT[event.code]();
  } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
  }
});

// Enter goes on to the next field: whoever types a number and presses it means that, not half a ticket.
form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.isComposing) return;
  if (!event.target.matches("input")) return;
  event.preventDefault();
  if (event.target === phone) {
    words.focus();
    return;
  }
  const fields = [...form.querySelectorAll("input:not([type=hidden]), textarea, select, button:not([type=button])")];
  fields[fields.indexOf(event.target) + 1]?.focus();
});

// A draft that could not be saved is tried again until it is; what is typed stays on the page meanwhile.
const TRY_AGAIN_MILLISECONDS = 3000;

function draftFailed(event) {
  if (event.detail.elt !== draft) return;
  if (event.detail.xhr?.status === 401) {
    draft.textContent = draft.dataset.expired;
    return;
  }
  draft.textContent = draft.dataset.lost;
  setTimeout(() => window.htmx.trigger(draft, "again"), TRY_AGAIN_MILLISECONDS);
}

for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.body.addEventListener(failure, draftFailed);
}
