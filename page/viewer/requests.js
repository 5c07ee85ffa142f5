// Requests to the server and its answers, which carry the number of their request.
const asked = new Map(); // what is to be done with the answers, by number
let number = 0;

function request(event, content, answer, wanted = look) {
  number += 1;
  asked.set(number, answer);
  const { strength, contrast } = wanted;
  trigger(event, { request: number, file: photo.file, strength, contrast, guidance: guidance(wanted), side: side(), ...content });
  return number;
}

document.addEventListener("colorization-answer", ({ detail }) => {
  if (detail.lost) { // gradio has told the visitor why
    const waiting = [...asked.values()];
    asked.clear();
    for (const answer of waiting) answer({ failed: "", done: true });
    return;
  }
  const answer = asked.get(detail.request);
  if (detail.done !== false) asked.delete(detail.request);
  answer?.(detail);
});

// Long side in pixels that the screen has for a picture: in steps, so that a changed window does not ask anew.
function side() {
  const stage = $(".stage");
  const wide = Math.max(stage.clientWidth, stage.clientHeight) * (window.devicePixelRatio || 1);
  return Math.min(1600, Math.max(800, 200 * Math.ceil(wide / 200)));
}
