// Everything that goes over the wire: the simulator's people API, the memory, and the live stream.

const SIMULATOR = "/simulator";

async function ask(method, path, body) {
  const options = { method, headers: { accept: "application/json" } };
  if (body !== undefined) {
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  const text = await response.text();
  if (!response.ok) throw new Error(wordsOf(text, response.status));
  return text ? JSON.parse(text) : null;
}

function wordsOf(text, status) {
  try {
    const { detail } = JSON.parse(text);
    if (typeof detail === "string") return detail;
    if (Array.isArray(detail)) return detail.map((one) => one.msg).join("; ");
  } catch {
    // not JSON: said below
  }
  return `The server answered ${status}`;
}

const chatPath = (person, chat) => `${SIMULATOR}/people/${person}/chats/${encodeURIComponent(chat)}`;

export const setup = () => ask("GET", "/setup");
export const customers = () => ask("GET", "/customers");
export const lastEvent = () => ask("GET", `${SIMULATOR}/events/last`);
export const fileUrl = (uniqueId) => `${SIMULATOR}/files/${encodeURIComponent(uniqueId)}`;

export const addPerson = (order) => ask("POST", `${SIMULATOR}/people`, order);
export const block = (person, bot) => ask("POST", `${SIMULATOR}/people/${person}/blocks`, { bot });
export const unblock = (person, bot) => ask("DELETE", `${SIMULATOR}/people/${person}/blocks/${encodeURIComponent(bot)}`);

export const chatMessages = (person, chat) => ask("GET", `${chatPath(person, chat)}/messages?include_deleted=true`);
export const send = (person, order) => deed("POST", `${SIMULATOR}/people/${person}/messages`, order);
export const sendAlbum = (person, order) => deed("POST", `${SIMULATOR}/people/${person}/albums`, order);
export const edit = (person, chat, message, text) => deed("PATCH", `${chatPath(person, chat)}/messages/${message}`, { text });
export const remove = (person, chat, message) => ask("DELETE", `${chatPath(person, chat)}/messages/${message}`);
export const react = (person, chat, message, emoji) =>
  deed("PUT", `${chatPath(person, chat)}/messages/${message}/reaction`, { emoji });
export const press = (person, chat, message, button) =>
  deed("POST", `${SIMULATOR}/people/${person}/presses`, { chat: String(chat), button, message_id: message, timeout_s: 5 });

export const topics = (group) => ask("GET", `${SIMULATOR}/groups/${group}/topics`);
export const groupMessages = (group) => ask("GET", `${SIMULATOR}/groups/${group}/messages?include_deleted=true`);
export const setTopicClosed = (person, group, thread, closed) =>
  ask("PATCH", `${chatPath(person, group)}/topics/${thread}`, { is_closed: closed });
export const deleteTopic = (person, group, thread) => ask("DELETE", `${chatPath(person, group)}/topics/${thread}`);

export const faults = () => ask("GET", `${SIMULATOR}/faults`);
export const orderFault = (order) => ask("POST", `${SIMULATOR}/faults`, order);
export const withdrawFault = (id) => ask("DELETE", `${SIMULATOR}/faults/${id}`);

let isTwice = false;

/** Whether the updates that follow from what people do are delivered to the bots twice. */
export function deliverTwice(wanted) {
  isTwice = wanted;
}

/** Something that a person does and a bot is told of. The fault is ordered just before: it repeats whatever is confirmed next. */
async function deed(method, path, body) {
  if (isTwice) await orderFault({ kind: "duplicate_update" });
  return ask(method, path, body);
}

const AGAIN_MS = 2000;

/**
 * The live stream of simulator events and of one customer's memory. It pauses while the page is hidden and goes on where it stopped,
 * after a lost connection too. A server that was started anew knows nothing of what the page shows, so the page is loaded again.
 */
export class Live {
  #after;
  #run;
  #person = null;
  #source = null;

  constructor(after, run, { onEvent, onMemory, onState, onNotice }) {
    this.#after = after;
    this.#run = run;
    this.on = { onEvent, onMemory, onState, onNotice };
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#stop() : this.#start()));
  }

  /** Show this customer's memory from now on. */
  watch(person) {
    this.#person = person;
    this.#start();
  }

  #stop() {
    this.#source?.close();
    this.#source = null;
  }

  #start() {
    this.#stop();
    const query = new URLSearchParams({ after: String(this.#after), run: this.#run });
    if (this.#person !== null) query.set("person", String(this.#person));
    const source = new EventSource(`/live?${query}`);
    source.addEventListener("simulator", (event) => {
      const seen = JSON.parse(event.data);
      this.#after = seen.number;
      this.on.onEvent(seen);
    });
    source.addEventListener("memory", (event) => {
      const { person, memory } = JSON.parse(event.data);
      if (person === this.#person) this.on.onMemory(memory);
    });
    source.addEventListener("notice", (event) => {
      const { text, tone } = JSON.parse(event.data);
      this.on.onNotice(text, tone);
    });
    source.addEventListener("restarted", () => location.reload());
    source.onopen = () => this.on.onState(true);
    source.onerror = () => this.#onError(source);
    this.#source = source;
  }

  /** A browser tries again by itself after a lost connection, but not after a refusal. */
  #onError(source) {
    if (source !== this.#source) return;
    this.on.onState(false);
    if (source.readyState === EventSource.CLOSED) setTimeout(() => source === this.#source && this.#start(), AGAIN_MS);
  }
}
