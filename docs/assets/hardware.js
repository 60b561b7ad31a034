// Holds each run of the hardware table against the memory of the chosen card.
const card = document.getElementById("card");

function judge() {
  for (const place of document.querySelectorAll("[data-gib]")) {
    const usable = Number(card.value);
    place.textContent = !usable ? "" : Number(place.dataset.gib) <= usable ? "✓ fits" : "✗ does not fit";
  }
}

if (card) {
  card.addEventListener("change", judge);
  judge();
}
