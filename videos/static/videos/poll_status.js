// Poll the status of videos in progress until each is ready or has failed.
import { announce, refresh } from "../heimdex/live_region.js";
import { getEndReason, startPolling } from "../heimdex/poll.js";

const PROCESSING_STATES = ["validating", "processing"];
const labels = JSON.parse(document.getElementById("status-labels").textContent);

async function poll(element) {
  const response = await fetch(element.dataset.statusUrl, { credentials: "same-origin" });
  const end = getEndReason(response, "video");
  if (end) return stop(element, end);
  if (!response.ok) return;
  const status = await response.json();
  const title = element.dataset.title;
  if (!PROCESSING_STATES.includes(status.state)) {
    await refresh(element.dataset.poll);
    return announce(status.state === "failed" ? `${title} failed: ${status.error}` : `${title} is ready.`);
  }
  const isWaiting = status.stages.every((stage) => stage.state === "queued");
  const wait = element.querySelector("[data-wait]");
  wait.textContent = status.wait_text ?? "";
  wait.hidden = !status.wait_text;
  const text = status.wait_label ? status.wait_label : isWaiting ? labels.waiting : (labels[status.stage] ?? status.stage);
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
  element.querySelector("[data-wait]").remove();
}

// If one request fails, the others go on.
startPolling((elements) => Promise.allSettled(elements.map(poll)));
