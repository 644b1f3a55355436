// A strip below the player: pictures from all over the video on hover, and a jump to what was chosen. Without it the player's own bar does.

// How far a key moves, in pictures: a tenth of a second, the finest that a pointer may choose, would take hours to get anywhere.
const BY_KEY = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
// The handle's width: its middle does not reach the ends of the slider.
const HANDLE = 16;

function clock(seconds) {
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
    // The slider rounds to tenths of a second, also to below the moment of a picture.
    const picture = Math.min(count - 1, Math.floor((seconds + 0.05) / step));
    const [row, column] = [Math.floor(picture / columns), picture % columns];
    preview.style.backgroundPosition = `${columns > 1 ? (100 * column) / (columns - 1) : 0}% ${rows > 1 ? (100 * row) / (rows - 1) : 0}%`;
    const box = preview.parentElement;
    const room = strip.clientWidth - box.offsetWidth;
    box.style.left = `${Math.max(0, Math.min(room, (seconds / duration) * strip.clientWidth - box.offsetWidth / 2))}px`;
    time.textContent = clock(seconds);
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
    // Videos that were processed by an earlier version have no sheet, and then no strip.
    strip.hidden = false;
  });
  sheet.src = strip.dataset.src;

  function place(seconds) {
    slider.value = seconds;
    slider.setAttribute("aria-valuetext", clock(Number(slider.value)));
  }

  function choose(seconds) {
    place(seconds);
    show(Number(slider.value));
    const video = document.querySelector("[data-player]");
    if (video && !video.error) video.currentTime = Number(slider.value);
  }

  slider.addEventListener("pointermove", (event) => {
    const box = slider.getBoundingClientRect();
    show(Math.max(0, Math.min(1, (event.clientX - box.left - HANDLE / 2) / (box.width - HANDLE))) * duration);
  });
  slider.addEventListener("pointerdown", () => { dragging = true; });
  for (const end of ["pointerup", "pointercancel", "change"]) slider.addEventListener(end, () => { dragging = false; });
  for (const gone of ["pointerleave", "blur"]) slider.addEventListener(gone, hide);
  slider.addEventListener("input", () => choose(slider.value));
  slider.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
    if (!(event.key in BY_KEY) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    choose(Number(slider.value) + BY_KEY[event.key] * step);
  });
  document.addEventListener("timeupdate", (event) => {
    if (event.target.matches("[data-player]") && !dragging) place(event.target.currentTime);
  }, true);
}

// The player comes, with its strip, when a video that was followed is ready.
function find() {
  for (const strip of document.querySelectorAll("[data-timeline]:not([data-ready])")) {
    strip.dataset.ready = "";
    prepare(strip);
  }
}

new MutationObserver(find).observe(document.body, { childList: true, subtree: true });
find();
