// Show a part of another page within this one, send its forms without leaving, and keep it fresh while it moves.
// Without this script its place holds a link to that page.
import { announce } from "./live.js";

const EVERY_MS = 2000;

/** Fetch the page that `place` names and show its part there; a `request` of a form brings what came of it, too. */
async function show(place, request) {
  const response = await fetch(place.dataset.part, { credentials: "same-origin", ...request });
  const fresh = response.ok ? new DOMParser().parseFromString(await response.text(), "text/html") : null;
  const part = fresh?.querySelector("[data-part]");
  if (!part) return say(place, response.ok ? "You are logged out. Reload the page to log in." : "This cannot be shown now. Reload the page.");
  // A parsed copy runs no scripts, so it would show what is meant for browsers without them.
  fresh.querySelectorAll("noscript").forEach((element) => element.remove());
  const before = place.querySelector("[data-says]")?.textContent;
  if (!request && place.querySelector("[data-moving]") && part.querySelector("[data-moving]")) patch(place, part);
  else replace(place, part, request);
  const results = request ? [...fresh.querySelectorAll("main > .message")] : [];
  place.querySelector("form")?.before(...results);
  const says = place.querySelector("[data-says]")?.textContent;
  if (before !== undefined && (results.length || says !== before)) announce([...results.map((one) => one.textContent), says].join(" "));
}

/** Renew only what tells how far it is, so that what a person is about to press stays where it is. */
function patch(place, part) {
  const replacements = [...part.querySelectorAll("[data-fresh]")];
  [...place.querySelectorAll("[data-fresh]")].forEach((old, number) => replacements[number] && old.replaceWith(replacements[number]));
}

function replace(place, part, request) {
  const hadFocus = place.contains(document.activeElement);
  place.replaceChildren(...part.childNodes);
  place.dataset.loaded = "";
  if (hadFocus || request) place.querySelector("[data-part-focus]")?.focus();
}

function say(place, text) {
  place.replaceChildren(Object.assign(document.createElement("p"), { className: "problem", textContent: text }));
  place.dataset.loaded = "";
  announce(text);
}

document.addEventListener("submit", (event) => {
  const place = event.target.closest("[data-part]");
  if (!place) return;
  event.preventDefault();
  const body = new FormData(event.target, event.submitter);
  event.submitter.disabled = true;
  const unreachable = "The server cannot be reached. Check the connection, then reload the page.";
  show(place, { method: "POST", body }).catch(() => say(place, unreachable));
});

async function tick() {
  if (!document.hidden) {
    const places = [...document.querySelectorAll("[data-part]")];
    const due = places.filter((place) => !("loaded" in place.dataset) || place.querySelector("[data-moving]"));
    // One that cannot be reached now is asked again in two seconds.
    await Promise.allSettled(due.map((place) => show(place)));
  }
  setTimeout(tick, EVERY_MS);
}

tick();
