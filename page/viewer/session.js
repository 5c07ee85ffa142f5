// Session: after a reload or a way back the work is still there. The tab remembers the upload's path, which nobody can guess, and the look.
const REMEMBERED = "landscape-colorization";

function remember() {
  if (!photo?.file) return;
  announce();
  const { file, stem } = photo;
  try {
    sessionStorage.setItem(REMEMBERED, JSON.stringify({ file, stem, look, version: shownVersion(), comparing, mode: mode === "blind" ? "slider" : mode, divider }));
  } catch { /* there is no room, or the browser forbids it */ }
}

function forget() {
  try { sessionStorage.removeItem(REMEMBERED); } catch { /* the same */ }
}

function recall() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(REMEMBERED));
    if (!kept?.file) return;
    ({ comparing, mode, divider } = kept);
    color(kept.file, { ...NOTHING, ...kept.look }, () => {
      forget();
      comparing = false;
      gone();
    });
    busy(t("Bringing back {} ...", kept.stem), 0.2);
  } catch { forget(); }
}
