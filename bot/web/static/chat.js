// The left side: simulated customers, and the private chat of the selected one with the customers' bot.

import * as api from "./api.js";
import { Composer } from "./composer.js";
import { avatar, h, icon, keyed } from "./dom.js";
import { base64, choose, samplePhoto } from "./files.js";
import { notify, trying } from "./notices.js";
import { showAnswer, Thread } from "./thread.js";

const TOO_LARGE_BYTES = 25 * 1024 * 1024;

/** `onSelect(id)` is called when another customer is looked at. */
export class Customers {
  #customers = [];
  #messages = new Map();
  #unread = new Set();
  #selected = null;
  #kept = new Set();
  #keptUpTo = 0;

  constructor(root, setup, onSelect) {
    this.bot = setup.customer_bot;
    this.onSelect = onSelect;
    this.rail = h("ul", { class: "rail-list", role: "tablist", "aria-label": "Customers", "aria-orientation": "vertical" });
    this.rail.addEventListener("keydown", (event) => this.#onRailKey(event));
    this.list = h("ol", { class: "messages", tabindex: "-1", "aria-label": "Chat with the bot" });
    this.empty = h("div", { class: "empty" });
    this.head = h("div", { class: "panel-head" });
    this.composer = new Composer({
      label: "Message",
      entries: () => this.#attachments(),
      onSend: trying((text) => this.#send({ text })),
      onEdit: trying((message, text) => api.edit(this.#selected, this.bot.username, message.message_id, text)),
    });
    this.thread = new Thread(this.list, {
      viewer: () => this.#selected,
      isGroup: false,
      canRemove: (message) => message.from_id === this.#selected,
      mark: (message) => this.#mark(message),
      deeds: {
        press: trying(async (message, button) =>
          showAnswer(await api.press(this.#selected, this.bot.username, message.message_id, button.data)),
        ),
        react: trying((message, emoji) => api.react(this.#selected, this.bot.username, message.message_id, emoji)),
        edit: (message) => this.composer.edit(message),
        remove: trying((message) => api.remove(this.#selected, this.bot.username, message.message_id)),
      },
    });
    root.append(
      h("div", { class: "rail" }, h("h2", { class: "rail-title" }, "Customers"), this.rail, this.#adding()),
      h("div", { class: "phone" }, this.head, h("div", { class: "scroller" }, this.list, this.empty), this.composer.form),
    );
  }

  /** Load the customers and look at the first one if none is selected. */
  async refresh() {
    this.#customers = await api.customers();
    if (!this.#customers.some((one) => one.id === this.#selected)) await this.#select(this.#customers[0]?.id ?? null);
    this.#draw();
  }

  /** Forget what was loaded: the simulator was reset. */
  async reload() {
    this.#messages.clear();
    this.#selected = null;
    await this.refresh();
  }

  get selected() {
    return this.#customers.find((one) => one.id === this.#selected) ?? null;
  }

  /** Take note of a simulator event. */
  onEvent(event) {
    if (event.chat?.type !== "private" || event.chat.bot !== this.bot.username) return;
    const person = event.chat.person_id;
    if (event.kind === "block") {
      const customer = this.#customers.find((one) => one.id === person);
      if (customer) customer.blocked = event.details.new === "kicked";
    }
    if (event.message) this.#messages.get(person)?.set(event.message.message_id, event.message);
    if (event.kind === "message" && person !== this.#selected) this.#unread.add(person);
    if (!this.#customers.some((one) => one.id === person)) this.refresh();
    this.#draw();
  }

  /** Take note of which of the selected customer's messages the memory holds; messages are kept in their order. */
  onMemory(memory) {
    const ids = [
      ...(memory?.exchanges ?? []).filter((one) => one.direction === "in").map((one) => one.origin?.split(":").pop()),
      ...(memory?.incomings ?? []).map((one) => one.message_id),
    ].filter(Boolean);
    this.#kept = new Set(ids.map(Number));
    this.#keptUpTo = this.#kept.size ? Math.min(...this.#kept) : 0;
    this.#draw();
  }

  async #select(id) {
    this.#selected = id;
    this.#unread.delete(id);
    this.#kept = new Set();
    this.#keptUpTo = 0;
    this.composer.stopEditing();
    this.onSelect(id);
    if (id !== null && !this.#messages.has(id)) {
      const messages = new Map();
      this.#messages.set(id, messages);
      for (const message of await api.chatMessages(id, this.bot.username)) messages.set(message.message_id, message);
    }
    this.#draw();
  }

  #mark(message) {
    const kept = message.message_id < this.#keptUpTo || this.#kept.has(message.message_id);
    return kept ? { name: "ticks", title: "The memory holds it" } : { name: "tick", title: "Sent" };
  }

  #draw() {
    const customer = this.selected;
    keyed(this.rail, this.#customers, {
      key: (one) => one.id,
      state: (one) => JSON.stringify([one, one.id === this.#selected, this.#unread.has(one.id)]),
      draw: (one) => this.#railItem(one),
    });
    this.#drawHead(customer);
    const messages = customer
      ? [...(this.#messages.get(customer.id)?.values() ?? [])].sort((a, b) => a.message_id - b.message_id)
      : [];
    this.thread.show(messages, `chat-${customer?.id}`);
    this.#drawEmpty(customer, messages);
    this.composer.label(
      customer?.blocked ? `${customer.name} has blocked the bot` : `Write as ${customer?.name ?? "a customer"}`,
      {
        disabled: !customer || customer.blocked,
      },
    );
  }

  #railItem(customer) {
    const isSelected = customer.id === this.#selected;
    return h(
      "li",
      { role: "presentation" },
      h(
        "button",
        {
          type: "button",
          role: "tab",
          class: "rail-item",
          "aria-selected": String(isSelected),
          tabindex: isSelected ? "0" : "-1",
          "data-focus": `customer-${customer.id}`,
          dataset: { customer: String(customer.id) },
          onclick: () => this.#select(customer.id),
        },
        avatar(customer.name, customer.id),
        h(
          "span",
          { class: "rail-words" },
          h("span", { class: "rail-name" }, customer.name),
          customer.blocked && h("span", { class: "rail-note" }, "blocked the bot"),
        ),
        this.#unread.has(customer.id) && h("span", { class: "unread", title: "New messages" }),
      ),
    );
  }

  #onRailKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !this.#customers.length) return;
    event.preventDefault();
    const at = this.#customers.findIndex((one) => one.id === this.#selected);
    const next = this.#customers[(at + step + this.#customers.length) % this.#customers.length];
    this.#select(next.id);
    this.rail.querySelector(`[data-customer="${next.id}"]`)?.focus();
  }

  #drawHead(customer) {
    keyed(this.head, customer ? [customer] : [], {
      key: (one) => one.id,
      draw: (one) =>
        h(
          "div",
          { class: "head-row" },
          avatar(this.bot.name, this.bot.id, "square"),
          h(
            "div",
            { class: "head-words" },
            h("div", { class: "head-title" }, this.bot.name),
            h("div", { class: "muted" }, `${one.name}’s phone · @${this.bot.username}`),
          ),
          h(
            "button",
            {
              class: "plain-button",
              type: "button",
              "data-focus": "block",
              onclick: trying(() => (one.blocked ? api.unblock : api.block)(one.id, this.bot.username)),
            },
            icon("block"),
            one.blocked ? "Unblock bot" : "Block bot",
          ),
        ),
    });
  }

  #drawEmpty(customer, messages) {
    this.empty.hidden = !customer || messages.length > 0;
    keyed(this.empty, this.empty.hidden ? [] : [customer], {
      key: (one) => one.id,
      state: (one) => one.name,
      draw: (one) =>
        h(
          "div",
          { class: "empty-inner" },
          avatar(this.bot.name, this.bot.id, "square large"),
          h("p", { class: "empty-title" }, this.bot.name),
          h("p", { class: "muted" }, `${one.name} has not written yet.`),
          h("button", { class: "main-button", type: "button", onclick: trying(() => this.#send({ text: "/start" })) }, "Start"),
        ),
    });
  }

  #adding() {
    const name = h("input", {
      class: "add-name",
      type: "text",
      maxlength: "60",
      placeholder: "Add another",
      "aria-label": "Name of another customer",
    });
    const add = trying(async () => {
      const [first, ...rest] = name.value.trim().split(/\s+/);
      const person = await api.addPerson({
        first_name: first,
        last_name: rest.join(" ") || null,
        language_code: navigator.language.slice(0, 2),
      });
      name.value = "";
      this.#customers = await api.customers();
      await this.#select(person.id);
      this.composer.field.focus();
    });
    return h(
      "form",
      {
        class: "adding",
        onsubmit: (event) => {
          event.preventDefault();
          if (name.value.trim()) add();
        },
      },
      name,
      h("button", { class: "icon-button", type: "submit", title: "Add", "aria-label": "Add the customer" }, icon("add")),
    );
  }

  #send(order) {
    return api.send(this.#selected, { to: this.bot.username, ...order });
  }

  #attachments() {
    return [
      { label: "Sample photo", run: trying(async () => this.#send({ kind: "photo", content_base64: await samplePhoto() })) },
      { label: "Photo from a file…", run: trying(() => this.#sendFiles("photo", "image/*")) },
      { label: "Album of three", run: trying(() => this.#sendAlbum()) },
      { label: "Sample document", run: trying(() => this.#send({ kind: "document", file_name: "statement.txt" })) },
      { label: "Document from a file…", run: trying(() => this.#sendFiles("document")) },
      {
        label: "A file of 25 MB",
        run: trying(() => this.#send({ kind: "document", file_name: "scan.pdf", declared_size: TOO_LARGE_BYTES })),
      },
      { label: "Location", run: trying(() => this.#send({ kind: "location", latitude: 59.3293, longitude: 18.0686 })) },
      { label: "Contact", run: trying(() => this.#send({ kind: "contact" })) },
    ];
  }

  async #sendFiles(kind, accept) {
    const text = this.composer.field.value.trim();
    const files = await choose({ accept });
    for (const file of files) {
      await this.#send({ kind, text, content_base64: await base64(file), file_name: file.name, mime: file.type || null });
      this.composer.suggest("");
    }
  }

  async #sendAlbum() {
    const photos = await Promise.all([0, 1, 2].map(samplePhoto));
    await api.sendAlbum(this.#selected, {
      to: this.bot.username,
      photos_base64: photos,
      caption: this.composer.field.value.trim(),
    });
    this.composer.suggest("");
  }

  /** Put words into the field for the person at the keyboard to send. */
  suggest(text) {
    if (this.composer.field.disabled) notify("This customer has blocked the bot: unblock it first", "error");
    else this.composer.suggest(text);
  }
}
