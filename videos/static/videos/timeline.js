// A strip below the player: pictures from all over the video on hover, and a jump to what was chosen. Without it the player's own bar does.

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

  function show(seconds) {
    const place = Math.min(count - 1, Math.floor(seconds / step));
    const [row, column] = [Math.floor(place / columns), place % columns];
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

  slider.addEventListener("pointermove", (event) => {
    const box = slider.getBoundingClientRect();
    show(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * duration);
  });
  slider.addEventListener("pointerleave", hide);
  slider.addEventListener("blur", hide);
  slider.addEventListener("input", () => {
    const seconds = Number(slider.value);
    slider.setAttribute("aria-valuetext", clock(seconds));
    show(seconds);
    const video = document.querySelector("[data-player]");
    if (video && !video.error) video.currentTime = seconds;
  });
  document.addEventListener("timeupdate", (event) => {
    if (event.target.matches("[data-player]") && document.activeElement !== slider) slider.value = event.target.currentTime;
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
