// The Batch tab opens its photographs here, and is told how they are looked at.
function shownVersion() {
  if (!comparing) return result();
  const picked = mode === "single" ? single : right;
  return isResult(picked) ? picked : result();
}

function announce() {
  const { file } = photo, version = shownVersion();
  document.dispatchEvent(new CustomEvent("colorization-look", { detail: { file, look, version } }));
}

// After a reload the Batch tab is open again if it was before.
function reopenBatch() {
  let kept = null;
  try { kept = JSON.parse(sessionStorage.getItem("landscape-colorization-batch")); } catch { /* the browser forbids it */ }
  if (kept?.visible) document.querySelectorAll("[role=tab]")[1].click();
}

document.addEventListener("colorization-open", ({ detail: { file, look: wanted, version } }) => {
  comparing = version !== props.main && version !== props.steered; // the other models are seen where models are compared
  if (comparing) [mode, left, right] = ["slider", "input", version];
  color(file, { ...NOTHING, ...wanted });
});
