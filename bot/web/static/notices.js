// Short notices at the edge of the page: what could not be done, and what a bot answered to a pressed button.

import { h } from "./dom.js";

const SHOWN_MS = 12000;

/** Show a notice for a while. `tone`: "", "error" or "answer". */
export function notify(text, tone = "") {
  const dismiss = h(
    "button",
    { class: "notice-close", type: "button", "aria-label": "Dismiss", onclick: () => note.remove() },
    "×",
  );
  const note = h("div", { class: `notice ${tone}` }, h("span", {}, text), dismiss);
  document.getElementById("notices").append(note);
  setTimeout(() => note.remove(), SHOWN_MS);
}

/** Wrap something that may be refused: the refusal is shown, and the wrapped function says whether it worked. */
export function trying(deed) {
  return async (...args) => {
    try {
      await deed(...args);
      return true;
    } catch (error) {
      notify(error.message, "error");
      return false;
    }
  };
}
