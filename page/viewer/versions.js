// Versions of the photograph: colored by the server, and kept up to date with the look.
const PAUSE = 250; // ms between requests while a visitor drags something
let coloring = 0, steering = 0, steeredAt = 0, waiting = null;

// Color a photograph that was uploaded; what is shown stays until its first picture is there.
const open = (file) => color(file, NOTHING);

// Have models look at a photograph: the main one, or all where they are compared.
function color(file, wanted = look, failed = null) {
  const number = request("color", { file, names: comparing ? props.models : [props.main] }, (answer) => {
    if (number !== coloring) return; // another one was chosen meanwhile
    if (answer.done) coloring = 0;
    if (answer.failed !== undefined) {
      busy("");
      if (answer.gone) (failed || gone)();
      else complain(answer.failed);
      refresh();
      return;
    }
    if (photo.file !== answer.file) begin(answer, wanted);
    photo = { ...photo, ...answer };
    take(answer.versions, wanted);
    busy(answer.doing ? t("Coloring with {} ...", props.titles[answer.doing]) : "", 0.6);
    refresh();
    if (answer.done) {
      remember();
      askMoods();
      follow();
    }
  }, wanted);
  coloring = number;
  busy(t("Coloring ..."), 0.2);
}

// Another photograph than before: its own view, and nothing left of the other.
function begin(answer, wanted) {
  photo = { file: answer.file };
  look = { ...wanted };
  versions.clear();
  details.clear();
  moods = [];
  done = [];
  undone = [];
  view = { zoom: 1, x: 0.5, y: 0.5 };
  errors = false;
  forgetVote();
  closePopover();
  complain("");
  if (narrow()) window.scrollTo({ top: 0, behavior: "smooth" });
}

// Keep what came of a request, with the keys of the look that was asked for.
function take(list, wanted) {
  for (const version of list) versions.set(version.name, { ...version, key: keyOf(version.name, wanted) });
}

// Ask for what is shown and out of date: one request at a time, and not too often.
function follow() {
  if (!photo?.file || coloring || steering) return;
  const late = chosen().filter((name) => name !== "input" && name !== "original" && !isCurrent(name) && (versions.has(name) || name === props.steered));
  const missing = steered() && photo.steerable && !isCurrent(props.steered) && mode !== "blind" ? [props.steered] : [];
  const wanted = [...new Set([...late, ...missing])];
  if (!wanted.length) { wantFull(); return; }
  clearTimeout(waiting);
  const pause = steeredAt + PAUSE - performance.now();
  if (pause > 0) { waiting = setTimeout(follow, pause); return; }
  steeredAt = performance.now();
  const asked = look, { file } = photo;
  steering = request("steer", { names: wanted }, (answer) => {
    steering = 0;
    if (photo.file !== file) { follow(); return; } // another one was chosen meanwhile
    if (answer.failed !== undefined) { answer.gone ? gone() : complain(answer.failed); return; }
    if (answer.unknown) { color(photo.file); return; } // the server must read it again
    take(answer.versions, asked);
    refresh();
    follow();
  });
}

function gone() {
  busy("");
  complain(t("Your photograph is kept here for half an hour after its last use, and is not here anymore: choose it again."));
}

// Pictures at full size or of errors. They are asked for once the visitor has stopped moving.
let wantedDetails = new Set(), detailing = 0;
function want(kind, name) {
  const key = `${kind} ${name}`;
  if (!photo?.file || !isCurrent(name) || details.get(key)?.key === keyOf(name) || coloring) return;
  wantedDetails.add(key);
  clearTimeout(want.timer);
  want.timer = setTimeout(() => {
    if (detailing) return;
    const asked = look, { file } = photo, wanted = [...wantedDetails].filter((key) => isCurrent(key.split(" ")[1]));
    wantedDetails.clear();
    if (!wanted.length) return;
    busy(t("Loading full resolution ..."), 0.6);
    detailing = request("want", { names: wanted }, async (answer) => {
      detailing = 0;
      busy("");
      if (photo.file !== file) { wantFull(); return; } // another one was chosen meanwhile
      if (answer.failed !== undefined) { answer.gone ? gone() : complain(answer.failed); return; }
      for (const [key, { url }] of Object.entries(answer.details)) {
        const preload = new Image();
        preload.src = url;
        await preload.decode().catch(() => {});
        if (photo.file === file) details.set(key, { url, key: keyOf(key.split(" ")[1], asked) });
      }
      draw();
    });
  }, 300);
}
