// The right side: the agents' group with its forum topics.

import * as api from "./api.js";
import { Composer } from "./composer.js";
import { avatar, h, icon, keyed } from "./dom.js";
import { base64, choose, samplePhoto } from "./files.js";
import { trying } from "./notices.js";
import { showAnswer, Thread } from "./thread.js";

const GENERAL = 1;

export class Desk {
  #agent;
  #topics = [];
  #messages = new Map();
  #unread = new Map();
  #selected = GENERAL;

  constructor(root, setup) {
    this.group = setup.group;
    this.agents = setup.agents;
    this.#agent = setup.agents[0];
    this.topicList = h("ul", { class: "rail-list", role: "tablist", "aria-label": "Topics", "aria-orientation": "vertical" });
    this.topicList.addEventListener("keydown", (event) => this.#onRailKey(event));
    this.list = h("ol", { class: "messages", tabindex: "-1", "aria-label": "Topic" });
    this.empty = h("div", { class: "empty" });
    this.head = h("div", { class: "panel-head" });
    this.switch = h("div", { class: "switch", role: "radiogroup", "aria-label": "Write as" });
    this.composer = new Composer({
      label: "Message",
      entries: () => this.#attachments(),
      onSend: trying((text) => this.#send({ text })),
      onEdit: trying((message, text) => api.edit(this.#agent.id, this.group.id, message.message_id, text)),
    });
    this.thread = new Thread(this.list, {
      viewer: () => this.#agent.id,
      isGroup: true,
      canRemove: () => true,
      deeds: {
        press: trying(async (message, button) =>
          showAnswer(await api.press(this.#agent.id, this.group.id, message.message_id, button.data)),
        ),
        react: trying((message, emoji) => api.react(this.#agent.id, this.group.id, message.message_id, emoji)),
        edit: (message) => this.composer.edit(message),
        remove: trying((message) => api.remove(this.#agent.id, this.group.id, message.message_id)),
      },
    });
    root.append(
      h("div", { class: "rail topics" }, h("h2", { class: "rail-title" }, this.group.name), this.topicList),
      h("div", { class: "phone" }, this.head, h("div", { class: "scroller" }, this.list, this.empty), this.composer.form),
    );
    this.composer.form.prepend(h("div", { class: "write-as" }, h("span", { class: "muted" }, "Write as"), this.switch));
  }

  /** Load topics and messages anew. */
  async refresh() {
    const [topics, messages] = await Promise.all([api.topics(this.group.id), api.groupMessages(this.group.id)]);
    this.#topics = topics;
    this.#messages = new Map(messages.map((one) => [one.message_id, one]));
    this.#draw();
  }

  /** Take note of a simulator event. */
  async onEvent(event) {
    if (event.chat?.id !== this.group.id) return;
    const { message } = event;
    if (message) this.#messages.set(message.message_id, message);
    if (event.kind === "topic") await this.#onTopic(event.details);
    else if (event.kind === "message" && message.thread_id !== this.#selected) this.#count(message.thread_id);
    this.#draw();
  }

  get agent() {
    return this.#agent;
  }

  /** Put words into the field for the person at the keyboard to send. */
  suggest(text) {
    const last = this.#topics.findLast((one) => one.thread_id !== GENERAL && !one.is_deleted);
    if (last && this.#selected === GENERAL) this.#select(last.thread_id);
    this.composer.suggest(text);
  }

  async #onTopic({ what, thread_id: thread }) {
    this.#topics = await api.topics(this.group.id);
    if (what === "forum_topic_created" && !this.composer.field.value) this.#select(thread);
  }

  #count(thread) {
    this.#unread.set(thread, (this.#unread.get(thread) ?? 0) + 1);
  }

  #select(thread) {
    this.#selected = thread;
    this.#unread.delete(thread);
    this.composer.stopEditing();
    this.#draw();
  }

  get #topic() {
    return this.#topics.find((one) => one.thread_id === this.#selected) ?? { thread_id: GENERAL, name: "General" };
  }

  /** Open topics with the newest first below General, then closed ones, then deleted ones. */
  get #ordered() {
    const rank = (topic) => (topic.thread_id === GENERAL ? 0 : topic.is_deleted ? 3 : topic.is_closed ? 2 : 1);
    return [...this.#topics].sort((a, b) => rank(a) - rank(b) || b.thread_id - a.thread_id);
  }

  #draw() {
    const topic = this.#topic;
    keyed(this.topicList, this.#ordered, {
      key: (one) => one.thread_id,
      state: (one) => JSON.stringify([one, one.thread_id === this.#selected, this.#unread.get(one.thread_id)]),
      draw: (one) => this.#railItem(one),
    });
    this.#drawHead(topic);
    this.#drawSwitch();
    const messages = topic.is_deleted ? [] : [...this.#messages.values()].filter((one) => one.thread_id === topic.thread_id);
    this.thread.show(
      messages.sort((a, b) => a.message_id - b.message_id),
      `topic-${topic.thread_id}`,
    );
    this.#drawEmpty(topic, messages);
    this.composer.label(topic.is_deleted ? "This topic is deleted" : `Write as ${this.#agent.name}`, {
      disabled: Boolean(topic.is_deleted),
    });
  }

  #railItem(topic) {
    const isSelected = topic.thread_id === this.#selected;
    const unread = this.#unread.get(topic.thread_id);
    const state = topic.is_deleted ? "deleted" : topic.is_closed ? "closed" : null;
    return h(
      "li",
      { role: "presentation" },
      h(
        "button",
        {
          type: "button",
          role: "tab",
          class: `rail-item topic ${state ?? ""}`,
          "aria-selected": String(isSelected),
          tabindex: isSelected ? "0" : "-1",
          "data-focus": `topic-${topic.thread_id}`,
          dataset: { topic: String(topic.thread_id) },
          title: topic.name,
          onclick: () => this.#select(topic.thread_id),
        },
        h("span", { class: "topic-icon" }, icon("topic")),
        h(
          "span",
          { class: "rail-words" },
          h("span", { class: "rail-name" }, topic.name),
          state && h("span", { class: "rail-note" }, state),
        ),
        unread && h("span", { class: "unread count" }, String(unread)),
      ),
    );
  }

  #onRailKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const topics = this.#ordered;
    const at = topics.findIndex((one) => one.thread_id === this.#selected);
    const next = topics[(at + step + topics.length) % topics.length];
    this.#select(next.thread_id);
    this.topicList.querySelector(`[data-topic="${next.thread_id}"]`)?.focus();
  }

  #drawHead(topic) {
    keyed(this.head, [topic], {
      key: (one) => one.thread_id,
      state: (one) => JSON.stringify([one, this.#agent.id]),
      draw: (one) =>
        h(
          "div",
          { class: "head-row" },
          h("span", { class: "topic-icon large" }, icon("topic")),
          h(
            "div",
            { class: "head-words" },
            h("div", { class: "head-title" }, one.name),
            h("div", { class: "muted" }, this.#standing(one)),
          ),
          this.#topicDeeds(one),
        ),
    });
  }

  #standing(topic) {
    if (topic.is_deleted) return "Deleted, with all its messages";
    if (topic.is_closed) return "Closed";
    return topic.thread_id === GENERAL ? "For everyone; each handoff gets a topic of its own" : "Open";
  }

  #topicDeeds(topic) {
    if (topic.thread_id === GENERAL || topic.is_deleted) return null;
    return [
      h(
        "button",
        {
          class: "plain-button",
          type: "button",
          "data-focus": "close",
          onclick: trying(() => api.setTopicClosed(this.#agent.id, this.group.id, topic.thread_id, !topic.is_closed)),
        },
        icon(topic.is_closed ? "unlock" : "lock"),
        topic.is_closed ? "Reopen" : "Close topic",
      ),
      h(
        "button",
        {
          class: "plain-button danger",
          type: "button",
          "data-focus": "delete",
          onclick: trying(() => api.deleteTopic(this.#agent.id, this.group.id, topic.thread_id)),
        },
        icon("bin"),
        "Delete topic",
      ),
    ];
  }

  #drawSwitch() {
    keyed(this.switch, this.agents, {
      key: (one) => one.id,
      state: (one) => String(one.id === this.#agent.id),
      draw: (one) =>
        h(
          "button",
          {
            type: "button",
            role: "radio",
            class: "switch-item",
            "aria-checked": String(one.id === this.#agent.id),
            "data-focus": `agent-${one.id}`,
            dataset: { agent: String(one.id) },
            onclick: () => {
              this.#agent = one;
              this.composer.stopEditing();
              this.#draw();
            },
          },
          avatar(one.name, one.id, "small"),
          one.name,
        ),
    });
  }

  #drawEmpty(topic, messages) {
    this.empty.hidden = messages.length > 0;
    keyed(this.empty, this.empty.hidden ? [] : [topic], {
      key: (one) => one.thread_id,
      draw: (one) =>
        h(
          "div",
          { class: "empty-inner" },
          h("p", { class: "empty-title" }, one.is_deleted ? "This topic was deleted" : "Nobody needs a person yet"),
          h(
            "p",
            { class: "muted" },
            one.is_deleted
              ? "If the case is still open, the next message makes a new topic with the whole card."
              : "When a customer asks for one, a topic with everything that is known appears here.",
          ),
        ),
    });
  }

  #send(order) {
    return api.send(this.#agent.id, { to: String(this.group.id), thread_id: this.#selected, ...order });
  }

  #attachments() {
    return [
      { label: "Sample photo", run: trying(async () => this.#send({ kind: "photo", content_base64: await samplePhoto(1) })) },
      {
        label: "Photo from a file…",
        run: trying(async () => {
          for (const file of await choose({ accept: "image/*" })) {
            await this.#send({
              kind: "photo",
              content_base64: await base64(file),
              file_name: file.name,
              mime: file.type || null,
            });
          }
        }),
      },
      { label: "Sample document", run: trying(() => this.#send({ kind: "document", file_name: "form.txt" })) },
    ];
  }
}
