// What every page does by keyboard: "/" goes to the search box, "?" lists the keys, Escape leaves either.
// What has a data-key is clicked by that key.

const search = document.getElementById("house-search-box");
const help = document.getElementById("house-shortcuts");

function isTyping(target) {
  return target.isContentEditable || target.matches("input, textarea, select");
}

function showHelp() {
  if (help && !help.open) help.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape" && event.target === search) search.blur();
  if (isTyping(event.target)) return;
  if (event.key === "/" && search) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "?") {
    event.preventDefault();
    showHelp();
  } else {
    // Whatever names a key of its own is clicked by it.
    const named = event.key.length === 1 && document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!named) return;
    event.preventDefault();
    named.click();
  }
});

document.getElementById("house-shortcuts-open")?.addEventListener("click", showHelp);

// A form that is being sent is not sent again by a second click; its key makes that harmless, this makes it quiet.
const QUIET_MILLISECONDS = 4000;
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "dialog" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent === "yes") {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  // A download leaves the page standing, and then the form may be sent again.
  setTimeout(() => delete form.dataset.sent, QUIET_MILLISECONDS);
});

// So may one on a page that comes back from the browser's memory.
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

// What looks again by itself does not do so under the hands of who types in it.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const part = event.detail.target;
  if (part.hasAttribute("data-looks-again") && part.contains(document.activeElement) && isTyping(document.activeElement)) {
    event.detail.shouldSwap = false;
  }
});
