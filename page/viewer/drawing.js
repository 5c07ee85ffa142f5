// Drawing: the pictures of the chosen view, as elements of the stage.
const LETTERS = "ABCDEF";
let panes = []; // { frame, images, names, handle, dabs, versions, alt }

function source(name) {
  const current = (key) => details.get(key)?.key === keyOf(name) && details.get(key).url;
  if (errors && isResult(name) && mode !== "blind") return current(`error ${name}`) || versions.get(name)?.url;
  return current(`full ${name}`) || versions.get(name)?.url;
}

function alt(name) {
  const { stem } = photo;
  if (name === "original") return t("{}, the original", stem);
  if (name === "input") return t("{}, the black-and-white input", stem);
  if (name === props.steered) return t("{}, in your colors", stem);
  return errors ? t("Error of {}, colored by {}", stem, props.titles[name]) : t("{}, colored by {}", stem, props.titles[name]);
}

function draw() {
  if (!photo) return;
  const shown = chosen().filter((name) => versions.has(name));
  const stage = $(".stage");
  const layout = comparing ? mode : "slider";
  const structure = JSON.stringify([layout, shown.map((name) => (isResult(name) && !comparing ? "result" : name)), kept, errors, photo.file, comparing]);
  if (structure !== draw.structure) {
    const hadHandle = document.activeElement?.classList.contains("handle");
    draw.structure = structure;
    panes = [];
    stage.replaceChildren();
    if (layout === "slider" && shown.length === 2) sliderPane(stage, shown, hadHandle);
    else shown.forEach((name, index) => singlePane(stage, name, index));
    stage.setAttribute("aria-label", t("Pictures: + and - zoom, arrow keys move, 0 fits, 1 shows actual pixels"));
  } else panes.forEach((pane, index) => update(pane, panes.length > 1 ? [shown[index]] : shown));
  drawPoints();
  resize();
}

function image(name, alt) {
  return make("img", { src: source(name), alt, draggable: "false" });
}

function sliderPane(stage, shown, hadHandle) {
  const images = shown.map((name) => image(name, alt(name)));
  const handle = make("div", {
    class: "handle", role: "slider", tabindex: "0", "aria-label": t("Divider between the two pictures"),
    "aria-valuemin": "0", "aria-valuemax": "100", "aria-orientation": "horizontal", onkeydown: moveDivider,
  });
  const names = shown.map((name) => make("span", { class: "name" }, title(name)));
  const dabs = make("div", { class: "dabs" });
  const frame = make("div", { class: "frame" }, ...images, ...names, handle, dabs);
  stage.append(make("figure", { class: "pane" }, frame));
  panes.push({ frame, images, names, handle, dabs, versions: shown, alt });
  if (hadHandle) handle.focus();
}

function singlePane(stage, name, index) {
  const blind = comparing && mode === "blind" && name !== "input";
  const secret = blind && !kept;
  const text = secret ? LETTERS[index] : title(name);
  const spoken = secret ? () => t("Result {}", text) : alt;
  const images = [image(name, spoken(name))];
  const mine = blind && kept === name;
  const names = [make("span", { class: mine ? "name kept" : "name" }, mine ? t("{}, your choice", text) : text)];
  const dabs = make("div", { class: "dabs" });
  const frame = make("div", { class: "frame" }, ...images, ...names, dabs);
  const pane = make("figure", { class: mine ? "pane kept" : "pane" }, frame);
  if (secret) pane.append(make("button", { class: "keep", type: "button", onclick: () => vote(name) }, t("Keep {}", text)));
  stage.append(pane);
  panes.push({ frame, images, names, dabs, versions: [name], alt: spoken });
}

// Put other pictures into a pane; each is decoded before it replaces the other, so that nothing flickers.
function update(pane, shown) {
  shown.forEach((name, index) => {
    const before = pane.images[index], url = source(name);
    if ((before.next || before.src) === url) return;
    before.next = url;
    const next = image(name, pane.alt(name));
    next.decode().catch(() => {}).then(() => {
      if (pane.images[index] !== before || before.next !== url) return; // another one came meanwhile
      next.style.cssText = before.style.cssText;
      pane.images[index] = next;
      before.replaceWith(next);
      place();
    });
  });
  pane.versions = shown;
}
