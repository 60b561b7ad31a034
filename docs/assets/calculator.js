// The calculator of the hardware page. Its sums are those of tunelings/handson/memory.py; a test compares the two.
const GIB = 2 ** 30;
const OPTIMIZER_BYTES = { adamw: 8, adamw_8bit: 2, sgd_momentum: 4, sgd: 0 };

function count(sizes) {
  const { layers, hidden, intermediate, heads, kv_heads, head_dim, vocab, tied, decoder } = sizes;
  const attention = heads * head_dim, keys = kv_heads * head_dim, matrices = decoder ? 3 : 2;
  const whole = (tied || !decoder ? 1 : 2) * vocab * hidden + (2 * layers + 1) * hidden;
  const linear = layers * (2 * hidden * (attention + keys) + matrices * hidden * intermediate);
  const perRank = layers * (2 * (hidden + attention) + 2 * (hidden + keys) + matrices * (hidden + intermediate));
  return { whole, linear, parameters: whole + linear, perRank };
}

const short = n => n >= 1e9 ? `${(n / 1e9).toFixed(3)} billion` : n >= 1e5 ? `${(n / 1e6).toFixed(1)} million` : String(n);

// Each part: what it is, the sum in words, its bytes.
function trainingMemory(run) {
  const { sizes, method, float32, batch, length, checkpointing, stored_scores, optimizer, rank } = run;
  const { whole, linear, parameters, perRank } = count(sizes);
  const trained = method === "full" ? parameters : rank * perRank;
  const frozen = {
    full: [0, "none: all weights train"],
    lora: [(float32 ? 4 : 2) * parameters, `${float32 ? 4 : 2} bytes · ${short(parameters)}`],
    lora_8bit: [linear + 4 * whole, `1 byte · ${short(linear)} + 4 bytes · ${short(whole)} kept in float32`],
    qlora: [4.127 / 8 * linear + 4 * whole, `4.127 bits · ${short(linear)} + 4 bytes · ${short(whole)} kept in float32`],
  }[method];
  const each = 8 + OPTIMIZER_BYTES[optimizer];
  const tokens = batch * length, wide = float32 ? 2 : 1;
  const scores = stored_scores ? 5 * sizes.heads * length : 0;
  const layer = tokens * (34 * sizes.hidden + scores);
  const kept = checkpointing ? 2 * tokens * sizes.hidden * sizes.layers + layer : sizes.layers * layer;
  const inLayer = `${tokens} · (34 · ${sizes.hidden}${scores ? ` + 5 · ${sizes.heads} · ${length}` : ""})`;
  const inAll = checkpointing ? `2 · ${tokens} · ${sizes.hidden} · ${sizes.layers} + ${inLayer}` : `${sizes.layers} · ${inLayer}`;
  const outputs = sizes.decoder ? sizes.vocab * tokens : 2 * batch;
  return [
    ["frozen weights", frozen[1], frozen[0]],
    ["what trains", `${each} bytes · ${short(trained)} (weight, gradient, optimizer)`, each * trained],
    ["activations", `${float32 ? "2 · " : ""}${float32 ? `(${inAll})` : inAll} bytes`, wide * kept],
    ["logits", `10 bytes · ${short(outputs)}`, 10 * outputs],
    ["context", "the CUDA context and kernels", 0.8 * GIB],
  ].map(([name, sum, bytes]) => ({ name, sum, gib: bytes / GIB }));
}

const WHOLE_NUMBERS = ["layers", "hidden", "intermediate", "heads", "kv_heads", "head_dim", "vocab"];

// What the form says, or the name of the first field that is not a whole number of at least 1.
function runOf(fields) {
  for (const name of ["rank", "batch", "tokens", ...WHOLE_NUMBERS.map(size => `size_${size}`)]) {
    const value = Number(fields[name].value);
    if (!Number.isSafeInteger(value) || value < 1) return { wrong: fields[name].labels[0].textContent };
  }
  const sizes = { tied: fields.size_tied.checked, decoder: fields.size_kind.value === "decoder" };
  for (const name of WHOLE_NUMBERS) sizes[name] = Number(fields[`size_${name}`].value);
  return {
    run: {
      sizes,
      batch: Number(fields.batch.value),
      length: Number(fields.tokens.value),
      rank: Number(fields.rank.value),
      method: fields.method.value,
      float32: fields.precision.value === "float32",
      checkpointing: fields.checkpointing.checked,
      stored_scores: fields.attention.value === "eager",
      optimizer: fields.optimizer.value,
    },
  };
}

function verdict(total, usable) {
  const needs = `${total.toFixed(1)} GiB`;
  if (!usable) return `It needs about ${needs}. Choose a card to see whether it fits.`;
  const of = `about ${needs} of ${usable.toFixed(1)} GiB that a run can use`;
  if (total > usable) return `✗ Does not fit: ${of}.`;
  return total * 1.15 > usable ? `△ Tight: ${of}; a run can need 15% more than computed.` : `✓ Fits: ${of}.`;
}

function show(form) {
  const said = form.querySelector(".verdict"), table = form.querySelector("tbody"), bar = form.querySelector(".bar");
  const { run, wrong } = runOf(form.elements);
  table.replaceChildren();
  bar.replaceChildren();
  if (wrong) {
    said.textContent = `${wrong}: a whole number of at least 1, please.`;
    return;
  }
  form.elements.rank.disabled = run.method === "full";
  form.querySelector(".parameters").textContent = short(count(run.sizes).parameters);
  const parts = trainingMemory(run), usable = Number(form.elements.gpu.value);
  const total = parts.reduce((sum, part) => sum + part.gib, 0);
  for (const { name, sum, gib } of [...parts, { name: "total", sum: "", gib: total }]) {
    const row = table.insertRow();
    for (const text of [name, sum, gib.toFixed(2)]) row.insertCell().textContent = text;
  }
  for (const { gib } of parts) {
    const piece = document.createElement("span");
    piece.style.width = `${100 * gib / Math.max(total, usable)}%`;
    bar.append(piece);
  }
  said.textContent = verdict(total, usable);
}

function fill(form) {
  const chosen = form.elements.model.value;
  if (!chosen) return;
  const sizes = JSON.parse(chosen);
  for (const name of WHOLE_NUMBERS) form.elements[`size_${name}`].value = sizes[name];
  form.elements.size_tied.checked = sizes.tied;
  form.elements.size_kind.value = sizes.decoder ? "decoder" : "encoder";
}

const calculator = document.getElementById("calculator");
if (calculator) {
  calculator.addEventListener("submit", event => event.preventDefault());
  calculator.addEventListener("input", event => {
    if (event.target.name === "model") fill(calculator);
    else if (event.target.closest(".sizes")) calculator.elements.model.value = "";
    show(calculator);
  });
  calculator.removeAttribute("hidden");
  fill(calculator);
  show(calculator);
}
