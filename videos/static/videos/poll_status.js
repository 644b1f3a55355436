// Poll the status of videos in progress every two seconds, until each is ready or has failed.
import { announce, refresh } from "../heimdex/live_region.js";

const POLL_MS = 2000;
const PROCESSING_STATES = ["validating", "processing"];
const labels = JSON.parse(document.getElementById("status-labels").textContent);

async function poll(element) {
  const response = await fetch(element.dataset.statusUrl, { credentials: "same-origin" });
  if (response.status === 401 || response.status === 403) return stop(element, "You are logged out. Reload the page to log in.");
  if (response.status === 404) return stop(element, "This video was deleted.");
  if (!response.ok) return;
  const status = await response.json();
  const title = element.dataset.title;
  if (!PROCESSING_STATES.includes(status.state)) {
    await refresh(element.dataset.poll);
    return announce(status.state === "failed" ? `${title} failed: ${status.error}` : `${title} is ready.`);
  }
  const isWaiting = status.stages.every((stage) => stage.state === "queued");
  const text = isWaiting ? labels.waiting : (labels[status.stage] ?? status.stage);
  element.querySelector("[data-percent]").textContent = `${status.progress} %`;
  element.querySelector("progress").value = status.progress;
  const label = element.querySelector("[data-label]");
  if (label.textContent !== text) {
    label.textContent = text;
    announce(`${title}: ${text}`);
  }
}

function stop(element, reason) {
  element.removeAttribute("data-poll");
  element.querySelector("[data-label]").textContent = reason;
  element.querySelector("[data-percent]").remove();
  element.querySelector("progress").remove();
}

async function tick() {
  if (!document.hidden) {
    // If a request fails, the next poll tries again; the others go on.
    await Promise.allSettled([...document.querySelectorAll("[data-poll]")].map(poll));
  }
  setTimeout(tick, POLL_MS);
}

setTimeout(tick, POLL_MS);
