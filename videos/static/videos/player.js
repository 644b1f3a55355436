// Seek the player to a scene or chapter, and mark the current one. Without this script the links load the page at that time.

function getPlayer() {
  return document.querySelector("[data-player]");
}

function markCurrent(time) {
  const chapters = [...document.querySelectorAll("[data-chapters] [data-start]")];
  const current = chapters.findLast((chapter) => time >= Number(chapter.dataset.start));
  for (const chapter of chapters) {
    if (chapter === current) chapter.setAttribute("aria-current", "true");
    else chapter.removeAttribute("aria-current");
  }
  for (const scene of document.querySelectorAll("[data-scenes] [data-start]")) {
    const isCurrent = time >= Number(scene.dataset.start) && time < Number(scene.dataset.end);
    if (isCurrent) scene.setAttribute("aria-current", "true");
    else scene.removeAttribute("aria-current");
    scene.querySelector("[data-playing]").hidden = !isCurrent;
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-start] h3 a, [data-chapters] a");
  const video = getPlayer();
  // A click with a modifier key opens a new tab or window.
  if (!link || !video || video.error || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const start = link.closest("[data-start]").dataset.start;
  video.currentTime = Number(start);
  // If the browser blocks autoplay, the user presses play.
  video.play().catch(() => {});
  video.scrollIntoView({ block: "nearest" });
  history.replaceState(null, "", `?${buildQuery(start)}`);
});

/** Return this page's query with another time, so that the URL can be shared. */
function buildQuery(start) {
  const query = new URLSearchParams(location.search);
  query.set("t", Number(start).toFixed(2));
  return query;
}

// Media events do not bubble, but they can be captured, also from a player that is added later.
document.addEventListener("timeupdate", () => markCurrent(getPlayer().currentTime), true);
document.addEventListener("error", (event) => {
  if (event.target === getPlayer()) document.querySelector("[data-unplayable]").hidden = false;
}, true);
if (getPlayer()?.error) document.querySelector("[data-unplayable]").hidden = false;
