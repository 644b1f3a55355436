// Edit a scene's transcript in place. Without this script the link leads to a page with the same form.
import { announce } from "../heimdex/live_region.js";

const template = document.querySelector("[data-transcript-editor]");

function openEditor(place) {
  const form = template.content.firstElementChild.cloneNode(true);
  const id = `transcript-${place.dataset.number}`;
  const [label, text, cancel] = ["label", "textarea", "[data-cancel]"].map((selector) => form.querySelector(selector));
  label.htmlFor = text.id = id;
  label.textContent = `Transcript of scene ${place.dataset.number}`;
  text.value = place.querySelector("[data-text]").textContent;
  text.rows = Math.min(12, Math.max(2, Math.ceil(text.value.length / 70)));
  // The edit is based on the loaded text, even if the page is refreshed in the meantime.
  form.dataset.version = place.dataset.version;
  cancel.addEventListener("click", () => closeEditor(place, form, "Editing canceled."));
  form.addEventListener("keydown", (event) => {
    // Escape also cancels the composition of an input method.
    if (event.key === "Escape" && !event.isComposing) closeEditor(place, form, "Editing canceled.");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save(place, form).catch(() => showProblem(form, "The server cannot be reached. Check the connection, then save again."));
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
    place.querySelector("[data-text]").textContent = answer.transcript;
    place.dataset.version = form.dataset.version = answer.transcript_version;
    const current = answer.transcript ? `says: “${answer.transcript}”` : "is empty";
    return showProblem(form, `The transcript was changed elsewhere and now ${current}. Save again to replace it with your text.`);
  }
  if (response.status === 401 || response.status === 403) return showProblem(form, "You are logged out. Log in in another tab, then save again.");
  if (!response.ok) return showProblem(form, Object.values(answer).flat().join(" ") || `The server answered with status ${response.status}. Try again.`);
  place.querySelector("[data-text]").textContent = answer.transcript;
  place.dataset.version = answer.transcript_version;
  place.dataset.edited = answer.transcript_edited_at ? "yes" : "";
  closeEditor(place, form, "Saved. The new words can be searched now; the search index is being updated.");
  // The search index is out of date now. Load its part of the page again.
  document.querySelectorAll("[data-partial]").forEach((container) => delete container.dataset.loaded);
}

function showProblem(form, text) {
  const shown = form.querySelector("[data-problem]");
  shown.textContent = text;
  shown.hidden = false;
  form.querySelector("textarea").focus();
}

function closeEditor(place, form, message) {
  form.remove();
  const text = place.querySelector("[data-text]").textContent;
  for (const shown of place.children) shown.hidden = false;
  place.querySelector("[data-text]").hidden = !text;
  place.querySelector("[data-no-speech]").hidden = Boolean(text);
  if (place.dataset.edited) place.querySelector("[data-edited]").hidden = false;
  place.querySelector("[data-edit]").focus();
  announce(message);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-edit]");
  // A click with a modifier key opens a new tab or window.
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openEditor(link.closest("[data-transcript]"));
});
