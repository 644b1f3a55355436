// Follow the photos that are being looked at: ask for the list every two seconds until each is ready or has failed.
import { announce, renew } from "../videos/live.js";

const EVERY_MS = 2000;

async function follow(moving) {
  const list = document.querySelector("[data-photos-url]");
  const response = await fetch(`${list.dataset.photosUrl}?page_size=200`, { credentials: "same-origin" });
  if (response.status === 401 || response.status === 403) return stop(moving, "You are logged out. Reload the page to log in.");
  if (response.status === 404) return stop(moving, "This person was deleted.");
  if (!response.ok) return;
  const photos = new Map((await response.json()).results.map((photo) => [photo.id, photo]));
  const changed = moving.filter((element) => photos.get(element.dataset.follow)?.state !== element.dataset.state);
  for (const element of changed) {
    const photo = photos.get(element.dataset.follow);
    if (!photo) {
      await renew("photos");
      break;
    }
    await renew(photo.id);
    if (photo.state === "ready") announce(`${element.dataset.name} is ready.`);
    if (photo.state === "failed") announce(`${element.dataset.name} cannot be used: ${photo.error_text}`);
  }
  if (changed.length) await renew("standing");
}

function stop(moving, why) {
  for (const element of moving) {
    element.removeAttribute("data-follow");
    element.querySelector(".badge").textContent = why;
  }
}

async function tick() {
  const moving = [...document.querySelectorAll("[data-follow]")];
  if (!document.hidden && moving.length) {
    // A server that cannot be reached now is asked again in two seconds.
    await follow(moving).catch(() => {});
  }
  setTimeout(tick, EVERY_MS);
}

setTimeout(tick, EVERY_MS);
