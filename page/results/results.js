// Results of a batch. A click on one opens it in the viewer; what is chosen there is what is downloaded.
let batch = ""; // the run that is shown
let results = []; // as the server sends them; what was chosen in the viewer replaces them
let complaint = false; // whether the status says why nothing was begun
let opened = null; // the result that the viewer shows

function tell(text, part = null) {
  $(".status").textContent = text;
  $(".progress").hidden = part === null;
  if (part !== null) $(".progress div").style.width = `${100 * part}%`;
}

// The server's news of a run: what it has made so far.
function receive({ id = "", text = "", part = null, results: list = [] }) {
  complaint = !id && text !== "";
  if (!id) { tell(text); return; } // nothing was begun, and what is there stays
  if (id !== batch) results = [];
  batch = id;
  [running, told] = [part !== null, text];
  list.forEach((result, index) => {
    if (!results[index]) results.push(result);
  });
  tell(text, part);
  draw();
  remember();
}

function draw() {
  const cards = $(".cards");
  while (cards.children.length > results.length) cards.lastChild.remove();
  results.forEach((result, index) => {
    if (cards.children[index]?.result === result) return;
    const item = card(result);
    item.result = result;
    cards.children[index] ? cards.children[index].replaceWith(item) : cards.append(item);
  });
  const done = results.some(({ full }) => full);
  $(".zip").hidden = !done;
  $(".hint").hidden = !done;
}

function card(result) {
  const about = make("div", { class: "about" }, make("span", { title: result.name }, result.name, make("small", {}, describe(result))));
  if (!result.full) return make("li", {}, make("p", { class: "problem" }, result.problem), about);
  const picture = make("img", { src: result.view.url, alt: "", loading: "lazy" });
  const open = make("button", { type: "button", class: "open", onclick: () => show(result) }, picture);
  open.setAttribute("aria-label", t("{}, {}: open in the viewer", result.name, result.title));
  about.append(make("a", { href: result.full.url, download: result.full.orig_name, "aria-label": t("Download {}", result.full.orig_name) }, t("Download")));
  return make("li", {}, open, about);
}

function describe({ full, title, look }) {
  if (!full) return t("not colored");
  const { strength, points, mood } = look;
  const words = [title, mood && moodTitle(mood), points.length && t("own colors"), strength !== 1 && t("strength {}", strength)];
  return words.filter(Boolean).join(", ");
}

// A result in the viewer of the first tab.
function show(result) {
  opened = { result, chosen: null };
  const { file, look, version } = result;
  document.querySelectorAll("[role=tab]")[0].click();
  document.dispatchEvent(new CustomEvent("colorization-open", { detail: { file, look, version } }));
  remember();
}

document.addEventListener("colorization-look", ({ detail }) => {
  if (!opened) return;
  if (detail.file === opened.result.file) opened.chosen = detail;
  else leave(); // another photograph is in the viewer now
});

function leave() {
  document.dispatchEvent(new CustomEvent("colorization-left"));
  const { result, chosen } = opened || {};
  opened = null;
  if (!chosen || same(chosen, result)) return;
  const index = results.indexOf(result);
  const { version, look: { strength, contrast, points, mood } } = chosen;
  const guidance = { version: 1, points, ...(mood && { mood }) };
  if (index < 0) return;
  $(".cards").children[index].classList.add("working");
  $(".zip").disabled = true;
  ask("choose", { file: result.file, name: result.name, names: [version], kind: result.kind, strength, contrast, guidance }, (answer) => {
    $(".zip").disabled = asked.size > 0;
    $(".cards").children[index]?.classList.remove("working");
    if (answer.failed !== undefined) { tell(answer.failed); return; }
    if (results[index] !== result) return;
    results[index] = answer.result;
    draw();
    remember();
  });
}
const same = (one, other) => one.version === other.version && JSON.stringify(one.look) === JSON.stringify(other.look);
new IntersectionObserver(([{ isIntersecting }]) => {
  visible = isIntersecting;
  if (visible) leave();
  remember();
}).observe(element);

$(".zip").addEventListener("click", () => {
  const files = results.filter(({ full }) => full).flatMap(({ full, hints }) => [full, ...(hints ? [hints] : [])]);
  const before = $(".status").textContent;
  $(".zip").disabled = true;
  tell(t("Packing {} files ...", files.length), 0);
  ask("pack", { files: files.map(({ path }) => path) }, (answer) => {
    if (answer.done === false) { tell(t("Packing {} files ...", files.length), answer.part); return; }
    $(".zip").disabled = false;
    tell(answer.failed || before);
    if (answer.zip) download(answer.zip.url, "colorized.zip");
  });
});

// New files: why nothing was begun without them does not count anymore.
document.addEventListener("change", ({ target }) => {
  if (!complaint || !target.closest?.("#uploads")) return;
  complaint = false;
  tell("");
});
watch("value", () => receive(props.value || {}));
receive(props.value || {});
recall();
