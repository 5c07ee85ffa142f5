// Requests about the photograph that is shown, as it is to be colored.
function request(event, content, answer, wanted = look) {
  const { strength, contrast } = wanted;
  return ask(event, { file: photo.file, strength, contrast, guidance: guidance(wanted), side: side(), ...content }, answer);
}

// Long side in pixels that the screen has for a picture: in steps, so that a changed window does not ask anew.
function side() {
  const stage = $(".stage");
  const wide = Math.max(stage.clientWidth, stage.clientHeight) * (window.devicePixelRatio || 1);
  return Math.min(1600, Math.max(800, 200 * Math.ceil(wide / 200)));
}
