// @ts-check
/** The password page: a session for the password, then the page itself. It needs no other module: nobody is in yet. */

const WAIT = 1100;
const TOO_SOON = 429;

const form = /** @type {HTMLFormElement} */ (document.getElementById("form"));
const password = /** @type {HTMLInputElement} */ (document.getElementById("password"));
const problem = /** @type {HTMLElement} */ (document.getElementById("problem"));
const button = /** @type {HTMLButtonElement} */ (document.getElementById("enter"));

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  problem.textContent = "";
  const said = await answer();
  if (said === "") return window.location.replace("/");
  problem.textContent = said;
  password.setAttribute("aria-invalid", "true");
  button.disabled = false;
  password.select();
  return undefined;
});
password.addEventListener("input", () => password.removeAttribute("aria-invalid"));

/**
 * What the server says to the password; nothing if it is right.
 *
 * @returns {Promise<string>}
 */
async function answer() {
  try {
    const response = await ask();
    if (response.ok) return "";
    if (response.status === TOO_SOON) {
      await new Promise((resolve) => setTimeout(resolve, WAIT));
      return answer();
    }
    return sentence((await response.json()).error);
  } catch {
    return "The server is away. Try again when it is back.";
  }
}

function ask() {
  const body = JSON.stringify({ password: password.value });
  return fetch("/login", { method: "POST", body, headers: { "Content-Type": "application/json", "X-Vatl": "1" } });
}

/** @param {string} text */
function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
