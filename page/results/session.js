// Session: after a reload or a way back the results are still there. The tab remembers their paths, which nobody can guess.
const REMEMBERED = "landscape-colorization-batch", VIEWER = "landscape-colorization";
let running = false, told = ""; // whether the server is at work on a run, and what it has said of it
let visible = false; // whether the tab is open

function remember() {
  const kept = { visible, running, told, results, opened: opened ? results.indexOf(opened.result) : -1 };
  try { sessionStorage.setItem(REMEMBERED, JSON.stringify(kept)); } catch { /* there is no room, or the browser forbids it */ }
}

const remembered = (key) => {
  try { return JSON.parse(sessionStorage.getItem(key)) || {}; } catch { return {}; }
};

function recall() {
  const kept = remembered(REMEMBERED);
  if (!kept.results?.length) return;
  results = kept.results;
  told = kept.running ? t("The page was left while this batch was at work: what is missing here must be colored again.") : kept.told;
  const parts = ({ file, view, full, hints }) => [file, view?.path, full?.path, hints?.path].filter(Boolean);
  tell(t("Bringing back {} ...", results[0].name));
  ask("recall", { files: results.flatMap(parts) }, ({ gone, failed }) => {
    if (batch) return; // a new run was begun meanwhile
    if (!gone) { tell(failed); return; }
    const lost = t("Results are kept here for half an hour after their last use, and this one is not here anymore: color it again.");
    results = results.map((result) => (parts(result).some((path) => gone.includes(path)) ? { name: result.name, problem: lost } : result));
    draw();
    tell(told);
    const result = results[kept.opened], { file, look, version } = remembered(VIEWER);
    if (result?.full && result.file === file) {
      opened = { result, chosen: { look, version } };
      leave();
    }
    remember();
  });
}

window.addEventListener("beforeunload", (event) => { if (running) event.preventDefault(); }); // the browser asks whether to leave
