// Pictures that can be moved: W + BA by rank and scale (3.01), and a learning-rate schedule (2.05).

// What LoRA of a rank adds to a layer [out, in]: the numbers of W, those of A and B, the scale, and the rank from which
// A and B are as large as W.
function loraNumbers(rows, columns, rank, alpha) {
  const weight = rows * columns, adapter = rank * (rows + columns);
  return { weight, adapter, scale: alpha / rank, even: Math.ceil(weight / (rows + columns)) };
}

function drawLora(figure) {
  const fields = figure.querySelector("form").elements;
  const [rows, columns] = fields.layer.value.split(",").map(Number);
  const rank = Number(fields.rank.value), unit = 160 / Math.max(rows, columns);
  const { weight, adapter, scale, even } = loraNumbers(rows, columns, rank, Number(fields.alpha.value));
  const place = (name, values) => {
    for (const [key, value] of Object.entries(values)) figure.querySelector(name).setAttribute(key, value.toFixed(1));
  };
  const thin = Math.max(1.5, rank * unit), wide = columns * unit, high = rows * unit, right = 205 + thin + 28;
  place(".frozen", { width: wide, height: high });
  place(".up", { width: thin, height: high });
  place(".down", { x: right, width: wide, height: thin });
  place(".name-w", { x: 10 + wide / 2, y: 24 + high / 2 });
  place(".name-b", { x: 205 + thin / 2 });
  place(".times", { x: 205 + thin + 14 });
  place(".name-a", { x: right + wide / 2, y: 20 + thin + 20 });
  const list = n => n.toLocaleString("en-US");
  figure.querySelector("figcaption").textContent =
    `W has ${list(weight)} numbers. A and B of rank ${rank} have ${list(adapter)}, ${(100 * adapter / weight).toFixed(2)} % ` +
    `of that. Their product is multiplied by α / r = ${Number(scale.toFixed(3))}. From rank ${list(even)} on they have as many as W.`;
}

// The share of the peak rate at a step, as in exercise 2.05.
function shareOfPeak(kind, step, warmup, total, floor) {
  if (step < warmup) return step / warmup;
  const q = Math.min(1, (step - warmup) / (total - warmup));
  return { constant: 1, linear: 1 - q, cosine: floor + (1 - floor) * (1 + Math.cos(Math.PI * q)) / 2 }[kind];
}

function drawSchedule(figure) {
  const fields = figure.querySelector("form").elements, total = 400;
  const warmup = Number(fields.warmup.value), floor = Number(fields.floor.value);
  fields.floor.disabled = fields.kind.value !== "cosine";
  const share = step => shareOfPeak(fields.kind.value, step, warmup, total, floor);
  const points = [];
  for (let step = 0; step <= 440; step += 5) {
    points.push(`${(30 + 340 * step / 440).toFixed(1)},${(150 - 130 * share(step)).toFixed(1)}`);
  }
  figure.querySelector("polyline").setAttribute("points", points.join(" "));
  let sum = 0;
  for (let step = 0; step < total; step++) sum += share(step);
  const said = [...new Set([0, warmup, 200, 400])].sort((a, b) => a - b).map(at => `Step ${at}: ${share(at).toFixed(2)}.`);
  figure.querySelector("figcaption").textContent = `${said.join(" ")} Mean over the run: ${(sum / total).toFixed(2)}.`;
}

for (const [id, draw] of [["moving-lora", drawLora], ["moving-schedule", drawSchedule]]) {
  const figure = document.getElementById(id);
  if (!figure) continue;
  figure.querySelector("form").removeAttribute("hidden");
  figure.addEventListener("input", () => draw(figure));
  draw(figure);
}
