// Bring parts of the page up to date by fetching the page itself anew, so that only the server knows how it looks.

/** Replace every element whose data-live names `key` with its counterpart of a fresh copy of this page. */
export async function renew(key) {
  const response = await fetch(location.href, { credentials: "same-origin" });
  if (!response.ok || response.redirected) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  // A parsed copy runs no scripts, so it would show what is meant for browsers without them.
  fresh.querySelectorAll("noscript").forEach((element) => element.remove());
  const selector = `[data-live~="${CSS.escape(key)}"]`;
  const replacements = [...fresh.querySelectorAll(selector)];
  [...document.querySelectorAll(selector)].forEach((old, place) => {
    if (!replacements[place]) return;
    const hadFocus = old.contains(document.activeElement);
    old.replaceWith(replacements[place]);
    if (hadFocus) replacements[place].querySelector("a, button")?.focus();
  });
}

/** Tell users of screen readers, without moving them. */
export function announce(text) {
  const announcer = document.querySelector("[data-announcer]");
  if (announcer && announcer.textContent !== text) announcer.textContent = text;
}
