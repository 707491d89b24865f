// Telegram's entities become DOM nodes. Offsets count UTF-16 units, as JavaScript's strings do.

import { h } from "./dom.js";

const TAGS = {
  bold: "strong",
  italic: "em",
  underline: "u",
  strikethrough: "s",
  code: "code",
  pre: "pre",
  blockquote: "blockquote",
  expandable_blockquote: "blockquote",
};
const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]);
const SAFE_LINK = /^(https?:|mailto:|tel:|tg:)/i;

/** The text with its entities, as nodes. Entities nest or stand apart, never overlap: Telegram sees to that. */
export function rich(text, entities = []) {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return nodes(text, sorted, 0, text.length);
}

function nodes(text, entities, start, end) {
  const made = [];
  let at = start;
  for (let n = 0; n < entities.length; n += 1) {
    const entity = entities[n];
    const stop = Math.min(entity.offset + entity.length, end);
    if (entity.offset < at || stop <= entity.offset) continue;
    if (entity.offset > at) made.push(text.slice(at, entity.offset));
    const inner = entities.slice(n + 1).filter((one) => one.offset >= entity.offset && one.offset + one.length <= stop);
    made.push(wrap(entity, text.slice(entity.offset, stop), nodes(text, inner, entity.offset, stop)));
    at = BLOCKS.has(entity.type) && text[stop] === "\n" ? stop + 1 : stop; // a block ends its line by itself
  }
  if (at < end) made.push(text.slice(at, end));
  return made;
}

function wrap(entity, plain, children) {
  const tag = TAGS[entity.type];
  if (tag) return h(tag, {}, children);
  switch (entity.type) {
    case "text_link":
      return link(entity.url, children);
    case "url":
      return link(/^[a-z]+:/i.test(plain) ? plain : `https://${plain}`, children);
    case "email":
      return link(`mailto:${plain}`, children);
    case "phone_number":
      return link(`tel:${plain}`, children);
    case "spoiler":
      return h(
        "span",
        {
          class: "spoiler",
          tabindex: "0",
          title: "Hidden: click to show",
          onclick: (event) => event.currentTarget.classList.add("shown"),
        },
        children,
      );
    case "mention":
    case "hashtag":
    case "bot_command":
      return h("span", { class: "mention" }, children);
    default:
      return h("span", {}, children);
  }
}

function link(url, children) {
  if (!SAFE_LINK.test(url)) return h("span", {}, children);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, children);
}
