// Blind vote: the results without their names, in an order drawn anew for each photograph.
let shuffled = [], kept = "";

function shuffle() {
  if (shuffled.length === props.models.length) return;
  shuffled = props.models.filter((name) => versions.has(name));
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
  }
}

function forgetVote() {
  shuffled = [];
  kept = "";
  if (mode === "blind") mode = "slider";
}

function vote(name) {
  kept = name;
  trigger("vote", { file: photo.file, strength: look.strength, kept: name, shown: shuffled });
  refresh();
}
