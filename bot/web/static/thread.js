// A list of messages as a chat application shows it: bubbles, media, buttons, reactions, edits. Used for customers and for agents.

import { fileUrl } from "./api.js";
import { avatar, followEnd, h, icon, keepingScroll, keyed, menuButton, time } from "./dom.js";
import { notify } from "./notices.js";
import { rich } from "./rich.js";

const REACTIONS = ["👍", "❤", "😢"];

const FILE_WORDS = {
  document: "Document",
  voice: "Voice message",
  audio: "Audio",
  video: "Video",
  animation: "Animation",
  video_note: "Video message",
  sticker: "Sticker",
};

const SERVICE_WORDS = {
  forum_topic_created: (message) => `${message.from_name} opened the topic “${message.raw.forum_topic_created.name}”`,
  forum_topic_edited: (message) => `${message.from_name} changed the topic`,
  forum_topic_closed: (message) => `${message.from_name} closed the topic`,
  forum_topic_reopened: (message) => `${message.from_name} reopened the topic`,
  pinned_message: (message) => `${message.from_name} pinned a message`,
  new_chat_members: (message) => `${message.from_name} joined`,
  left_chat_member: (message) => `${message.from_name} left`,
};

/**
 * One list of messages. `viewer()` is the id of the person who looks; `isGroup` shows senders. `deeds`: press(message, button),
 * react(message, emoji), edit(message), remove(message); `canRemove(message)`; `mark(message)` gives an own message's delivery:
 * { name, title }, or null.
 */
export class Thread {
  constructor(list, { viewer, isGroup, deeds, canRemove, mark = () => null }) {
    this.list = list;
    this.viewer = viewer;
    this.isGroup = isGroup;
    this.deeds = deeds;
    this.canRemove = canRemove;
    this.mark = mark;
    followEnd(list);
  }

  /** Show these messages; at another `place` the list starts at its end. */
  show(messages, place) {
    const moved = this.place !== place;
    this.place = place;
    const draw = () =>
      keyed(this.list, groups(messages), {
        key: (group) => `${place}/${group.head.message_id}`,
        state: (group) => JSON.stringify([this.viewer(), group, group.messages.map((one) => this.mark(one)?.name)]),
        draw: (group) => this.#draw(group),
      });
    keepingScroll(this.list, draw, { toEnd: moved });
  }

  #draw(group) {
    const { head } = group;
    if (head.kind in SERVICE_WORDS) return h("li", { class: "service" }, SERVICE_WORDS[head.kind](head));
    if (group.messages.every((one) => one.is_deleted))
      return h("li", { class: "service" }, `${head.from_name} deleted a message`);
    const isOwn = head.from_id === this.viewer();
    const side = isOwn ? "own" : head.from_bot ? "from-bot" : "from-person";
    return h(
      "li",
      {
        class: `message ${side} ${group.isFirst ? "first" : ""} ${this.isGroup ? "in-group" : ""}`,
        dataset: { id: String(head.message_id) },
      },
      this.isGroup && h("div", { class: "message-avatar" }, group.isFirst && avatar(head.from_name, head.from_id)),
      h(
        "div",
        { class: "message-body" },
        h(
          "div",
          { class: "bubble" },
          this.isGroup &&
            group.isFirst &&
            h(
              "div",
              { class: `sender tone-${Math.abs(head.from_id) % 6}` },
              head.from_name,
              head.from_bot && h("span", { class: "tag" }, "bot"),
            ),
          this.#content(group),
          this.#foot(group, isOwn),
        ),
        this.#buttons(head),
        this.#reactions(head),
      ),
      this.#menu(head, isOwn),
    );
  }

  #content(group) {
    const { head } = group;
    const shown = group.messages.filter((one) => !one.is_deleted);
    const words = shown.find((one) => one.text) ?? head;
    const text = words.text && h("div", { class: "text" }, rich(words.text, words.entities));
    const photos = shown.filter((one) => one.kind === "photo" && one.media);
    if (photos.length) return [h("div", { class: `photos count-${Math.min(photos.length, 4)}` }, photos.map(photo)), text];
    if (head.kind === "location" || head.kind === "contact") return [special(head), text];
    if (head.media) return [file(head), text];
    return text || h("div", { class: "text muted" }, head.kind);
  }

  #foot(group, isOwn) {
    const { head } = group;
    const edited = group.messages.find((one) => one.edited_at && one.previous.length);
    const mark = isOwn ? this.mark(group.messages[group.messages.length - 1]) : null;
    return h(
      "div",
      { class: "foot" },
      head.is_pinned && h("span", { class: "pinned", title: "Pinned" }, icon("pin")),
      edited && h("span", { class: "edited", title: edited.previous.map((one) => `Before: ${one}`).join("\n") }, "edited"),
      time(head.at),
      mark &&
        h("span", { class: `mark ${mark.name}`, title: mark.title, role: "img", "aria-label": mark.title }, icon(mark.name)),
    );
  }

  #buttons(message) {
    if (!message.buttons.length) return null;
    return h(
      "div",
      { class: "keys" },
      message.buttons.map((row) =>
        h(
          "div",
          { class: "key-row" },
          row.map((button) => this.#key(message, button)),
        ),
      ),
    );
  }

  #key(message, button) {
    if (button.url)
      return h("a", { class: "key", href: safe(button.url), target: "_blank", rel: "noopener noreferrer" }, button.text);
    const key = h("button", { class: "key", type: "button", "data-focus": `key-${button.data}` }, button.text);
    key.addEventListener("click", async () => {
      key.disabled = true;
      await this.deeds.press(message, button);
      key.disabled = false;
    });
    return key;
  }

  #reactions(message) {
    const given = Object.entries(message.reactions).flatMap(([who, emoji]) => emoji.map((one) => [who, one]));
    if (!given.length) return null;
    return h(
      "div",
      { class: "reactions" },
      given.map(([who, emoji]) =>
        h(
          "button",
          {
            class: "reaction",
            type: "button",
            disabled: Number(who) !== this.viewer(),
            title: Number(who) === this.viewer() ? "Take back" : "Reaction",
            onclick: () => this.deeds.react(message, null),
          },
          emoji,
        ),
      ),
    );
  }

  #menu(message, isOwn) {
    const entries = () => [
      ...REACTIONS.map((emoji) => ({ label: `React ${emoji}`, run: () => this.deeds.react(message, emoji) })),
      ...(isOwn && message.text ? [{ label: "Edit", run: () => this.deeds.edit(message) }] : []),
      ...(this.canRemove(message) ? [{ label: "Delete", danger: true, run: () => this.deeds.remove(message) }] : []),
    ];
    return menuButton({ label: "Message menu", iconName: "more", entries, cls: "icon-button message-menu", focus: "menu" });
  }
}

/** Show what a bot answered to a pressed button; most answers are empty and only stop the waiting. */
export function showAnswer(answer) {
  if (!answer.is_answered) notify("The bot has not answered the button yet", "error");
  else if (answer.text) notify(answer.text, "answer");
}

/** Messages as they stand on the screen: albums together, and whether a group begins a sender's stretch. */
function groups(messages) {
  const made = [];
  for (const message of messages) {
    const last = made[made.length - 1];
    if (message.album_id && last?.head.album_id === message.album_id) {
      last.messages.push(message);
      continue;
    }
    const follows = last && last.head.from_id === message.from_id && !(last.head.kind in SERVICE_WORDS);
    made.push({ head: message, messages: [message], isFirst: !follows });
  }
  return made;
}

function photo(message) {
  const image = h("img", { src: fileUrl(message.media.unique_id), alt: message.media.name ?? "Photo", loading: "lazy" });
  return h("a", { class: "photo", href: fileUrl(message.media.unique_id), target: "_blank", rel: "noopener" }, image);
}

function file(message) {
  const { media } = message;
  return h(
    "div",
    { class: "file" },
    h("span", { class: "file-icon" }, icon("file")),
    h(
      "span",
      { class: "file-words" },
      h("span", { class: "file-name" }, media.name ?? FILE_WORDS[media.kind] ?? media.kind),
      h("span", { class: "muted" }, size(media.size)),
    ),
  );
}

function size(bytes) {
  if (!bytes) return "";
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function special(message) {
  const { location, contact } = message.raw;
  const words = location
    ? ["Location", `${location.latitude.toFixed(4)}, ${location.longitude.toFixed(4)}`]
    : [[contact.first_name, contact.last_name].filter(Boolean).join(" "), contact.phone_number];
  return h(
    "div",
    { class: "file" },
    h("span", { class: "file-icon" }, icon(location ? "place" : "person")),
    h("span", { class: "file-words" }, h("span", { class: "file-name" }, words[0]), h("span", { class: "muted" }, words[1])),
  );
}

function safe(url) {
  return /^https?:/i.test(url) ? url : "#";
}
