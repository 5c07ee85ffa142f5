// The Batch tab opens its photographs here, and is told how they are looked at; a button leads back to it.
let ofBatch = null; // the upload that the Batch tab opened
const openBatch = () => document.querySelectorAll("[role=tab]")[1].click();
const back = make("button", { type: "button", class: "colorization-back", hidden: true, onclick: openBatch }, t("Back to the batch"));
document.querySelectorAll(".colorization-back").forEach((old) => old.remove());
document.body.append(back);

function belongsToBatch(file) {
  ofBatch = file;
  back.hidden = !file;
}
document.addEventListener("colorization-left", () => belongsToBatch(null));

function shownVersion() {
  if (!comparing) return result();
  const picked = mode === "single" ? single : right;
  return isResult(picked) ? picked : result();
}

function announce() {
  const { file } = photo, version = shownVersion();
  if (file !== ofBatch) belongsToBatch(null);
  document.dispatchEvent(new CustomEvent("colorization-look", { detail: { file, look, version } }));
}

// After a reload the Batch tab, or what it had opened here, is open again.
function reopenBatch() {
  let kept = null;
  try { kept = JSON.parse(sessionStorage.getItem("landscape-colorization-batch")); } catch { /* the browser forbids it */ }
  if (kept?.visible) openBatch();
  else belongsToBatch(kept?.results?.[kept.opened]?.file);
}

document.addEventListener("colorization-open", ({ detail: { file, look: wanted, version } }) => {
  comparing = version !== props.main && version !== props.steered; // the other models are seen where models are compared
  if (comparing) [mode, left, right] = ["slider", "input", version];
  belongsToBatch(file);
  color(file, { ...NOTHING, ...wanted });
});
