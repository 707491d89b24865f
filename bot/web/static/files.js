// Files that simulated people send: chosen ones, and sample pictures that are drawn here.

/** A file's bytes in base64. */
export function base64(blob) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(blob);
  });
}

/** Let the person choose files; an empty list if they think better of it. */
export function choose({ accept = "", multiple = false } = {}) {
  return new Promise((done) => {
    const input = document.createElement("input");
    Object.assign(input, { type: "file", accept, multiple });
    input.addEventListener("change", () => done([...input.files]));
    input.addEventListener("cancel", () => done([]));
    input.click();
  });
}

const TONES = [
  ["#0f766e", "#134e4a"],
  ["#b45309", "#7c2d12"],
  ["#4338ca", "#312e81"],
];

/** A drawn photo, as base64 of a PNG: a bank card on a table. `n` varies the colours. */
export async function samplePhoto(n = 0) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 480, height: 320 });
  const draw = canvas.getContext("2d");
  const [light, dark] = TONES[n % TONES.length];
  draw.fillStyle = "#e7e2d8";
  draw.fillRect(0, 0, 480, 320);
  draw.translate(240, 160);
  draw.rotate(-0.08 + 0.05 * n);
  const card = draw.createLinearGradient(-160, -100, 160, 100);
  card.addColorStop(0, light);
  card.addColorStop(1, dark);
  draw.fillStyle = card;
  draw.shadowColor = "rgba(0, 0, 0, .35)";
  draw.shadowBlur = 24;
  draw.shadowOffsetY = 10;
  draw.beginPath();
  draw.roundRect(-160, -100, 320, 200, 18);
  draw.fill();
  draw.shadowColor = "transparent";
  draw.fillStyle = "#e9c46a";
  draw.beginPath();
  draw.roundRect(-130, -40, 46, 36, 7);
  draw.fill();
  draw.fillStyle = "rgba(255, 255, 255, .92)";
  draw.font = "600 24px monospace";
  draw.fillText(`•••• •••• •••• ${4021 + n}`, -130, 42);
  draw.font = "16px sans-serif";
  draw.fillText("SAMPLE", -130, 74);
  return base64(await new Promise((done) => canvas.toBlob(done, "image/png")));
}
