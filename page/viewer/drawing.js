// Drawing: the pictures of the chosen view, as elements of the stage.
function source(p) {
  if (errors && p.result && mode !== "blind") return details[`error ${p.name}`] || details[`full ${p.name}`] || p.file;
  return details[`full ${p.name}`] || p.file;
}

function image(p, alt) {
  return make("img", { src: source(p).url, alt, draggable: "false" });
}

function alt(p) {
  if (!p.result) return t(p.title === "Original" ? "{}, the original" : "{}, the black-and-white input", value().stem);
  return t(errors ? "Error of {}, colored by {}" : "{}, colored by {}", value().stem, p.title);
}

function draw() {
  const shown = chosen().filter(Boolean);
  const stage = $(".stage");
  const hadHandle = stage.contains(document.activeElement) && document.activeElement.classList.contains("handle");
  panes = [];
  stage.replaceChildren();
  if (mode === "slider" && shown.length === 2) {
    const frame = make("div", { class: "frame" });
    const images = shown.map((p) => image(p, alt(p)));
    const handle = make("div", {
      class: "handle", role: "slider", tabindex: "0", "aria-label": t("Divider between the two pictures"),
      "aria-valuemin": "0", "aria-valuemax": "100", "aria-orientation": "horizontal", onkeydown: moveDivider,
    });
    const names = shown.map((p) => make("span", { class: "name" }, title(p)));
    frame.append(...images, ...names, handle);
    stage.append(make("figure", { class: "pane" }, frame));
    panes.push({ frame, images, names, handle, pictures: shown });
    if (hadHandle) handle.focus();
  } else {
    shown.forEach((p, index) => {
      const hidden = mode === "blind" && !kept;
      const name = hidden ? LETTERS[index] : title(p);
      const images = [image(p, hidden ? t("Result {}", name) : alt(p))];
      const names = [make("span", { class: "name" }, name)];
      const frame = make("div", { class: "frame" }, ...images, ...names);
      const pane = make("figure", { class: "pane" }, frame);
      if (hidden) pane.append(make("button", { class: "keep", type: "button", onclick: () => vote(p.name) }, t("Keep {}", name)));
      stage.append(pane);
      panes.push({ frame, images, names, pictures: [p] });
    });
  }
  stage.setAttribute("aria-label", t("Pictures: + and - zoom, arrow keys move, 0 fits, 1 shows actual pixels"));
  resize();
}
