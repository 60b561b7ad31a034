// Pictures that can be moved: shares by temperature and their loss (1.02), steps through a valley by rate and momentum
// (1.04), a learning-rate schedule (2.05), and W + BA by rank and scale (3.01).

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
    `W has ${list(weight)} numbers. A and B of rank ${rank} have ${list(adapter)}, ${(100 * adapter / weight).toFixed(2)}% ` +
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

// The steps of SGD through the valley x² / 2 + 100 y² / 2 from (10, 1), as in exercise 1.04, up to the one whose loss is a
// thousandth of the first; or up to the one whose loss is a million times the first.
function throughTheValley(rate, momentum, most = 5000) {
  let [x, y, u, v] = [10, 1, 0, 0];
  const path = [], loss = () => (x * x + 100 * y * y) / 2, first = loss();
  for (let step = 0; step <= most; step++) {
    path.push([x, y]);
    if (loss() <= first / 1000) return { path, end: "arrived" };
    if (loss() > first * 1e6) return { path, end: "diverged" };
    u = momentum * u + x;
    v = momentum * v + 100 * y;
    x -= rate * u;
    y -= rate * v;
  }
  return { path, end: "under way" };
}

function drawMomentum(figure) {
  const fields = figure.querySelector("form").elements;
  const rate = Number(fields.rate.value), momentum = Number(fields.momentum.value);
  const { path, end } = throughTheValley(rate, momentum), steps = (path.length - 1).toLocaleString("en-US");
  const points = path.map(([x, y]) => `${(240 + 15 * x).toFixed(1)},${(100 - 60 * y).toFixed(1)}`);
  figure.querySelector("polyline").setAttribute("points", points.join(" "));
  const said = {
    arrived: `After ${steps} steps the loss is a thousandth of what it was.`,
    diverged: `It diverges: after ${steps} steps the loss is a million times what it was.`,
    "under way": `After ${steps} steps the loss is still above a thousandth of what it was.`,
  }[end];
  figure.querySelector("figcaption").textContent = `Learning rate ${rate}, momentum ${momentum}. ${said}`;
}

// The shares of three logits at a temperature, what a smoothed label asks for, and the cross-entropy of the two, as
// torch's cross_entropy(logits / temperature, target, label_smoothing=smoothing) has it.
function lossAtTemperature(logits, temperature, target, smoothing) {
  const scaled = logits.map(logit => logit / temperature), most = Math.max(...scaled);
  const logSum = most + Math.log(scaled.reduce((sum, one) => sum + Math.exp(one - most), 0));
  const asked = logits.map((_, i) => (i === target ? 1 - smoothing : 0) + smoothing / logits.length);
  const sum = f => asked.reduce((total, share, i) => total + (share ? share * f(i) : 0), 0);
  return {
    shares: scaled.map(one => Math.exp(one - logSum)), asked,
    loss: sum(i => logSum - scaled[i]), lowest: sum(i => -Math.log(asked[i])),
  };
}

function drawTemperature(figure) {
  const fields = figure.querySelector("form").elements, target = Number(fields.target.value);
  const temperature = Number(fields.temperature.value), smoothing = Number(fields.smoothing.value);
  const { shares, asked, loss, lowest } = lossAtTemperature([2, 1, 0], temperature, target, smoothing);
  for (const [kind, values] of Object.entries({ share: shares, asked })) {
    const bars = figure.querySelectorAll(`.${kind}`), numbers = figure.querySelectorAll(`.of-${kind}`);
    values.forEach((value, i) => {
      bars[i].setAttribute("y", (160 - 110 * value).toFixed(1));
      bars[i].setAttribute("height", (110 * value).toFixed(1));
      numbers[i].setAttribute("y", (155 - 110 * value).toFixed(1));
      numbers[i].textContent = value.toFixed(3);
    });
  }
  const list = values => `${values.slice(0, -1).map(one => one.toFixed(3)).join(", ")} and ${values.at(-1).toFixed(3)}`;
  const label = smoothing ? `The label asks for ${list(asked)}.` : `Class ${target} is right.`;
  const least = smoothing ? ` Its lowest possible value is ${lowest.toFixed(2)}.` : "";
  figure.querySelector("figcaption").textContent =
    `At T = ${temperature} the shares are ${list(shares)}. ${label} The cross-entropy is ${loss.toFixed(2)}.${least}`;
}

const pictures = { lora: drawLora, momentum: drawMomentum, schedule: drawSchedule, temperature: drawTemperature };
for (const [name, draw] of Object.entries(pictures)) {
  const figure = document.getElementById(`moving-${name}`);
  if (!figure) continue;
  figure.querySelector("form").removeAttribute("hidden");
  figure.addEventListener("input", () => draw(figure));
  draw(figure);
}
