// Blind vote: the results without their names, in an order drawn anew for each photograph.
function shuffle() {
  shuffled = results().map((p) => p.name);
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
  }
}

function vote(name) {
  kept = name;
  trigger("vote", { kept: name, shown: shuffled });
  refresh();
}
