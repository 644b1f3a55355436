// Make a passkey, or ask for one, and put the browser's answer into the form's hidden field `credential`.

const UNSUPPORTED = "This browser cannot use passkeys here. They need a current browser and a page with HTTPS. Use an authenticator app instead.";
const REFUSED = "No passkey was given. Try again, or enter a code.";
const NOT_MADE = "No passkey was made. Try again.";

const element = document.querySelector("[data-passkey]");
const problem = element.querySelector(".problem");
const field = document.querySelector("[name=credential]");
const options = JSON.parse(element.dataset.passkeyOptions).publicKey;
const isSupported = Boolean(window.PublicKeyCredential?.parseCreationOptionsFromJSON);
const button = element.querySelector("button");

async function answer(request, refusal) {
  if (!isSupported) return show(UNSUPPORTED);
  show("");
  try {
    field.value = JSON.stringify((await request()).toJSON());
    field.form.submit();
  } catch {
    show(refusal);
  }
}

function show(text) {
  problem.textContent = text;
}

if (button) {
  element.hidden = !isSupported;
  button.addEventListener("click", () => {
    answer(() => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }), REFUSED);
  });
} else {
  field.form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!field.form.reportValidity()) return;
    answer(() => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }), NOT_MADE);
  });
}
