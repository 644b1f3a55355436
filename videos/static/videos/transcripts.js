// Edit a scene's transcript where it stands. Without this script the link leads to a page with the same form.
import { announce } from "./live.js";

const template = document.querySelector("[data-transcript-editor]");

function open(place) {
  const form = template.content.firstElementChild.cloneNode(true);
  const id = `transcript-${place.dataset.number}`;
  const [label, text, cancel] = ["label", "textarea", "[data-cancel]"].map((selector) => form.querySelector(selector));
  label.htmlFor = text.id = id;
  label.textContent = `What is said in scene ${place.dataset.number}`;
  text.value = place.querySelector("[data-said]").textContent;
  text.rows = Math.min(12, Math.max(2, Math.ceil(text.value.length / 70)));
  // What was loaded is what is changed, even if the page is refreshed meanwhile.
  form.dataset.version = place.dataset.version;
  cancel.addEventListener("click", () => close(place, form, "Editing cancelled."));
  form.addEventListener("keydown", (event) => {
    // Escape also ends what an input method has begun.
    if (event.key === "Escape" && !event.isComposing) close(place, form, "Editing cancelled.");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save(place, form).catch(() => problem(form, "The server cannot be reached. Check the connection, then save again."));
  });
  for (const shown of place.children) shown.hidden = true;
  place.append(form);
  text.focus();
}

async function save(place, form) {
  const button = form.querySelector("button");
  button.disabled = true;
  const response = await fetch(place.dataset.apiUrl, {
    method: "PATCH",
    credentials: "same-origin",
    headers: {
      "Content-Type": "application/json",
      "X-CSRFToken": form.querySelector("[name=csrfmiddlewaretoken]").value,
      "If-Match": `"${form.dataset.version}"`,
    },
    body: JSON.stringify({ text: form.elements.text.value }),
  }).finally(() => (button.disabled = false));
  const answer = await response.json().catch(() => ({}));
  if (response.status === 412) {
    place.querySelector("[data-said]").textContent = answer.transcript;
    place.dataset.version = form.dataset.version = answer.transcript_version;
    const now = answer.transcript ? `says: “${answer.transcript}”` : "is empty";
    return problem(form, `The transcript was changed elsewhere and now ${now} – Save again to replace it by your text.`);
  }
  if (response.status === 401 || response.status === 403) return problem(form, "You are logged out. Log in in another tab, then save again.");
  if (!response.ok) return problem(form, Object.values(answer).flat().join(" ") || `The server answered with status ${response.status}. Try again.`);
  place.querySelector("[data-said]").textContent = answer.transcript;
  place.dataset.version = answer.transcript_version;
  place.dataset.edited = answer.transcript_edited_at ? "yes" : "";
  close(place, form, "Saved. Search finds the new words at once; the rest of its search data follows.");
  // The search data are out of date now, and their part of the page says so.
  document.querySelectorAll("[data-part]").forEach((part) => delete part.dataset.loaded);
}

function problem(form, text) {
  const shown = form.querySelector("[data-problem]");
  shown.textContent = text;
  shown.hidden = false;
  form.querySelector("textarea").focus();
}

function close(place, form, why) {
  form.remove();
  const said = place.querySelector("[data-said]").textContent;
  for (const shown of place.children) shown.hidden = false;
  place.querySelector("[data-said]").hidden = !said;
  place.querySelector("[data-silent]").hidden = Boolean(said);
  if (place.dataset.edited) place.querySelector("[data-edited]").hidden = false;
  place.querySelector("[data-edit]").focus();
  announce(why);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-edit]");
  // A click with a modifier opens a new tab or window, which is the browser's business.
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(link.closest("[data-transcript]"));
});
