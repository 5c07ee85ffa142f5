// Details: facts about the photograph and how it was colored, and scores against the original, folded until they are wanted.
function drawDetails() {
  const { size = [0, 0], seconds = {}, origins = {}, notes = [], problems = {} } = photo;
  const facts = [t("{} x {} px", ...size)];
  for (const [name, time] of Object.entries(seconds)) facts.push(t("{}: {} s, weights: {}", props.titles[name], time.toFixed(2), t(origins[name] || "")));
  for (const [name, problem] of Object.entries(problems)) facts.push(`${props.titles[name]}: ${problem}.`);
  $(".facts ul").replaceChildren(...facts.map((fact) => make("li", {}, fact)));
  $(".notes").replaceChildren(...notes.map((note) => make("p", {}, note)));
  $(".notes").hidden = !notes.length;
  $(".scored").hidden = !photo.color;
  drawScores();
}

function drawScores() {
  const scored = $(".scored");
  if (scored.hidden || !scored.open || !photo.file || coloring || steering) return;
  const there = names().filter((name) => name !== "input" && name !== "original");
  const key = JSON.stringify(there.map((name) => keyOf(name)));
  if (drawScores.key === key) return;
  drawScores.key = key;
  request("score", { names: there }, (answer) => { if (answer.table !== undefined && drawScores.key === key) $("#scores").innerHTML = answer.table; });
}

function startDetails() {
  $(".scored").addEventListener("toggle", drawScores);
}
