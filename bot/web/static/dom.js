// Small helpers for building the page. Text only ever becomes text nodes: nothing here takes markup.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element. `props`: attributes, `class`, `dataset`, and `on…` listeners; null and false leave an attribute out. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child);
  }
}

const ICONS = {
  send: ["M4 12 20 4l-4.5 16-4-6.5z", "m11.5 13.5 4-4.5"],
  add: ["M12 5v14", "M5 12h14"],
  more: ["M6 12h.01", "M12 12h.01", "M18 12h.01"],
  block: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "m5.8 5.8 12.4 12.4"],
  lock: ["M7 11V8a5 5 0 0 1 10 0v3", "M5.5 11h13v9h-13z"],
  unlock: ["M7 11V8a5 5 0 0 1 9.6-2", "M5.5 11h13v9h-13z"],
  bin: ["M4 7h16", "M9.5 7V4.5h5V7", "M6.5 7l1 13h9l1-13"],
  file: ["M6 3h8l4 4v14H6z", "M14 3v4h4"],
  place: ["M12 21s-6.5-6-6.5-11a6.5 6.5 0 0 1 13 0c0 5-6.5 11-6.5 11z", "M12 12.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4z"],
  person: ["M12 11.5a3.7 3.7 0 1 0 0-7.4 3.7 3.7 0 0 0 0 7.4z", "M4.5 20.5c.7-4 3.6-6 7.5-6s6.8 2 7.5 6"],
  topic: ["M5 9h14", "M5 15h14", "M10 4 8 20", "M16 4l-2 16"],
  tick: ["m5 12.5 4.5 4.5L19 7.5"],
  ticks: ["m2.5 12.5 4.5 4.5 8-9", "m11.5 16.5.5.5 9.5-9.5"],
  pin: ["M9 4h6l-.7 6 3 3H6.7l3-3z", "M12 13v7"],
};

/** A line icon, hidden from screen readers: whatever carries it has words. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  for (const line of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", line);
    svg.append(path);
  }
  return svg;
}

/**
 * Make the children of `container` show `items` in their order, keeping the nodes of items that have not changed, so that
 * scroll positions, focus and open details stay. `key` names an item, `draw` makes its node, and `state` is what the drawing depends on.
 */
export function keyed(container, items, { key, draw, state = (item) => JSON.stringify(item) }) {
  const known = new Map();
  for (const node of container.children) known.set(node.dataset.key, node);
  let at = container.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    const mark = state(item);
    const old = known.get(name);
    known.delete(name);
    let node = old;
    if (!old || old.drawnFrom !== mark) {
      node = draw(item);
      node.dataset.key = name;
      node.drawnFrom = mark;
      if (old) replace(old, node);
      if (old && old === at) at = node;
    }
    if (node === at) at = at.nextElementSibling;
    else container.insertBefore(node, at);
  }
  for (const node of known.values()) node.remove();
}

function replace(old, node) {
  const open = new Set([...old.querySelectorAll("details[open][data-name]")].map((one) => one.dataset.name));
  for (const details of node.querySelectorAll("details[data-name]")) details.open = open.has(details.dataset.name);
  if (old.matches("details[open]")) node.open = true;
  const focused = old.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  old.replaceWith(node);
  if (focused) node.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

const NEAR_END_PX = 48;

/**
 * Run `change` and keep the list at its end if it was there, or if `toEnd` says so; else leave it where it was. A newest item that is
 * taller than the list is shown from its beginning.
 */
export function keepingScroll(list, change, { toEnd = false } = {}) {
  const follows = toEnd || isFollowed(list);
  const last = list.lastElementChild;
  change();
  if (!follows) return;
  const newest = list.lastElementChild;
  list.showsTall = Boolean(newest) && newest !== last && newest.offsetHeight > list.clientHeight;
  list.scrollTop = list.showsTall ? newest.offsetTop - 8 : list.scrollHeight;
  list.followedAt = list.scrollTop;
}

/** Keep the list at its end, if it is there, when its own size changes or a picture in it has loaded. */
export function followEnd(list) {
  const again = () => {
    if (list.showsTall || list.scrollTop !== list.followedAt) return;
    list.scrollTop = list.scrollHeight;
    list.followedAt = list.scrollTop;
  };
  new ResizeObserver(again).observe(list);
  list.addEventListener("load", again, true);
}

function isFollowed(list) {
  return list.scrollTop === list.followedAt || list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX;
}

/** Initials in a circle; the hue comes from the id, so a person looks the same everywhere. */
export function avatar(name, id, extra = "") {
  const words = name.trim().split(/\s+/);
  const initials = (words[0]?.[0] ?? "?") + (words.length > 1 ? words[words.length - 1][0] : "");
  const tone = Math.abs(Number(id)) % 6;
  return h("span", { class: `avatar tone-${tone} ${extra}`, "aria-hidden": "true" }, initials.toUpperCase());
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
const CLOCK_S = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** A time of day with the whole date in its tooltip; with `day` the whole date stands there itself. */
export function time(iso, { seconds = false, day = false } = {}) {
  const at = new Date(iso);
  const format = day ? WHOLE : seconds ? CLOCK_S : CLOCK;
  return h("time", { datetime: iso, title: WHOLE.format(at) }, format.format(at));
}

/** Let a textarea grow with its text up to the height that the style sheet allows, and send on Enter (Shift+Enter: a new line). */
export function composing(textarea, onEnter) {
  const fit = () => {
    textarea.style.height = "auto";
    textarea.style.height = `${textarea.scrollHeight + 2}px`;
  };
  textarea.addEventListener("input", fit);
  textarea.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    onEnter();
  });
  return fit;
}

let openMenu = null;

/** A button that opens a small menu. `entries()` gives [{ label, run, danger }]; arrow keys move, Escape closes. */
export function menuButton({ label, iconName, entries, cls = "icon-button", focus = null }) {
  const button = h(
    "button",
    { class: cls, type: "button", title: label, "aria-label": label, "aria-haspopup": "menu", "data-focus": focus },
    icon(iconName),
  );
  button.addEventListener("click", (event) => {
    event.stopPropagation();
    if (openMenu?.button === button) closeMenu();
    else showMenu(button, entries());
  });
  return button;
}

function showMenu(button, entries) {
  closeMenu();
  const menu = h(
    "div",
    { class: "menu", role: "menu" },
    entries.map((entry) =>
      h(
        "button",
        {
          type: "button",
          role: "menuitem",
          class: entry.danger ? "menu-item danger" : "menu-item",
          onclick: () => {
            closeMenu();
            entry.run();
          },
        },
        entry.label,
      ),
    ),
  );
  document.body.append(menu);
  place(menu, button.getBoundingClientRect());
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.children];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      closeMenu();
      button.focus();
    }
  });
  openMenu = { menu, button };
  menu.firstElementChild?.focus();
}

function place(menu, near) {
  const { width, height } = menu.getBoundingClientRect();
  const left = Math.min(Math.max(8, near.left), window.innerWidth - width - 8);
  const above = near.bottom + height + 8 > window.innerHeight;
  menu.style.left = `${left}px`;
  menu.style.top = `${above ? Math.max(8, near.top - height - 6) : near.bottom + 6}px`;
}

/** Close the open menu, if there is one. */
export function closeMenu() {
  openMenu?.menu.remove();
  openMenu = null;
}

document.addEventListener("click", (event) => {
  if (openMenu && !openMenu.menu.contains(event.target)) closeMenu();
});
