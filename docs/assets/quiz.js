// The quiz: arrows move, Space and Enter choose, and the first choice of each question counts.
const score = document.querySelector(".score");
const first = new Map();

function tell() {
  const right = [...first.values()].filter(Boolean).length;
  score.textContent = `${right} of ${score.dataset.questions} right at the first try, ${first.size} answered.`;
}

function step(event) {
  const choices = [...event.currentTarget.querySelectorAll("input")];
  const at = choices.indexOf(document.activeElement);
  const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (at < 0 || (by === undefined && event.key !== "Enter")) return;
  event.preventDefault(); // A browser would choose what it moves to.
  if (by === undefined) choices[at].click();
  else choices[(at + by + choices.length) % choices.length].focus();
}

if (score) {
  for (const question of document.querySelectorAll(".question")) {
    question.addEventListener("keydown", step);
    question.addEventListener("change", event => {
      if (!first.has(question)) first.set(question, event.target.closest(".choice").classList.contains("right"));
      tell();
    });
  }
  tell();
}
