// Show a part of another page inside this one, submit its forms in place, and poll it while it is in progress.
// Without this script the element contains a link to that page.
import { announce } from "./live_region.js";

const POLL_MS = 2000;

/** Fetch the page that `container` names and show its part. With a `request` of a form, also show the messages of the response. */
async function show(container, request) {
  const response = await fetch(container.dataset.partial, { credentials: "same-origin", ...request });
  const fresh = response.ok ? new DOMParser().parseFromString(await response.text(), "text/html") : null;
  const partial = fresh?.querySelector("[data-partial]");
  if (!partial) {
    return showError(container, response.ok ? "You are logged out. Reload the page to log in." : "This part cannot be loaded. Reload the page.");
  }
  // A parsed copy runs no scripts, so its <noscript> elements would be visible.
  fresh.querySelectorAll("noscript").forEach((element) => element.remove());
  const before = container.querySelector("[data-message]")?.textContent;
  if (!request && container.querySelector("[data-in-progress]") && partial.querySelector("[data-in-progress]")) patch(container, partial);
  else replace(container, partial, request);
  const messages = request ? [...fresh.querySelectorAll("main > .message")] : [];
  container.querySelector("form")?.before(...messages);
  const after = container.querySelector("[data-message]")?.textContent;
  if (before !== undefined && (messages.length || after !== before)) {
    announce([...messages.map((message) => message.textContent), after].join(" "));
  }
}

/** Update only the elements that show progress, so that buttons stay where they are. */
function patch(container, partial) {
  const replacements = [...partial.querySelectorAll("[data-refresh]")];
  [...container.querySelectorAll("[data-refresh]")].forEach((old, position) => replacements[position] && old.replaceWith(replacements[position]));
}

function replace(container, partial, request) {
  const hadFocus = container.contains(document.activeElement);
  container.replaceChildren(...partial.childNodes);
  container.dataset.loaded = "";
  if (hadFocus || request) container.querySelector("[data-partial-focus]")?.focus();
}

function showError(container, text) {
  container.replaceChildren(Object.assign(document.createElement("p"), { className: "problem", textContent: text }));
  container.dataset.loaded = "";
  announce(text);
}

document.addEventListener("submit", (event) => {
  const container = event.target.closest("[data-partial]");
  if (!container) return;
  event.preventDefault();
  const body = new FormData(event.target, event.submitter);
  event.submitter.disabled = true;
  const unreachable = "The server cannot be reached. Check the connection, then reload the page.";
  show(container, { method: "POST", body }).catch(() => showError(container, unreachable));
});

async function tick() {
  if (!document.hidden) {
    const containers = [...document.querySelectorAll("[data-partial]")];
    const due = containers.filter((container) => !("loaded" in container.dataset) || container.querySelector("[data-in-progress]"));
    // If a request fails, the next poll tries again.
    await Promise.allSettled(due.map((container) => show(container)));
  }
  setTimeout(tick, POLL_MS);
}

tick();
