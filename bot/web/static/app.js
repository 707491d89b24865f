// Puts the page together: loads what there is, then follows the live stream.

import * as api from "./api.js";
import { Customers } from "./chat.js";
import { Desk } from "./desk.js";
import { Faults } from "./faults.js";
import { showGuide } from "./guide.js";
import { Memory } from "./memory.js";
import { notify } from "./notices.js";
import { splitting } from "./splitter.js";

const byId = (id) => document.getElementById(id);
const FAULTS_PAUSE_MS = 200;

async function start() {
  // The number comes first: whatever happens while the rest loads is told again by the stream, and told twice does no harm.
  const [setup, last] = await Promise.all([api.setup(), api.lastEvent()]);
  byId("company").textContent = setup.company;
  document.title = `Legato playground – ${setup.company}`;

  const memory = new Memory(byId("memory"));
  const desk = new Desk(byId("desk"), setup);
  const faults = new Faults(byId("faults"), setup);
  let looking = null;
  const lookAtFaults = () => {
    clearTimeout(looking);
    looking = setTimeout(() => faults.refresh(), FAULTS_PAUSE_MS);
  };
  const live = new api.Live(last, setup.run, {
    onEvent: (event) => {
      if (event.kind === "reset") return void Promise.all([customers.reload(), desk.refresh()]);
      customers.onEvent(event);
      desk.onEvent(event);
      lookAtFaults();
    },
    onMemory: (view) => {
      memory.show(customers.selected, view);
      customers.onMemory(view);
      lookAtFaults();
    },
    onNotice: notify,
    onState: (isOn) => {
      byId("link-state").textContent = isOn ? "Live" : "Reconnecting…";
      byId("link-state").classList.toggle("off", !isOn);
    },
  });
  const customers = new Customers(byId("customers"), setup, (id) => live.watch(id));

  splitting(byId("stage"), byId("splitter"));
  await Promise.all([customers.refresh(), desk.refresh(), faults.refresh()]);
  showGuide(byId("guide"), byId("show-guide"), setup, customers, desk);
}

start().catch((error) => notify(`The playground could not start: ${error.message}`, "error"));
