// Below: what the memory holds of the selected customer, as it stands now.

import { h, keepingScroll, keyed, time } from "./dom.js";

const AUTHORS = { customer: "Customer", assistant: "Assistant", agent: "Agent" };
const BAD_MOOD = -0.5;
const DESK_LANE = "handoff";
const TURN_LANE = "turn";

export class Memory {
  constructor(root) {
    this.title = h("h2", { class: "memory-title" }, "Memory");
    this.standing = h("div", { class: "standing" });
    this.known = h("div", { class: "known" });
    this.exchanges = h("ol", { class: "log" });
    this.turns = h("ol", { class: "turns" });
    this.handoffs = h("ol", { class: "handoffs" });
    this.waiting = h("ol", { class: "waiting" });
    this.exchangeColumn = column("Exchanges", this.exchanges, "exchanges");
    root.append(
      h("div", { class: "memory-head" }, this.title, this.standing),
      h(
        "div",
        { class: "columns" },
        column("What is known", this.known, "facts"),
        this.exchangeColumn,
        column("Turns, and why", this.turns, "turns-column"),
        h(
          "div",
          { class: "column-pair" },
          column("Handoffs", this.handoffs, "handoffs-column"),
          column("On its way", this.waiting, "waiting-column"),
        ),
      ),
    );
  }

  /** Show what is held of this customer; `memory` is null while the memory has not met them. */
  show(customer, memory) {
    this.title.textContent = customer ? `What the memory holds of ${customer.name}` : "Memory";
    this.#showStanding(memory);
    this.#showKnown(memory);
    const body = this.exchangeColumn.querySelector(".column-body");
    keepingScroll(body, () => rows(this.exchanges, memory?.exchanges ?? [], exchangeRow, "Nothing has been said yet."));
    rows(this.turns, memory?.turns ?? [], turnRow, "No turn has been taken yet.");
    rows(this.handoffs, memory?.handoffs ?? [], handoffRow, "No person has been asked for.");
    rows(this.waiting, memory ? onItsWay(memory) : [], waitingRow, "Nothing waits.");
  }

  #showStanding(memory) {
    const open = memory?.handoffs.find((one) => one.state !== "ended");
    const unreachable = memory?.identities.some((one) => one.unreachable_since);
    const pills = [];
    if (!memory) pills.push({ tone: "quiet", words: "Not met yet" });
    else if (!open) pills.push({ tone: "calm", words: "The assistant speaks" });
    else if (open.state === "waiting") pills.push({ tone: "warn", words: "Waits for a person" });
    else pills.push({ tone: "accent", words: `${open.owner_name} holds the case` });
    if (unreachable) pills.push({ tone: "bad", words: "Unreachable" });
    const marks = (memory?.experiences ?? []).filter((one) => one.marks);
    if (marks.length)
      pills.push({
        tone: "bad",
        words: `Careful: ${marks.length} bad ${marks.length === 1 ? "moment" : "moments"}`,
        title: marks.map((one) => one.words).join("; "),
      });
    if (memory?.members.length)
      pills.push({ tone: "quiet", words: `One person, ${memory.members.length + 1} customers`, title: memory.members.join(", ") });
    if (memory)
      pills.push({
        tone: "quiet",
        words: `Ownership ${memory.ownership}`,
        title: "Counts every change of who speaks; replies decided before a change are dropped",
      });
    keyed(this.standing, pills, {
      key: (pill) => pill.tone + pill.words,
      draw: (pill) => h("span", { class: `pill ${pill.tone}`, title: pill.title }, pill.words),
    });
  }

  #showKnown(memory) {
    const parts = [];
    const add = (part, list) => parts.push(...list.map((one) => ({ part, ...one })));
    const section = (title, part, list) => {
      if (!list.length) return;
      parts.push({ part: "heading", id: part, title });
      add(part, list);
    };
    const facts = memory?.facts ?? [];
    add("identity", memory?.identities ?? []);
    if (memory && !facts.length) parts.push({ part: "none" });
    add("fact", facts.filter((fact) => !fact.until));
    section("Promised", "promise", memory?.promises ?? []);
    section("Where they stand", "journey", memory?.journeys ?? []);
    section("Good and bad moments", "moment", memory?.experiences ?? []);
    section("Consents", "consent", memory?.consents ?? []);
    section("From the past, about what they wrote last", "related", memory?.related ?? []);
    section("Earlier conversations", "summary", memory?.summaries ?? []);
    section("Held before", "past", facts.filter((fact) => fact.until));
    add("dialogue", memory?.dialogues ?? []);
    const cite = (id) => this.#cite(id);
    const draw = {
      identity,
      heading: (one) => h("h4", { class: "known-heading" }, one.title),
      fact: (one) => this.#fact(one),
      past: (one) => this.#fact(one),
      promise: (one) => promise(one, cite),
      journey,
      moment: (one) => moment(one, cite),
      consent: (one) => consent(one, cite),
      related: (one) => related(one, cite),
      summary: (one) => summary(one, cite),
      dialogue,
      none: noFacts,
    };
    keyed(this.known, parts.length ? parts : [{ part: "nobody" }], {
      key: (one) => `${one.part}-${one.id ?? one.address ?? one.channel ?? ""}`,
      draw: (one) => (one.part === "nobody" ? nothing("p", "The first message makes a customer.") : draw[one.part](one)),
    });
  }

  #fact(fact) {
    const { value } = fact;
    const doubt = DOUBTS[fact.standing];
    return h(
      "div",
      { class: `known-row ${fact.until ? "past" : ""}` },
      h("span", { class: "known-name" }, fact.name.replaceAll("_", " ")),
      h(
        "span",
        { class: "known-value" },
        typeof value === "string" ? value : short(value),
        doubt && [" ", badge(doubt.words, doubt.tone, doubt.title)],
      ),
      h(
        "span",
        { class: "known-source" },
        `${fact.by && fact.source === "agent" ? fact.by : fact.source} `,
        this.#cite(fact.exchange_id),
        fact.until ? " · until " : " · ",
        time(fact.until ?? fact.since),
      ),
    );
  }

  /** A link to the exchange that something comes from; null where there is none. */
  #cite(id) {
    if (!id) return null;
    const title = "Show the exchange that it comes from";
    return h("button", { class: "cite", type: "button", title, onclick: () => this.#pointAt(id) }, `#${id}`);
  }

  #pointAt(id) {
    const row = this.exchanges.querySelector(`[data-key="${id}"]`);
    if (!row) return;
    row.scrollIntoView({ block: "nearest" });
    row.classList.remove("pointed");
    void row.offsetWidth; // restarts the animation
    row.classList.add("pointed");
  }
}

function column(title, body, cls) {
  return h(
    "section",
    { class: `column ${cls}` },
    h("h3", { class: "column-title" }, title),
    h("div", { class: "column-body", tabindex: "0" }, body),
  );
}

function rows(list, items, draw, emptyWords) {
  const shown = items.length ? items : [{ id: "none" }];
  keyed(list, shown, { key: (one) => one.id, draw: (one) => (one.id === "none" ? nothing("li", emptyWords) : draw(one)) });
}

function nothing(tag, words) {
  return h(tag, { class: "nothing" }, words);
}

function short(value) {
  if (value && typeof value === "object" && !Array.isArray(value))
    return Object.entries(value)
      .map(([name, one]) => `${name} ${short(one)}`)
      .join(", ");
  if (Array.isArray(value)) return value.map(short).join(", ") || "none";
  return value === null ? "–" : String(value);
}

function identity(one) {
  return h(
    "div",
    { class: "known-row" },
    h("span", { class: "known-name" }, one.channel),
    h("span", { class: "known-value" }, one.name ?? "", one.username ? ` @${one.username}` : ""),
    h(
      "span",
      { class: "known-source" },
      [one.address, one.language, `proof: ${one.proof}`].filter(Boolean).join(" · "),
      one.proven_at && [" since ", time(one.proven_at)],
      one.unreachable_since && h("span", { class: "bad-words" }, ` · unreachable: ${one.unreachable_why}`),
    ),
  );
}

const DOUBTS = {
  proposed: { words: "likely", tone: "unsure", title: "Nobody has confirmed it yet" },
  contested: { words: "contradicts", tone: "warn", title: "Said by somebody whose word counts less; kept and shown" },
  retracted: { words: "never true", tone: "quiet", title: "Taken back, corrected, or refused" },
};

function entry(name, value, ...source) {
  return h(
    "div",
    { class: "known-row" },
    h("span", { class: "known-name" }, name),
    h("span", { class: "known-value" }, value),
    h("span", { class: "known-source" }, source),
  );
}

const PROMISE_TONES = { open: "warn", kept: "good", broken: "bad", "kept late": "quiet" };

function promise(one, cite) {
  const due = one.due_at ? [" · due ", time(one.due_at, { day: true })] : null;
  const state = badge(one.state, PROMISE_TONES[one.state] ?? "quiet");
  return entry(`№ ${one.id}`, [one.text, " ", state], `${one.by} `, cite(one.exchange_id), due);
}

function journey(one) {
  const steps = one.moves.map((step) =>
    h("li", {}, step.from_stage ? `${step.from_stage} → ` : "", step.to_stage, ` · ${step.why || step.by} · `, time(step.at)),
  );
  const words = `${steps.length} ${steps.length === 1 ? "move" : "moves"}`;
  const history = steps.length > 0 && h("details", { "data-name": `journey-${one.id}` }, h("summary", {}, words), h("ol", {}, steps));
  const name = [one.product, one.matter].filter(Boolean).join(" ").replaceAll("_", " ");
  return entry(name, [one.stage, one.closed_at && " (closed)"], "since ", time(one.moved_at), history);
}

function moment(one, cite) {
  const tone = one.good ? "good" : "bad";
  const why = one.marks ? "One of those that put them near the limit" : "";
  return entry(
    one.kind,
    [one.words, " ", badge(`${one.good ? "+" : "−"}${one.weight}`, tone, why)],
    cite(one.exchange_id),
    one.exchange_id ? " · " : null,
    time(one.at),
  );
}

function consent(one, cite) {
  const said = badge(one.granted ? "agreed" : "no", one.granted ? "good" : "quiet");
  const where = `text ${one.version} · ${one.channel} `;
  return entry(one.purpose.replaceAll("_", " "), said, where, cite(one.exchange_id), " · ", time(one.at));
}

function summary(one, cite) {
  const said = [one.wanted, one.done].filter(Boolean).join(" → ");
  return entry(one.ending || "over", said, cite(one.links.wanted?.[0]), " ", time(one.ended_at));
}

function related(one, cite) {
  return entry("moment", one.text, cite(one.id), " ", one.why);
}

function noFacts() {
  return nothing("p", "No facts yet. A contact or a location becomes one.");
}

function dialogue(one) {
  const entries = telling(one.state);
  return h(
    "div",
    { class: "dialogue" },
    h("h4", { class: "known-heading" }, "Dialogue state"),
    entries.length
      ? entries.map(([name, value]) =>
          h(
            "div",
            { class: "known-row" },
            h("span", { class: "known-name" }, name.replaceAll("_", " ")),
            h("span", { class: "known-value" }, short(value)),
          ),
        )
      : nothing("p", "Empty"),
  );
}

function exchangeRow(one) {
  return h(
    "li",
    { class: `exchange ${one.author} ${one.about_id ? "event" : ""}`, title: one.reply ? `Reply ${one.reply}` : null },
    h(
      "div",
      { class: "exchange-head" },
      h(
        "span",
        { class: `author ${one.author}` },
        one.author_name && one.author !== "assistant" ? one.author_name : (AUTHORS[one.author] ?? one.author),
      ),
      h(
        "span",
        { class: "exchange-kind" },
        one.direction === "in" ? "in" : "out",
        one.kind === "text" ? "" : ` · ${one.kind.replaceAll("_", " ")}`,
        one.intent ? ` · ${one.intent}` : "",
        one.mood !== null && one.mood <= BAD_MOOD ? " · angry" : "",
        one.about_id ? ` of #${one.about_id}` : "",
      ),
      h("span", { class: "exchange-id" }, `#${one.id}`),
      time(one.at, { seconds: true }),
    ),
    h(
      "div",
      { class: "exchange-body" },
      h(
        "span",
        { class: "exchange-text" },
        one.text || (one.data && !one.files.length ? short(one.data) : ""),
        one.files.length ? h("span", { class: "muted" }, ` [${one.files.join(", ")}]`) : null,
      ),
      h("span", { class: "deliveries" }, deliveries(one)),
    ),
  );
}

const DELIVERY_TONES = { waiting: "warn", sending: "warn", sent: "good", refused: "bad", uncertain: "unsure", dropped: "quiet" };

/** What became of an exchange on its way: to the customer for what we said, to the desk for what they said. */
function deliveries(exchange) {
  const isOut = exchange.direction === "out";
  const shown = exchange.deliveries.filter((one) => (one.lane === DESK_LANE) !== isOut);
  if (!shown.length) return isOut ? null : badge("kept", "quiet", "In the log");
  return compressed(shown).map(({ delivery, count }) => {
    const words = isOut || delivery.state !== "sent" ? delivery.state : "on the desk";
    const settled = delivery.resolved ? ` → ${delivery.resolved}` : "";
    const title = [delivery.why, `${delivery.tries} ${delivery.tries === 1 ? "try" : "tries"}`].filter(Boolean).join(" · ");
    return badge(`${words}${settled}${count > 1 ? ` ×${count}` : ""}`, DELIVERY_TONES[delivery.state] ?? "quiet", title);
  });
}

/** Neighbours with the same fate are one badge: a long answer is several outgoings. */
function compressed(list) {
  const made = [];
  for (const delivery of list) {
    const last = made[made.length - 1];
    if (last && last.delivery.state === delivery.state && last.delivery.resolved === delivery.resolved) last.count += 1;
    else made.push({ delivery, count: 1 });
  }
  return made;
}

function badge(words, tone, title) {
  return h("span", { class: `badge ${tone}`, title }, words);
}

function turnRow(turn) {
  return h(
    "li",
    { class: "turn" },
    h(
      "div",
      { class: "turn-head" },
      h("span", { class: "turn-decision" }, turn.decision),
      h("span", { class: "exchange-id" }, `turn ${turn.id}`),
      h("span", { class: "muted" }, turn.lane === TURN_LANE ? `${turn.took_ms} ms` : "desk"),
      time(turn.started_at, { seconds: true }),
    ),
    h(
      "details",
      { "data-name": `turn-${turn.id}` },
      h("summary", { class: "turn-why" }, why(turn.trace)),
      h("pre", { class: "trace" }, JSON.stringify(turn.trace, null, 2)),
    ),
  );
}

/** The trace in one line: its values with their names, without those that say nothing. */
function why(trace) {
  const parts = telling(trace).map(
    ([name, value]) => `${name}: ${Array.isArray(value) ? value.map(pair).join(", ") : short(value)}`,
  );
  return parts.join(" · ").replaceAll("_", " ") || "nothing in particular was heard";
}

/** An article and its score stand together; everything else is itself. */
function pair(value) {
  return Array.isArray(value) ? value.join(" ") : short(value);
}

/** The entries of an object whose values say something. */
function telling(object) {
  return Object.entries(object).filter(([, value]) => value !== null && value !== "" && !(Array.isArray(value) && !value.length));
}

function handoffRow(one) {
  const tone = { waiting: "warn", owned: "accent", ended: "quiet" }[one.state] ?? "quiet";
  const state = one.state === "ended" ? one.ending : one.state;
  return h(
    "li",
    { class: "handoff" },
    h(
      "div",
      { class: "turn-head" },
      badge(state, tone, `Handoff ${one.id}`),
      h("span", { class: "handoff-owner" }, one.owner_name ?? "nobody yet"),
      time(one.opened_at, { seconds: true }),
    ),
    h("div", { class: "handoff-words" }, `${one.reason}${one.want ? ` – “${one.want}”` : ""}`),
    one.note && h("div", { class: "handoff-words muted" }, `Note: ${one.note}`),
  );
}

function onItsWay(memory) {
  return [
    ...memory.incomings.map((one) => ({ ...one, id: `in-${one.id}`, part: "in" })),
    ...memory.outgoings.map((one) => ({ ...one, id: `out-${one.id}`, part: "out" })),
    ...memory.lanes.map((one) => ({ ...one, id: `lane-${one.kind}-${one.key}`, part: "lane" })),
  ];
}

function waitingRow(one) {
  switch (one.part) {
    case "in":
      return h(
        "li",
        { class: "wait" },
        badge("inbox", "warn", `Update ${one.update_id}`),
        h("span", {}, "waits for its turn since ", time(one.received_at, { seconds: true })),
      );
    case "out":
      return h(
        "li",
        { class: "wait" },
        badge(one.state, "warn", one.why ?? ""),
        h(
          "span",
          {},
          `${one.kind} to ${one.lane}`,
          one.tries ? `, ${one.tries} ${one.tries === 1 ? "try" : "tries"}` : "",
          one.why ? `: ${one.why}` : "",
          " ",
          h("span", { class: "muted" }, one.key),
        ),
      );
    default:
      return h(
        "li",
        { class: "wait" },
        badge("lane", "quiet", `Lease ${one.lease}`),
        h(
          "span",
          {},
          `${one.kind} ${one.key} `,
          one.worker ? "in work until " : "ready at ",
          time(one.ready_at, { seconds: true }),
          one.tries ? ` after ${one.tries} failed` : "",
        ),
      );
  }
}
