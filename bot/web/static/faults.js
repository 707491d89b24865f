// The bar of faults: what shall go wrong with the customers' bot next.

import * as api from "./api.js";
import { h, keyed } from "./dom.js";
import { trying } from "./notices.js";

const KINDS = [
  {
    kind: "too_many_requests",
    label: "429",
    title: "Telegram asks for a pause: the reply waits and goes out once",
    settings: { retry_after_s: 3 },
  },
  { kind: "server_error", label: "500", title: "Telegram fails: the reply is tried again", settings: {} },
  {
    kind: "lost_answer",
    label: "Lost answer",
    title: "The reply arrives, but the bot is not told: it becomes uncertain",
    settings: {},
  },
  {
    kind: "dropped_connection",
    label: "Dropped",
    title: "The connection breaks before anything arrives: uncertain too, the bot cannot know",
    settings: {},
  },
];
const METHOD = "sendMessage";

export class Faults {
  #waiting = [];

  constructor(root, setup) {
    this.bot = setup.customer_bot.username;
    this.twice = h(
      "button",
      { class: "toggle", type: "button", "aria-pressed": "false", title: "Telegram delivers every message to the bots twice" },
      "Updates twice",
    );
    this.twice.addEventListener(
      "click",
      trying(() => this.#toggleTwice()),
    );
    this.chips = h("span", { class: "fault-chips" });
    root.append(
      h("span", { class: "faults-label" }, "Next reply"),
      h(
        "span",
        { class: "segmented" },
        KINDS.map((one) => this.#button(one)),
      ),
      this.twice,
      this.chips,
    );
  }

  /** Look at what is still to happen. */
  async refresh() {
    this.#waiting = await api.faults();
    const single = this.#waiting.filter((one) => KINDS.some(({ kind }) => kind === one.kind));
    keyed(this.chips, single, { key: (one) => one.id, draw: (one) => this.#chip(one) });
  }

  #button({ kind, label, title, settings }) {
    const order = trying(async () => {
      await api.orderFault({ kind, bot: this.bot, method: METHOD, ...settings });
      await this.refresh();
    });
    return h("button", { class: "segment", type: "button", title, onclick: order }, label);
  }

  #chip(fault) {
    const { label } = KINDS.find(({ kind }) => kind === fault.kind);
    const withdraw = trying(async () => {
      await api.withdrawFault(fault.id);
      await this.refresh();
    });
    return h(
      "button",
      { class: "chip", type: "button", title: "Withdraw", onclick: withdraw },
      `${label} ordered`,
      h("span", { "aria-hidden": "true" }, " ×"),
    );
  }

  async #toggleTwice() {
    const wanted = this.twice.getAttribute("aria-pressed") !== "true";
    this.twice.setAttribute("aria-pressed", String(wanted));
    api.deliverTwice(wanted);
    await this.refresh();
    const ordered = this.#waiting.filter((one) => one.kind === "duplicate_update");
    if (!wanted) await Promise.all(ordered.map((one) => api.withdrawFault(one.id)));
  }
}
