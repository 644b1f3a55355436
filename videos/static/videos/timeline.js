// A slider below the player that shows images of the video and seeks to them. Without this script the player's own controls remain.

// How far a key moves, in images. The slider's own step of a tenth of a second would be far too slow.
const STEPS_BY_KEY = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
// The width of the handle in pixels. Its center does not reach the ends of the slider.
const HANDLE_WIDTH = 16;

function formatTime(seconds) {
  const [hours, minutes, rest] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor);
  const tail = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

function prepare(strip) {
  const [duration, step] = [Number(strip.dataset.duration), Number(strip.dataset.step)];
  const [columns, count] = [Number(strip.dataset.columns), Number(strip.dataset.count)];
  const rows = Math.ceil(count / columns);
  const [slider, preview, time] = ["input", "[data-preview]", "output"].map((name) => strip.querySelector(name));
  const sheet = new Image();
  let dragging = false;

  function show(seconds) {
    // The slider rounds to tenths of a second, possibly to just before an image.
    const image = Math.min(count - 1, Math.floor((seconds + 0.05) / step));
    const [row, column] = [Math.floor(image / columns), image % columns];
    preview.style.backgroundPosition = `${columns > 1 ? (100 * column) / (columns - 1) : 0}% ${rows > 1 ? (100 * row) / (rows - 1) : 0}%`;
    const box = preview.parentElement;
    const room = strip.clientWidth - box.offsetWidth;
    box.style.left = `${Math.max(0, Math.min(room, (seconds / duration) * strip.clientWidth - box.offsetWidth / 2))}px`;
    time.textContent = formatTime(seconds);
    box.classList.add("shown");
  }

  function hide() {
    preview.parentElement.classList.remove("shown");
  }

  sheet.addEventListener("load", () => {
    preview.style.backgroundImage = `url("${sheet.src}")`;
    preview.style.backgroundSize = `${columns * 100}% ${rows * 100}%`;
    preview.style.width = `${sheet.naturalWidth / columns}px`;
    preview.style.height = `${sheet.naturalHeight / rows}px`;
    // Videos that an earlier version processed have no sheet, and the slider stays hidden.
    strip.hidden = false;
  });
  sheet.src = strip.dataset.src;

  function setPosition(seconds) {
    slider.value = seconds;
    slider.setAttribute("aria-valuetext", formatTime(Number(slider.value)));
  }

  function seek(seconds) {
    setPosition(seconds);
    show(Number(slider.value));
    const video = document.querySelector("[data-player]");
    if (video && !video.error) video.currentTime = Number(slider.value);
  }

  slider.addEventListener("pointermove", (event) => {
    const box = slider.getBoundingClientRect();
    show(Math.max(0, Math.min(1, (event.clientX - box.left - HANDLE_WIDTH / 2) / (box.width - HANDLE_WIDTH))) * duration);
  });
  slider.addEventListener("pointerdown", () => { dragging = true; });
  for (const type of ["pointerup", "pointercancel", "change"]) slider.addEventListener(type, () => { dragging = false; });
  for (const type of ["pointerleave", "blur"]) slider.addEventListener(type, hide);
  slider.addEventListener("input", () => seek(slider.value));
  slider.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
    if (!(event.key in STEPS_BY_KEY) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    seek(Number(slider.value) + STEPS_BY_KEY[event.key] * step);
  });
  document.addEventListener("timeupdate", (event) => {
    if (event.target.matches("[data-player]") && !dragging) setPosition(event.target.currentTime);
  }, true);
}

// The player and its slider are added when a video in progress becomes ready.
function prepareNew() {
  for (const strip of document.querySelectorAll("[data-timeline]:not([data-ready])")) {
    strip.dataset.ready = "";
    prepare(strip);
  }
}

new MutationObserver(prepareNew).observe(document.body, { childList: true, subtree: true });
prepareNew();
