// Update parts of the page by fetching the page again, so that only the server renders them.

/** Replace every element whose data-live contains `key` with its counterpart in a fresh copy of this page. */
export async function refresh(key) {
  const response = await fetch(location.href, { credentials: "same-origin" });
  if (!response.ok || response.redirected) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  // A parsed copy runs no scripts, so its <noscript> elements would be visible.
  fresh.querySelectorAll("noscript").forEach((element) => element.remove());
  const selector = `[data-live~="${CSS.escape(key)}"]`;
  const replacements = [...fresh.querySelectorAll(selector)];
  [...document.querySelectorAll(selector)].forEach((old, position) => {
    if (!replacements[position]) return;
    const hadFocus = old.contains(document.activeElement);
    old.replaceWith(replacements[position]);
    if (hadFocus) replacements[position].querySelector("a, button")?.focus();
  });
}

/** Announce a text to screen readers without moving the focus. */
export function announce(text) {
  const announcer = document.querySelector("[data-announcer]");
  if (announcer && announcer.textContent !== text) announcer.textContent = text;
}
