// The bar between chats and memory: drag it, or move it with the arrow keys.

const STORED = "legato-memory-height";
const FIRST = 38;
const MIN = 20;
const MAX = 75;

/** Let `bar` set how much of `stage` the memory takes, in per cent. */
export function splitting(stage, bar) {
  const set = (percent) => {
    const height = Math.round(Math.min(MAX, Math.max(MIN, percent)));
    stage.style.setProperty("--memory-height", `${height}%`);
    bar.setAttribute("aria-valuenow", String(height));
    localStorage.setItem(STORED, String(height));
  };
  set(Number(localStorage.getItem(STORED)) || FIRST);
  bar.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    bar.setPointerCapture(event.pointerId);
    const box = stage.getBoundingClientRect();
    const move = (moved) => set((100 * (box.bottom - moved.clientY)) / box.height);
    bar.addEventListener("pointermove", move);
    bar.addEventListener("lostpointercapture", () => bar.removeEventListener("pointermove", move), { once: true });
  });
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowUp: 4, ArrowDown: -4 }[event.key];
    if (!step) return;
    event.preventDefault();
    set(Number(bar.getAttribute("aria-valuenow")) + step);
  });
}
