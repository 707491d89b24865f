// Where somebody writes: a growing text field, a menu of things to send, and the state of editing an own message.

import { composing, h, icon, menuButton } from "./dom.js";

/** `onSend(text)` and `onEdit(message, text)` say whether it worked; the text stays in the field if it did not. */
export class Composer {
  #editing = null;
  #fit;

  constructor({ label, entries, onSend, onEdit }) {
    this.onSend = onSend;
    this.onEdit = onEdit;
    this.field = h("textarea", { class: "field", rows: "1", "aria-label": label, placeholder: label });
    this.button = h("button", { class: "send", type: "submit", title: "Send (Enter)", "aria-label": "Send" }, icon("send"));
    this.banner = h("div", { class: "editing", hidden: true });
    this.attach = menuButton({ label: "Send something else", iconName: "add", entries });
    this.form = h(
      "form",
      { class: "composer" },
      this.banner,
      h("div", { class: "composer-row" }, this.attach, this.field, this.button),
    );
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.field.addEventListener("keydown", (event) => event.key === "Escape" && this.stopEditing());
    this.#fit = composing(this.field, () => this.#submit());
  }

  /** Say what the field is for, and whether there is anything to write to. */
  label(text, { disabled = false } = {}) {
    this.field.placeholder = text;
    this.field.setAttribute("aria-label", text);
    for (const one of [this.field, this.button, this.attach]) one.disabled = disabled;
  }

  /** Put words into the field without sending them. */
  suggest(text) {
    this.field.value = text;
    this.#fit();
    this.field.focus();
  }

  /** Edit this message: the next text replaces its own. */
  edit(message) {
    this.#editing = message;
    this.banner.replaceChildren(
      h("span", {}, "Editing your message"),
      h("button", { class: "plain-button", type: "button", onclick: () => this.stopEditing() }, "Cancel"),
    );
    this.banner.hidden = false;
    this.suggest(message.text);
  }

  /** Go back to writing new messages. */
  stopEditing() {
    if (!this.#editing) return;
    this.#editing = null;
    this.banner.hidden = true;
    this.suggest("");
  }

  async #submit() {
    const text = this.field.value.trim();
    if (!text || this.field.disabled) return;
    const editing = this.#editing;
    this.field.value = "";
    this.#fit();
    const worked = editing ? await this.onEdit(editing, text) : await this.onSend(text);
    if (!worked && !this.field.value) this.suggest(text);
    else if (worked && editing) this.stopEditing();
  }
}
