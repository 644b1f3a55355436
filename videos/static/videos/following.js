// Follow the videos that are being processed: ask the status endpoint every two seconds until each is ready or has failed.
import { announce, renew } from "./live.js";

const EVERY_MS = 2000;
const MOVING = ["validating", "processing"];
const words = JSON.parse(document.getElementById("stage-words").textContent);

async function follow(element) {
  const response = await fetch(element.dataset.statusUrl, { credentials: "same-origin" });
  if (response.status === 401 || response.status === 403) return stop(element, "You are logged out. Reload the page to log in.");
  if (response.status === 404) return stop(element, "This video was deleted.");
  if (!response.ok) return;
  const status = await response.json();
  const title = element.dataset.title;
  if (!MOVING.includes(status.state)) {
    await renew(element.dataset.follow);
    return announce(status.state === "failed" ? `${title} failed: ${status.error}` : `${title} is ready.`);
  }
  const waiting = status.stages.every((stage) => stage.state === "queued");
  const text = waiting ? words.waiting : (words[status.stage] ?? status.stage);
  element.querySelector("[data-percent]").textContent = `${status.progress} %`;
  element.querySelector("progress").value = status.progress;
  const shown = element.querySelector("[data-words]");
  if (shown.textContent !== text) {
    shown.textContent = text;
    announce(`${title}: ${text}`);
  }
}

function stop(element, why) {
  element.removeAttribute("data-follow");
  element.querySelector("[data-words]").textContent = why;
  element.querySelector("[data-percent]").remove();
  element.querySelector("progress").remove();
}

async function tick() {
  if (!document.hidden) {
    // One that cannot be reached now is asked again in two seconds; the others go on.
    await Promise.allSettled([...document.querySelectorAll("[data-follow]")].map(follow));
  }
  setTimeout(tick, EVERY_MS);
}

setTimeout(tick, EVERY_MS);
