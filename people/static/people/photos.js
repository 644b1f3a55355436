// Poll the photos in progress until each is ready or has failed.
import { announce, refresh } from "../heimdex/live_region.js";
import { getEndReason, startPolling } from "../heimdex/poll.js";

async function pollPhotos(pending) {
  const list = document.querySelector("[data-photos-url]");
  const response = await fetch(`${list.dataset.photosUrl}?page_size=200`, { credentials: "same-origin" });
  const end = getEndReason(response, "person");
  if (end) return stopPolling(pending, end);
  if (!response.ok) return;
  const photos = new Map((await response.json()).results.map((photo) => [photo.id, photo]));
  const hasChanged = (shown, photo) => photo?.state !== shown.state || photo.waits_for !== shown.waitsFor;
  const changed = pending.filter((element) => hasChanged(element.dataset, photos.get(element.dataset.poll)));
  for (const element of changed) {
    const photo = photos.get(element.dataset.poll);
    if (!photo) {
      await refresh("photos");
      break;
    }
    await refresh(photo.id);
    if (photo.state === "ready") announce(`${element.dataset.name} is ready.`);
    if (photo.state === "failed") announce(`${element.dataset.name} cannot be used: ${photo.error_text}`);
  }
  if (changed.length) await refresh("status");
}

function stopPolling(pending, reason) {
  for (const element of pending) {
    element.removeAttribute("data-poll");
    element.querySelector(".badge").textContent = reason;
  }
}

startPolling(pollPhotos);
