// A short list of things to try. Each one prepares the words; sending them is left to the person at the keyboard.

import { h } from "./dom.js";

const CLOSED = "legato-guide-closed";

/** `root` is shown until it is closed; `opener` shows it again. */
export function showGuide(root, opener, setup, customers, desk) {
  const first = (name) => name.split(" ")[0];
  const agent = () => first(desk.agent.name);
  const steps = [
    { words: `Write “${setup.first_words}”`, run: () => customers.suggest(setup.first_words) },
    ...(setup.number
      ? [{ words: `Answer ${setup.number}, then the texted code`, run: () => customers.suggest(setup.number) }]
      : []),
    { words: "Ask for a person", run: () => customers.suggest("Can I talk to a person?") },
    {
      words: `As ${agent()}, answer in the topic`,
      run: () => desk.suggest(`Hello, this is ${agent()}. I see what happened and am taking care of it now.`),
    },
    {
      words: "Give it back with /return",
      run: () => desk.suggest("/return It is solved, please ask tomorrow whether all is well"),
    },
    { words: "Say hello again: it knows", run: () => customers.suggest("Hello again") },
    { words: `Block the bot, write as ${agent()}`, run: () => document.querySelector('[data-focus="block"]')?.focus() },
  ];
  const setOpen = (open) => {
    root.hidden = !open;
    opener.hidden = open;
    localStorage.setItem(CLOSED, open ? "" : "yes");
  };
  root.append(
    h("span", { class: "guide-title" }, "Try this"),
    h(
      "ol",
      { class: "guide-steps" },
      steps.map((step, n) => h("li", {}, stepButton(step, n + 1))),
    ),
    h(
      "button",
      { class: "icon-button", type: "button", title: "Close", "aria-label": "Close the list", onclick: () => setOpen(false) },
      "×",
    ),
  );
  opener.addEventListener("click", () => setOpen(true));
  setOpen(localStorage.getItem(CLOSED) !== "yes");
}

function stepButton(step, number) {
  const button = h(
    "button",
    { class: "guide-step", type: "button" },
    h("span", { class: "guide-number", "aria-hidden": "true" }, String(number)),
    step.words,
  );
  button.addEventListener("click", () => {
    button.classList.add("tried");
    step.run();
  });
  return button;
}
